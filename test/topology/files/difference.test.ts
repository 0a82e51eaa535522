import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  differenceOf,
  emptyGraph,
  graphOfDocument,
  graphOfPlan,
  isSame,
} from '../../../runtime/topology/files/difference.ts'
import { compilePlan } from '../../../runtime/topology/compile.ts'
import type { TopologyDocument } from '../../../runtime/topology/schema.ts'
import { custom, documentOf, start } from '../samples.ts'
import { documents } from './arbitrary.ts'

const between = (before: TopologyDocument, after: TopologyDocument) =>
  differenceOf(graphOfDocument(before), graphOfDocument(after))

const before = documentOf([start, custom('a', { retry: { attempts: 5 } }), custom('b')], 'begin>a', 'a>b')

test('nodes and edges that come and go are named, with all that a node says', () => {
  const after = documentOf(
    [start, custom('a', { retry: { attempts: 5 } }), custom('c', { prefetch: 3 })],
    'begin>a',
    'a>c',
  )
  expect(between(before, after)).toEqual({
    values: [],
    nodes: [
      {
        name: 'b',
        change: 'removed',
        values: [
          { path: 'type', before: 'custom' },
          { path: 'worker', before: 'shop' },
        ],
      },
      {
        name: 'c',
        change: 'added',
        values: [
          { path: 'type', after: 'custom' },
          { path: 'worker', after: 'shop' },
          { path: 'prefetch', after: 3 },
        ],
      },
    ],
    edges: [
      { from: 'a', to: 'b', change: 'removed' },
      { from: 'a', to: 'c', change: 'added' },
    ],
    reordered: [],
  })
})

test('values are told one by one, those of objects by their path; null is a value, and what is left out is none', () => {
  const after = {
    ...documentOf(
      [start, custom('a', { retry: { maxAgeMs: null }, settings: { page: { size: 2 } } }), custom('b')],
      'begin>a',
      'a>b',
    ),
    labels: { team: 'shop' },
  }
  expect(between(before, after)).toEqual({
    values: [{ path: 'labels.team', after: 'shop' }],
    nodes: [
      {
        name: 'a',
        change: 'changed',
        values: [
          { path: 'retry.attempts', before: 5 },
          { path: 'retry.maxAgeMs', after: null },
          { path: 'settings.page.size', after: 2 },
        ],
      },
    ],
    edges: [],
    reordered: [],
  })
})

test('another order of nodes or edges is a difference, since followers go by it', () => {
  const turned = { ...before, nodes: [...before.nodes].reverse(), edges: [...before.edges].reverse() }
  expect(between(before, turned)).toEqual({ values: [], nodes: [], edges: [], reordered: ['nodes', 'edges'] })
})

/** As it comes out of the database, which keeps no order of keys. */
function turned<T>(value: T): T {
  if (Array.isArray(value)) return value.map(turned) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, turned(inner)]),
  ) as T
}

test('a node that comes or goes is told in the words and the order of a document, without what nobody has to write', () => {
  const node = custom('c', {
    retry: { attempts: 3 },
    settings: { a: 1 },
    emit: 'chunks=5',
    service: 's',
    limitCost: 3,
    uses: 'total',
  })
  const plan = (document: TopologyDocument) =>
    compilePlan({
      topologyId: 't',
      revision: 1,
      document,
      nodeIds: new Map(document.nodes.map(({ name }) => [name, name])),
      stored: new Map(),
    })
  const after = plan(documentOf([start, custom('d'), node]))
  const said = (added: ReturnType<typeof differenceOf>) =>
    added.nodes.map(({ name, values }) => [name, ...values.map(({ path }) => path)])
  const expected = [
    ['begin', 'type'],
    ['d', 'type', 'worker'],
    ['c', 'type', 'worker', 'uses', 'service', 'limitCost', 'retry.attempts', 'settings.a', 'emit'],
  ]
  expect(said(differenceOf(emptyGraph, graphOfPlan(after)))).toEqual(expected)
  expect(said(differenceOf(emptyGraph, graphOfPlan(turned(after))))).toEqual(expected)
  expect(differenceOf(graphOfPlan(after), graphOfPlan(turned(after)))).toMatchObject({ values: [], nodes: [] })
  const lanes = { ...after.nodes[2]!, generation: 2, past: [] }
  expect(
    isSame(differenceOf(graphOfPlan(after), graphOfPlan({ ...after, nodes: [...after.nodes.slice(0, 2), lanes] }))),
  ).toBe(true)
})

test('plans are compared by the names of their nodes, with the values in force', () => {
  const plan = (document: TopologyDocument, prefix: string) =>
    compilePlan({
      topologyId: 't',
      revision: 1,
      document,
      nodeIds: new Map(document.nodes.map(({ name }) => [name, prefix + name])),
      stored: new Map(),
    })
  const after = documentOf([start, custom('a', { prefetch: 4, retry: { attempts: 5 } }), custom('b')], 'begin>a', 'a>b')
  const difference = differenceOf(graphOfPlan(plan(before, 'x')), graphOfPlan(plan(after, 'y')))
  expect(difference).toEqual({
    values: [],
    nodes: [{ name: 'a', change: 'changed', values: [{ path: 'prefetch', before: 1, after: 4 }] }],
    edges: [],
    reordered: [],
  })
})

test('a document differs from itself in nothing, and from nothing in all of it', () => {
  fc.assert(
    fc.property(documents, (document) => {
      expect(isSame(between(document, structuredClone(document)))).toBe(true)
      const { nodes } = differenceOf(emptyGraph, graphOfDocument(document))
      expect(nodes.map(({ name, change }) => [name, change])).toEqual(document.nodes.map(({ name }) => [name, 'added']))
    }),
  )
})

test('what is added one way is removed the other way', () => {
  const turned = { added: 'removed', removed: 'added', changed: 'changed' } as const
  fc.assert(
    fc.property(documents, documents, (one, other) => {
      const [there, back] = [between(one, other), between(other, one)]
      const kinds = (list: typeof there.nodes) => list.map(({ name, change }) => `${name} ${change}`).sort()
      expect(kinds(back.nodes)).toEqual(kinds(there.nodes.map((node) => ({ ...node, change: turned[node.change] }))))
      expect(isSame(there)).toBe(isSame(back))
    }),
  )
})
