/**
 * The draft as it is edited. Nodes and edges have keys of their own, so that a name may be anything while it is typed, also one that is
 * taken, and edges stay with their nodes. Pure.
 */
import type {
  TopologyDocument,
  TopologyDocumentNode,
  TopologyDocumentNodeType,
} from '../../../../../runtime/client/index.ts'
import { isObject } from '../../../parts/body/json.ts'

export interface GraphNode {
  readonly key: string
  /** As the document has it. */
  readonly values: TopologyDocumentNode
}

export interface GraphEdge {
  readonly key: string
  /** Keys of nodes; what a document names without having it is `?name`. */
  readonly from: string
  readonly to: string
}

/** What the document says of the topology as a whole. */
export type Head = Omit<TopologyDocument, 'nodes' | 'edges'>

export interface Graph {
  readonly head: Head
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
}

let lastKey = 0

export function newKey(): string {
  lastKey += 1
  return `k${lastKey}`
}

/** Nodes of names that `known` has keep their keys: what is kept by key, such as places, stays theirs. */
export function graphOf({ nodes, edges, ...head }: TopologyDocument, known?: Graph): Graph {
  const before = new Map(known?.nodes.map(({ key, values }) => [values.name, key]))
  const keys = new Map<string, string>()
  const keyed = nodes.map((values): GraphNode => {
    const key = keys.has(values.name) ? newKey() : (before.get(values.name) ?? newKey())
    if (!keys.has(values.name)) keys.set(values.name, key)
    return { key, values }
  })
  const end = (name: string): string => keys.get(name) ?? `?${name}`
  return { head, nodes: keyed, edges: edges.map(({ from, to }) => ({ key: newKey(), from: end(from), to: end(to) })) }
}

export function documentOf(graph: Graph): TopologyDocument {
  return {
    ...graph.head,
    nodes: graph.nodes.map(({ values }) => values),
    edges: graph.edges.map(({ from, to }) => ({ from: nameOf(graph, from), to: nameOf(graph, to) })),
  }
}

export function nameOf({ nodes }: Graph, key: string): string {
  return nodes.find((node) => node.key === key)?.values.name ?? key.replace(/^\?/, '')
}

/** Whether both say the same, whatever their keys are, and in whichever order they say it. */
export function isSame(one: Graph, other: Graph): boolean {
  return one === other || textOf(one) === textOf(other)
}

/** Graphs never change, and are compared whenever anything is drawn. */
const texts = new WeakMap<Graph, string>()

function textOf(graph: Graph): string {
  const known = texts.get(graph)
  if (known !== undefined) return known
  const text = JSON.stringify(documentOf(graph), (_, value: unknown) =>
    isObject(value) ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))) : value,
  )
  texts.set(graph, text)
  return text
}

export function isEvent(type: TopologyDocumentNodeType): boolean {
  return type === 'start' || type === 'cron' || type === 'webhook'
}

/** The older editors' word is read as what it means. */
export function typeOf({ type }: TopologyDocumentNode): Exclude<TopologyDocumentNodeType, 'batch_connector'> {
  return type === 'batch_connector' ? 'batch' : type
}
