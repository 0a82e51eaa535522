/** A drawing over the draft: what older editors can say comes from the drawing, what they can't stays as it is in the draft. Pure. */
import type { Fault } from '../../errors.ts'
import { isEventType } from '../graph.ts'
import type { DocumentNode, TopologyDocument } from '../schema.ts'
import { takeNotes } from './drawing.ts'
import type { Address, Drawing, DrawnName, DrawnNode, Notes } from './drawing.ts'
import { mapNode } from './map.ts'
import { nameNodes } from './names.ts'

export interface Before {
  readonly draft: TopologyDocument
  /** Node name → stored prefetch. */
  readonly prefetch: ReadonlyMap<string, number | null>
  readonly workers: readonly Address[]
  /** Of the drawing that was saved last. */
  readonly names: readonly DrawnName[]
  /** Whether a prefetch up to 1 leaves a larger stored one alone: the flow editor fills in 1 by itself. */
  readonly keepsPrefetch: boolean
}

export interface Merged {
  readonly document: TopologyDocument
  readonly names: readonly DrawnName[]
  readonly warnings: readonly Fault[]
}

/** The drawing must be without faults. Node values that it doesn't say are left out, so that the stored ones stay. */
export function mergeDrawing(drawing: Drawing, before: Before): Merged {
  const notes = takeNotes()
  const names = nameNodes(drawing.nodes, before.draft, before.names)
  const nameOf = (id: string): string => names.get(id) ?? ''
  const nodes = drawing.nodes.map((drawn) => mergeNode(drawn, nameOf(drawn.id), before, notes))
  const edges = mergeEdges(drawing, nameOf, before.draft, notes)
  reportNames(drawing.nodes, nameOf, before.names, notes)
  return {
    document: { ...before.draft, nodes, edges },
    names: drawing.nodes.map(({ id, title }) => ({ id, title, name: nameOf(id) })),
    warnings: notes.warnings,
  }
}

function mergeNode(drawn: DrawnNode, name: string, before: Before, notes: Notes): DocumentNode {
  const old = before.draft.nodes.find(
    (node) => node.name === name && isEventType(node.type) === isEventType(drawn.type),
  )
  const mapped = mapNode(drawn, name, old, before.workers, notes)
  const stored = before.prefetch.get(name) ?? 1
  const prefetch = before.keepsPrefetch ? keptPrefetch(mapped.prefetch, stored) : mapped.prefetch
  return { name, ...without(old, mapped.type), type: mapped.type, ...given({ ...mapped, prefetch }) }
}

function keptPrefetch(said: number | undefined, stored: number): number | undefined {
  if (said === undefined || said > 1) return said
  return stored > 1 ? undefined : 1
}

/** What older editors can't say of a node. */
function without(node: DocumentNode | undefined, type: string): Partial<DocumentNode> {
  if (!node) return {}
  const { name: _, worker, uses, service, prefetch, timeoutMs, retry, cron, ...others } = node
  const { maxPages, watermark, timezone, missed, message, overlap, verify, handshake, accept, ...rest } = others
  return {
    ...rest,
    ...(type === 'batch' && given({ maxPages, watermark })),
    ...(type === 'cron' && given({ timezone, missed, message })),
    ...((type === 'cron' || type === 'start') && given({ overlap })),
    ...(type === 'webhook' && given({ verify, handshake, accept })),
  }
}

function given(values: { readonly [K in keyof DocumentNode]?: DocumentNode[K] | undefined }): Partial<DocumentNode> {
  const said = Object.entries(values).filter(([, value]) => value !== undefined)
  return Object.fromEntries(said)
}

/** Edges in the order of the drawing, each once; and those of the draft that can't be drawn, since an end of them isn't there. */
function mergeEdges(
  { edges }: Drawing,
  nameOf: (id: string) => string,
  draft: TopologyDocument,
  notes: Notes,
): TopologyDocument['edges'] {
  const seen = new Map<string, string>()
  const drawn = edges.flatMap(({ path, from, to }) => {
    const edge = { from: nameOf(from), to: nameOf(to) }
    const known = seen.get(`${edge.from} ${edge.to}`)
    if (known !== undefined) notes.warn(path, `leads where ${known} leads already: read once`)
    seen.set(`${edge.from} ${edge.to}`, known ?? path)
    return known === undefined ? [edge] : []
  })
  const names = new Set(draft.nodes.map(({ name }) => name))
  return [...drawn, ...draft.edges.filter(({ from, to }) => !names.has(from) || !names.has(to))]
}

/** Starts go by the name of the node: whoever starts it has to know when that isn't what the editor shows. */
function reportNames(
  nodes: readonly DrawnNode[],
  nameOf: (id: string) => string,
  known: readonly DrawnName[],
  notes: Notes,
): void {
  for (const { id, path, title, type } of nodes) {
    const name = nameOf(id)
    if (!isEventType(type) || name === title || known.some((each) => each.id === id && each.name === name)) continue
    notes.warn(path, `"${title}" is named ${name} here, also in the address of its starts`)
  }
}
