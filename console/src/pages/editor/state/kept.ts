/**
 * Values that the engine stores beside the document: one that a document leaves out stays as it is stored. So what was taken away here is
 * said in full, as what holds without it. Pure.
 */
import type { TopologyDocument, TopologyDocumentNode } from '../../../../../runtime/client/index.ts'
import { documentOf, isEvent, typeOf } from './graph.ts'
import type { Graph } from './graph.ts'

/** What holds for a node where its document says nothing. */
export interface Defaults {
  readonly prefetch: number
  readonly timeoutMs: number
  readonly inPlaceMaxMs: number
  readonly onFail: 'skip' | 'block'
}

export type DefaultsOf = (node: TopologyDocumentNode) => Defaults

/** The document that is saved, so that what comes back is what was drawn. */
export function toSave(saved: Graph, graph: Graph, defaultsOf: DefaultsOf): TopologyDocument {
  const stored = new Map(saved.nodes.map(({ values }) => [values.name, values]))
  const document = documentOf(graph)
  return { ...document, nodes: document.nodes.map((node) => inFull(node, stored.get(node.name), defaultsOf)) }
}

function inFull(
  node: TopologyDocumentNode,
  stored: TopologyDocumentNode | undefined,
  defaultsOf: DefaultsOf,
): TopologyDocumentNode {
  if (stored === undefined || isEvent(node.type) !== isEvent(stored.type)) return node
  const missing = Object.entries(isEvent(node.type) ? ofEvent(node) : { ...defaultsOf(node), retry: {} }).filter(
    ([key]) => Object.hasOwn(stored, key) && !Object.hasOwn(node, key),
  )
  return missing.length === 0 ? node : { ...node, ...Object.fromEntries(missing) }
}

function ofEvent(node: TopologyDocumentNode): Partial<TopologyDocumentNode> {
  switch (typeOf(node)) {
    case 'cron':
      return { timezone: 'UTC', overlap: 'skip', missed: 'once', enabled: true }
    case 'start':
      return { overlap: 'allow', enabled: true }
    default:
      return { enabled: true }
  }
}
