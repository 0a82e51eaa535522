import type { Dispatch } from 'react'
import type { TopologyDocument, Worker } from '../../api/engine.ts'
import type { Placed } from './checking/faults.ts'
import type { Place } from '../topology/graph/layout.ts'
import { freePlace } from './canvas/places.ts'
import type { Entry } from './palette/entries.ts'
import { nodeOf } from './palette/entries.ts'
import { adding, connecting, freeName, removingEdge, removingNode } from './state/edits.ts'
import { isEvent, newKey } from './state/graph.ts'
import type { Graph, GraphEdge, GraphNode } from './state/graph.ts'
import type { Action, EditorState } from './state/state.ts'

/** What is drawn, and how that is changed. */
export interface Drawing {
  readonly state: EditorState
  readonly dispatch: Dispatch<Action>
  readonly workers: readonly Worker[]
  /** As it is saved and checked. */
  readonly toDocument: (graph: Graph) => TopologyDocument
}

/** What all parts of the editor share. */
export interface Editing extends Drawing {
  readonly topologyId: string
  readonly faults: readonly Placed[]
}

/** The node that is selected. */
export function chosenNode({ graph, selected }: EditorState): GraphNode | null {
  if (selected?.kind !== 'node') return null
  return graph.nodes.find(({ key }) => key === selected.key) ?? null
}

/** A node of the palette: where it was dropped, or else beside the node that is selected, and joined to it. */
export function addEntry(state: EditorState, entry: Entry, at: Place | null): Action {
  const { graph, places } = state
  const key = newKey()
  const values = nodeOf(entry, freeName(graph, entry.title))
  const beside = at === null ? chosenNode(state) : null
  const edges = beside === null ? [] : edgeBetween(beside, { key, values })
  const isAfter = edges.some(({ to }) => to === key)
  const near = beside === null || !isAfter ? undefined : places.get(beside.key)
  const place = at ?? (near === undefined ? null : freePlace([...places.values()], near, 'right'))
  return {
    kind: 'edit',
    edit: adding({ key, values }, edges),
    select: { kind: 'node', key },
    ...(place !== null && { place: [key, place] }),
  }
}

/** An event node that is added leads to the node that is selected; any other follows it. */
function edgeBetween(chosen: GraphNode, added: GraphNode): GraphEdge[] {
  if (!isEvent(added.values.type)) return [{ key: newKey(), from: chosen.key, to: added.key }]
  return isEvent(chosen.values.type) ? [] : [{ key: newKey(), from: added.key, to: chosen.key }]
}

export function connect(from: string, to: string): Action {
  return { kind: 'edit', edit: connecting({ key: newKey(), from, to }) }
}

/** The node or the edge that is selected. */
export function removeSelected({ state: { selected }, dispatch }: Pick<Drawing, 'state' | 'dispatch'>): void {
  if (selected === null || selected.kind === 'topology') return
  const edit = selected.kind === 'node' ? removingNode(selected.key) : removingEdge(selected.key)
  dispatch({ kind: 'edit', edit, select: null })
}
