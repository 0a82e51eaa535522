import type { Known } from '../../runtime/topology/check.ts'
import type { DocumentNode, TopologyDocument } from '../../runtime/topology/schema.ts'

export const start: DocumentNode = { name: 'begin', type: 'start' }

export function custom(name: string, fields: Partial<DocumentNode> = {}): DocumentNode {
  return { name, type: 'custom', worker: 'shop', ...fields }
}

/** Edges are written as `a>b`. */
export function documentOf(nodes: readonly DocumentNode[], ...edges: readonly string[]): TopologyDocument {
  const ends = edges.map((edge) => edge.split('>'))
  return { name: 'orders', nodes: [...nodes], edges: ends.map(([from = '', to = '']) => ({ from, to })) }
}

export const known: Known = { workers: new Map([['shop', null]]), services: new Set(['geo']) }
