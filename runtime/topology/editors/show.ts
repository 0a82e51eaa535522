/** The draft as nodes and edges that older editors know. Pure. */
import { isDeepStrictEqual } from 'node:util'
import { isEventType } from '../graph.ts'
import type { DocumentNode, TopologyDocument } from '../schema.ts'
import type { Address, DrawnEdge, DrawnName, DrawnNode, Mapped, Point, Repeater } from './drawing.ts'
import { takeNotes } from './drawing.ts'
import { placeNodes } from './layout.ts'
import { hostOf, mapNode, repeaterShown, timeoutShown } from './map.ts'
import { generatedId, titleOf } from './names.ts'

/** A node with what is to be said of it. */
export interface ShownNode {
  readonly id: string
  readonly title: string
  readonly node: DocumentNode
  /** The editors' word for its type, as long as the draft has what that is read as. */
  readonly foreign: string | undefined
  readonly host: string | undefined
  readonly timeout: number | undefined
  readonly repeater: Repeater | undefined
  readonly at: Point
}

export interface Shown {
  readonly name: string
  readonly nodes: readonly ShownNode[]
  /** By id; those of the draft whose ends are both there. */
  readonly edges: readonly Pick<DrawnEdge, 'from' | 'to'>[]
  readonly workers: readonly Address[]
}

/** What the drawing that was saved last says: of names, and of its nodes by id. */
export interface Remembered {
  readonly names: readonly DrawnName[]
  readonly nodes: ReadonlyMap<string, DrawnNode>
}

export function showDraft(draft: TopologyDocument, workers: readonly Address[], remembered: Remembered): Shown {
  const drawn = new Map(remembered.names.map((each) => [each.name, each]))
  const ids = giveIds(draft, drawn)
  const idOf = (name: string): string => ids.get(name) ?? ''
  const at = placeNodes(draft, new Map(draft.nodes.map(({ name }) => [name, remembered.nodes.get(idOf(name))?.at])))
  const nodes = draft.nodes.map((node) => ({
    id: idOf(node.name),
    title: titleOf(node, drawn.get(node.name)),
    node,
    foreign: foreignOf(node, remembered.nodes.get(idOf(node.name))),
    host: workers.filter(({ name }) => name === node.worker).map(hostOf)[0],
    timeout: timeoutShown(node),
    repeater: repeaterShown(node),
    at: at.get(node.name) ?? { x: 0, y: 0 },
  }))
  const edges = draft.edges.filter(({ from, to }) => ids.has(from) && ids.has(to))
  return { name: draft.name, nodes, edges: edges.map(({ from, to }) => ({ from: idOf(from), to: idOf(to) })), workers }
}

function foreignOf({ type }: DocumentNode, drawn: DrawnNode | undefined): string | undefined {
  return drawn?.type === type ? drawn.foreign : undefined
}

/** Name → id. */
function giveIds({ nodes }: TopologyDocument, drawn: ReadonlyMap<string, DrawnName>): Map<string, string> {
  const ids = new Map<string, string>()
  const taken = new Set<string>()
  for (const { name } of nodes) {
    const id = drawn.get(name)?.id
    if (id === undefined || taken.has(id)) continue
    ids.set(name, id)
    taken.add(id)
  }
  for (const node of nodes) {
    if (ids.has(node.name)) continue
    let id = generatedId(node)
    while (taken.has(id)) id += '_'
    ids.set(node.name, id)
    taken.add(id)
  }
  return ids
}

/** The fields of a drawn node that can differ from the draft. */
export type Said = 'title' | 'type' | 'worker' | 'service' | 'prefetch' | 'timeout' | 'repeater' | 'cron'

/**
 * What has to be written into a drawn node so that it says what the draft says. What it says already in its own words (an address
 * instead of a worker's name, batch_connector instead of batch) stays as it is.
 */
export function differences(drawn: DrawnNode, { node, title }: ShownNode, workers: readonly Address[]): Set<Said> {
  const mapped = mapNode(drawn, node.name, node, workers, takeNotes())
  const said = (value: unknown, field: Exclude<keyof Mapped, 'uses'>): boolean =>
    value === undefined ? node[field] === undefined : mapped[field] === node[field]
  const same: Record<Said, boolean> = {
    title: drawn.title === title,
    type: drawn.type === node.type,
    worker: said(drawn.worker ?? drawn.host, 'worker'),
    service: said(drawn.service, 'service'),
    prefetch: said(drawn.prefetch, 'prefetch'),
    // A time-out of 0 says nothing that can be used.
    timeout: said(drawn.timeout || undefined, 'timeoutMs'),
    repeater: isEventType(node.type) || saysRetry(drawn, mapped, node),
    cron: said(drawn.cron, 'cron'),
  }
  return new Set((Object.keys(same) as Said[]).filter((key) => !same[key]))
}

/** A repeater that is off, or that can't be used, says that there is no policy. */
function saysRetry({ repeater }: DrawnNode, { retry }: Mapped, node: DocumentNode): boolean {
  if (!repeater?.enabled || repeater.hops < 1 || repeater.interval < 1) return repeaterShown(node) === undefined
  return isDeepStrictEqual(retry, node.retry)
}
