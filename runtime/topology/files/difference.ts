/** What is different between two graphs: two drafts, two plans. The same for the API, for `sluice diff` and for `apply --dry-run`. Pure. */
import { isDeepStrictEqual } from 'node:util'
import type { Plan } from '../plan.ts'
import type { TopologyDocument } from '../schema.ts'
import { writtenNode } from './written.ts'
import type { Written } from './written.ts'

/** A value that is there on one side only lacks the other key; null is a value. */
export interface Change {
  /** As in `retry.attempts`. */
  readonly path: string
  readonly before?: unknown
  readonly after?: unknown
}

export interface NodeChange {
  readonly name: string
  readonly change: 'added' | 'removed' | 'changed'
  /** Of an added or removed node what a document says of it. */
  readonly values: readonly Change[]
}

export interface EdgeChange {
  readonly from: string
  readonly to: string
  readonly change: 'added' | 'removed'
}

export interface Difference {
  /** Of the topology itself: name, description, labels. */
  readonly values: readonly Change[]
  readonly nodes: readonly NodeChange[]
  readonly edges: readonly EdgeChange[]
  /** What stands in another order, of what both have. */
  readonly reordered: readonly ('nodes' | 'edges')[]
}

type Values = Readonly<Record<string, unknown>>

/** What a document and a plan have in common. */
export interface Graph {
  readonly values: Values
  readonly nodes: ReadonlyMap<string, Written>
  readonly edges: readonly { readonly from: string; readonly to: string }[]
}

export const emptyGraph: Graph = { values: {}, nodes: new Map(), edges: [] }

export function graphOfDocument({ nodes, edges, ...values }: TopologyDocument): Graph {
  return { values, nodes: new Map(nodes.map(({ name, ...rest }) => [name, { all: rest, needed: rest }])), edges }
}

/** Nodes by name: a node that went away and came back has the same name, and the same id. */
export function graphOfPlan({ name, nodes }: Plan): Graph {
  const names = new Map(nodes.map((node) => [node.id, node.name]))
  const edges = nodes.flatMap(({ name: from, followers }) => followers.map((id) => ({ from, to: names.get(id) ?? id })))
  return {
    values: { name },
    nodes: new Map(nodes.map((node) => [node.name, writtenNode(node)])),
    edges,
  }
}

export function differenceOf(before: Graph, after: Graph): Difference {
  const [edgesBefore, edgesAfter] = [before.edges.map(textOf), after.edges.map(textOf)]
  const isMoved = [
    isReordered([...before.nodes.keys()], [...after.nodes.keys()]) && ('nodes' as const),
    isReordered(edgesBefore, edgesAfter) && ('edges' as const),
  ]
  return {
    values: changesOf(before.values, after.values),
    nodes: nodeChanges(before.nodes, after.nodes),
    edges: [
      ...before.edges.filter((edge) => !edgesAfter.includes(textOf(edge))).map((edge) => edgeChange(edge, 'removed')),
      ...after.edges.filter((edge) => !edgesBefore.includes(textOf(edge))).map((edge) => edgeChange(edge, 'added')),
    ],
    reordered: isMoved.filter((what) => what !== false),
  }
}

export function isSame({ values, nodes, edges, reordered }: Difference): boolean {
  return [values, nodes, edges, reordered].every((list) => list.length === 0)
}

const textOf = ({ from, to }: Graph['edges'][number]): string => `${from} → ${to}`

function edgeChange({ from, to }: Graph['edges'][number], change: EdgeChange['change']): EdgeChange {
  return { from, to, change }
}

/** In the order of `before`, then what is new. */
function nodeChanges(before: Graph['nodes'], after: Graph['nodes']): NodeChange[] {
  const names = new Set([...before.keys(), ...after.keys()])
  return [...names].flatMap((name): NodeChange[] => {
    const [old, next] = [before.get(name), after.get(name)]
    if (old === undefined) return [{ name, change: 'added', values: changesOf({}, next?.needed ?? {}) }]
    if (next === undefined) return [{ name, change: 'removed', values: changesOf(old.needed, {}) }]
    const values = changesOf(old.all, next.all)
    return values.length === 0 ? [] : [{ name, change: 'changed', values }]
  })
}

function changesOf(before: Values, after: Values): Change[] {
  const [old, next] = [leavesOf(before), leavesOf(after)]
  const paths = new Set([...old.keys(), ...next.keys()])
  return [...paths].flatMap((path): Change[] => {
    if (old.has(path) && next.has(path) && isDeepStrictEqual(old.get(path), next.get(path))) return []
    const sides = { ...(old.has(path) && { before: old.get(path) }), ...(next.has(path) && { after: next.get(path) }) }
    return [{ path, ...sides }]
  })
}

/** Objects value by value; lists, and objects with nothing in them, as one. */
function leavesOf(values: Values, prefix = ''): Map<string, unknown> {
  const leaves = Object.entries(values).flatMap(([key, value]): [string, unknown][] => {
    const path = `${prefix}${key}`
    if (value === undefined) return []
    const isBranch = typeof value === 'object' && value !== null && !Array.isArray(value)
    if (!isBranch || Object.keys(value).length === 0) return [[path, value]]
    return [...leavesOf(value as Values, `${path}.`)]
  })
  return new Map(leaves)
}

/** Of two lists: does what both have stand in another order? */
function isReordered(before: readonly string[], after: readonly string[]): boolean {
  const [here, there] = [new Set(before), new Set(after)]
  return !isDeepStrictEqual(
    before.filter((item) => there.has(item)),
    after.filter((item) => here.has(item)),
  )
}
