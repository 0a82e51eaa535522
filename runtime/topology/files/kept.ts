/** What stays stored of a draft when a document is saved over it: see "Stored values" in docs/api.md. Pure. */
import { isEventType } from '../graph.ts'
import type { DocumentNode, TopologyDocument } from '../schema.ts'

/** A value that the document leaves out, and that stays as it is stored. */
export interface Kept {
  readonly node: string
  readonly key: string
  readonly value: unknown
}

const cronValues = ['cron', 'timezone', 'overlap', 'missed'] as const
const workerValues = ['prefetch', 'timeoutMs', 'retry', 'inPlaceMaxMs', 'onFail'] as const

/** The draft that comes of saving `document` over the draft `stored`, and what it keeps of that. */
export function savedOver(
  document: TopologyDocument,
  stored: TopologyDocument,
): { saved: TopologyDocument; kept: readonly Kept[] } {
  const before = new Map(stored.nodes.map((node) => [node.name, node]))
  const nodes = document.nodes.map((node) => ({ ...keptOf(node, before.get(node.name)), ...node }))
  const kept = document.nodes.flatMap((node) =>
    Object.entries(keptOf(node, before.get(node.name))).map(([key, value]) => ({ node: node.name, key, value })),
  )
  return { saved: { ...document, nodes }, kept }
}

function keptKeys(type: DocumentNode['type']): readonly (keyof DocumentNode)[] {
  if (type === 'cron') return cronValues
  if (type === 'start') return ['overlap']
  return isEventType(type) ? [] : workerValues
}

function keptOf(node: DocumentNode, stored: DocumentNode | undefined): Partial<DocumentNode> {
  if (stored === undefined) return {}
  const keys = keptKeys(node.type)
  const values = keys.filter((key) => node[key] === undefined && stored[key] !== undefined)
  const disabled = isEventType(node.type) && node.enabled === undefined && stored.enabled === false
  return { ...Object.fromEntries(values.map((key) => [key, stored[key]])), ...(disabled && { enabled: false }) }
}
