/** What is wrong with a draft, and where of it. Pure. */
import type { Fault } from '../../../../../runtime/client/index.ts'
import { nameOf } from '../state/graph.ts'
import type { Graph } from '../state/graph.ts'

export interface Placed {
  readonly of: 'node' | 'edge' | 'topology'
  /** Of the node or edge. */
  readonly key: string | null
  /** Within it, such as `retry.attempts`; empty: all of it. */
  readonly field: string
  readonly message: string
  /** Publishing goes on all the same. */
  readonly isHint?: boolean
}

/** Faults as the engine tells them, by their place in the graph that it was asked about. */
export function placedIn(graph: Graph, faults: readonly Fault[]): Placed[] {
  return faults.map(({ path, message }) => {
    const found = /^(nodes|edges)\[(\d+)\](?:\.(.*))?$/.exec(path)
    const list = found?.[1] === 'nodes' ? graph.nodes : graph.edges
    const key = found === null ? undefined : list[Number(found[2])]?.key
    if (found === null || key === undefined) return { of: 'topology', key: null, field: path, message }
    return { of: found[1] === 'nodes' ? 'node' : 'edge', key, field: found[3] ?? '', message }
  })
}

/** The first that is said of a field or of something in it. */
export function faultAt(faults: readonly Placed[], field: string): string | null {
  const isIn = ({ field: at }: Placed): boolean =>
    at === field || at.startsWith(`${field}.`) || at.startsWith(`${field}[`)
  return faults.find(isIn)?.message ?? null
}

/** `store: prefetch`. */
export function placeText({ of, key, field }: Placed, graph: Graph): string {
  const what = key === null ? '' : of === 'node' ? nameOf(graph, key) : edgeText(graph, key)
  return [what, field].filter((part) => part !== '').join(': ')
}

export function edgeText(graph: Graph, key: string): string {
  const edge = graph.edges.find((one) => one.key === key)
  return edge === undefined ? '' : `${nameOf(graph, edge.from)} → ${nameOf(graph, edge.to)}`
}

/** Of what is in the graph still. */
export function stillThere(faults: readonly Placed[], { nodes, edges }: Graph): Placed[] {
  const keys = new Set([...nodes, ...edges].map(({ key }) => key))
  return faults.filter(({ key }) => key === null || keys.has(key))
}
