/** The state of the editor: the graph, what can be undone, and what is looked at. Pure. */
import type { Place } from '../../topology/graph/layout.ts'
import type { Edit } from './edits.ts'
import { graphOf, isSame } from './graph.ts'
import type { Graph } from './graph.ts'
import type { TopologyDocument } from '../../../../../runtime/client/index.ts'

export type Selected = { readonly kind: 'node' | 'edge'; readonly key: string } | { readonly kind: 'topology' } | null

/** What undo and redo lead to. */
interface Step {
  readonly graph: Graph
  readonly unread: EditorState['unread']
}

export interface EditorState {
  readonly graph: Graph
  readonly past: readonly Step[]
  readonly future: readonly Step[]
  /** What the engine has. */
  readonly saved: Graph
  readonly selected: Selected
  /** Where nodes stand, by key. The document has no places: they are of this visit only. */
  readonly places: ReadonlyMap<string, Place>
  /** The field that was changed last: what is typed there goes on as one step. */
  readonly field: string | null
  /** Texts that can't be read as what their field takes, by field: kept until they are mended or undone. */
  readonly unread: Readonly<Record<string, string>>
}

export type Action =
  | {
      readonly kind: 'edit'
      readonly edit: Edit
      readonly field?: string
      readonly select?: Selected
      readonly place?: readonly [string, Place]
    }
  | { readonly kind: 'undo' | 'redo' }
  | { readonly kind: 'select'; readonly selected: Selected }
  | { readonly kind: 'place'; readonly places: Iterable<readonly [string, Place]> }
  | { readonly kind: 'unread'; readonly field: string; readonly text: string | null }
  | { readonly kind: 'saved'; readonly document: TopologyDocument; readonly of: Graph }
  | { readonly kind: 'replace'; readonly document: TopologyDocument; readonly isSaved: boolean }

const stepsMax = 200

export function openState(document: TopologyDocument): EditorState {
  const graph = graphOf(document)
  return {
    ...{ graph, saved: graph, past: [], future: [], selected: null },
    ...{ places: new Map(), field: null, unread: {} },
  }
}

export function isChanged({ graph, saved, unread }: EditorState): boolean {
  return Object.keys(unread).length > 0 || !isSame(graph, saved)
}

export function reduce(state: EditorState, action: Action): EditorState {
  switch (action.kind) {
    case 'edit':
      return edited(state, action)
    case 'undo':
      return undone(state)
    case 'redo':
      return redone(state)
    case 'select':
      return { ...state, selected: action.selected, field: null }
    case 'place':
      return { ...state, places: new Map([...state.places, ...action.places]) }
    case 'unread':
      return typed(state, action)
    case 'saved':
      return stored(state, action)
    case 'replace': {
      const graph = graphOf(action.document, state.graph)
      const saved = action.isSaved ? graph : state.saved
      return { ...stepped(state, graph), saved, selected: there(state.selected, graph), unread: {} }
    }
  }
}

function edited(state: EditorState, { edit, field, select, place }: Action & { kind: 'edit' }): EditorState {
  const graph = edit(state.graph)
  const isSameField = field !== undefined && field === state.field
  const next = isSameField ? { ...state, graph, future: [] } : stepped(state, graph)
  return {
    ...next,
    field: field ?? null,
    unread: ofThere(state.unread, graph),
    selected: select === undefined ? there(state.selected, graph) : select,
    places: place === undefined ? state.places : new Map([...state.places, place]),
  }
}

function stepped(state: EditorState, graph: Graph): EditorState {
  return { ...state, graph, past: [...state.past, stepOf(state)].slice(-stepsMax), future: [], field: null }
}

const stepOf = ({ graph, unread }: EditorState): Step => ({ graph, unread })

/** A text that can't be read is a step as any other; that it needn't be kept any more is none. */
function typed(state: EditorState, { field, text }: Action & { kind: 'unread' }): EditorState {
  const unread = withText(state.unread, field, text)
  if (text === null) return { ...state, unread }
  const next = field === state.field ? { ...state, future: [] } : stepped(state, state.graph)
  return { ...next, unread, field }
}

function undone(state: EditorState): EditorState {
  const step = state.past.at(-1)
  if (step === undefined) return state
  return { ...at(state, step), past: state.past.slice(0, -1), future: [stepOf(state), ...state.future] }
}

function redone(state: EditorState): EditorState {
  const [step, ...future] = state.future
  if (step === undefined) return state
  return { ...at(state, step), past: [...state.past, stepOf(state)], future }
}

function at(state: EditorState, step: Step): EditorState {
  return { ...state, ...step, selected: there(state.selected, step.graph), field: null }
}

/** What the engine filled in is taken over, unless somebody has gone on editing meanwhile. */
function stored(state: EditorState, { document, of }: Action & { kind: 'saved' }): EditorState {
  const saved = graphOf(document, of)
  if (state.graph !== of) return { ...state, saved }
  return { ...state, saved, graph: saved, selected: there(state.selected, saved), field: null }
}

function there(selected: Selected, { nodes, edges }: Graph): Selected {
  if (selected?.kind === 'node') return nodes.some(({ key }) => key === selected.key) ? selected : null
  if (selected?.kind === 'edge') return edges.some(({ key }) => key === selected.key) ? selected : null
  return selected
}

/** Texts of nodes that are gone are gone with them. */
function ofThere(unread: EditorState['unread'], { nodes }: Graph): EditorState['unread'] {
  const keys = new Set(nodes.map(({ key }) => key))
  return Object.fromEntries(Object.entries(unread).filter(([at]) => keys.has(at.split(' ')[0] ?? '')))
}

function withText(unread: EditorState['unread'], field: string, text: string | null): EditorState['unread'] {
  const others = Object.entries(unread).filter(([key]) => key !== field)
  return Object.fromEntries(text === null ? others : [...others, [field, text]])
}
