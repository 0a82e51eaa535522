/** What can be done to a graph. Pure. */
import type { TopologyDocumentNode } from '../../../../../runtime/client/index.ts'
import { isEvent } from './graph.ts'
import type { Graph, GraphEdge, GraphNode } from './graph.ts'
import { withValueAt } from './path.ts'

export type Edit = (graph: Graph) => Graph

/** A new node, with edges to or from it. */
export function adding(node: GraphNode, edges: readonly GraphEdge[]): Edit {
  return (graph) => ({ ...graph, nodes: [...graph.nodes, node], edges: [...graph.edges, ...edges] })
}

/** A value of a node, by its path; undefined takes it away. */
export function setting(key: string, path: string, value: unknown): Edit {
  return (graph) => ({
    ...graph,
    nodes: graph.nodes.map((node) =>
      node.key === key ? { key, values: withValueAt(node.values, path, value) } : node,
    ),
  })
}

/** What it does at its worker stays the same, where that went by the name until now. */
export function renaming(key: string, name: string, isUseKept: boolean): Edit {
  return (graph) => ({
    ...graph,
    nodes: graph.nodes.map((node) =>
      node.key === key ? { key, values: renamed(node.values, name, isUseKept) } : node,
    ),
  })
}

function renamed(values: TopologyDocumentNode, name: string, isUseKept: boolean): TopologyDocumentNode {
  if (!isUseKept) return { ...values, name }
  const uses = values.uses ?? values.name
  return withValueAt({ ...values, name }, 'uses', uses === name ? undefined : uses)
}

/** A value of the topology itself. */
export function settingHead(path: string, value: unknown): Edit {
  return (graph) => ({ ...graph, head: withValueAt(graph.head, path, value) })
}

/** With all its edges. */
export function removingNode(key: string): Edit {
  return (graph) => ({
    ...graph,
    nodes: graph.nodes.filter((node) => node.key !== key),
    edges: graph.edges.filter(({ from, to }) => from !== key && to !== key),
  })
}

export function connecting(edge: GraphEdge): Edit {
  return (graph) => ({ ...graph, edges: [...graph.edges, edge] })
}

export function removingEdge(key: string): Edit {
  return (graph) => ({ ...graph, edges: graph.edges.filter((edge) => edge.key !== key) })
}

/** Whether an edge may be drawn at all; what is wrong with the graph as a whole is for the engine to say. */
export function canConnect({ nodes, edges }: Graph, from: string, to: string): boolean {
  const end = nodes.find(({ key }) => key === to)
  if (end === undefined || from === to || isEvent(end.values.type)) return false
  return !edges.some((edge) => edge.from === from && edge.to === to)
}

/** `store`, or `store-2` where that is taken; in the characters that names have. */
export function freeName({ nodes }: Graph, wanted: string): string {
  const plain = wanted
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 59)
  const base = plain === '' ? 'node' : plain
  const taken = new Set(nodes.map(({ values }) => values.name))
  for (let count = 1; ; count++) {
    const name = count === 1 ? base : `${base}-${count}`
    if (!taken.has(name)) return name
  }
}

/** What of the document a node of its type has no field for, such as a schedule that a node had before it was made a start node. */
export function foreignTo(values: TopologyDocumentNode, fields: readonly string[]): string[] {
  return Object.keys(values).filter((key) => !fields.includes(key))
}
