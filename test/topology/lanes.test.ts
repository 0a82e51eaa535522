import { describe, expect, test } from 'vitest'
import { checkDocument } from '../../runtime/topology/check.ts'
import { compilePlan } from '../../runtime/topology/compile.ts'
import { parseDocument } from '../../runtime/topology/document.ts'
import { carryGenerations } from '../../runtime/topology/lanes/generations.ts'
import { parsePartitionKey } from '../../runtime/topology/lanes/partition-key.ts'
import type { Plan, WorkerNode } from '../../runtime/topology/plan.ts'
import type { DocumentNode } from '../../runtime/topology/schema.ts'
import { custom, documentOf, known, start } from './samples.ts'

describe('a partition key', () => {
  test.each([
    ['/customer/id', { kind: 'pointer', tokens: ['customer', 'id'] }],
    ['/a~1b/m~0n/~01', { kind: 'pointer', tokens: ['a/b', 'm~n', '~1'] }],
    ['/', { kind: 'pointer', tokens: [''] }],
    ['/items/0', { kind: 'pointer', tokens: ['items', '0'] }],
    ['header:x-customer', { kind: 'header', name: 'x-customer' }],
    ['Header:X-Customer', { kind: 'header', name: 'x-customer' }],
  ])('%s names a place', (text, place) => {
    expect(parsePartitionKey(text)).toEqual(place)
  })

  test.each([
    '',
    'customer',
    '#/a',
    '/a~2',
    '/a~',
    'header:',
    'header:x-',
    'header:tenant',
    'header:x-a b',
    'header:/x',
  ])('%j names none, and a document with it is refused', (text) => {
    expect(parsePartitionKey(text)).toBeNull()
    const document = documentOf([start, custom('a', { partitionKey: text })], 'begin>a')
    const { faults } = parseDocument(JSON.stringify(document), 'orders.json')
    expect(faults).toMatchObject([{ path: 'nodes[1].partitionKey' }])
    expect(faults[0]?.message).toContain('expected a JSON pointer into the body such as /customer/id')
  })
})

test.each([0, 65, -1, 1.5, '4', null])('partitions %j is refused', (partitions) => {
  const document = documentOf([start, custom('a', { partitions } as Partial<DocumentNode>)], 'begin>a')
  expect(parseDocument(JSON.stringify(document), 'x').faults).toMatchObject([{ path: 'nodes[1].partitions' }])
})

test('a partition key without partitions can be published, and decides nothing', () => {
  const document = documentOf([start, custom('a', { partitionKey: '/id', prefetch: 5 })], 'begin>a')
  expect(checkDocument(document, known)).toEqual([])
})

test('only worker nodes have partitions', () => {
  const document = documentOf([{ ...start, partitions: 2, partitionKey: '/a' }])
  const paths = checkDocument(document, known).map(({ path }) => path)
  expect(paths).toEqual(['nodes[0].partitions', 'nodes[0].partitionKey'])
})

test('a worker may say where the key is; its prefetch is not for a node with partitions', () => {
  const defaults = new Map([['a', { prefetch: 5, partitionKey: '/id' }]])
  expect(nodeOf(compiled(1, { partitions: 4 }, defaults))).toMatchObject({ prefetch: 1, partitionKey: '/id' })
  expect(nodeOf(compiled(1, { partitions: 4, partitionKey: '/x' }, defaults))).toMatchObject({ partitionKey: '/x' })
  expect(nodeOf(compiled(1, {}, defaults))).toMatchObject({ prefetch: 5, partitions: 1 })
})

const at = '2026-01-01T00:00:00.000Z'

function compiled(revision: number, fields: Partial<DocumentNode>, defaults = new Map()): Plan {
  const document = documentOf([start, custom('a', fields)], 'begin>a')
  const nodeIds = new Map(['begin', 'a'].map((name) => [name, `id-${name}`]))
  return compilePlan({ topologyId: 't1', revision, document, nodeIds, stored: new Map(), defaults })
}

const nodeOf = (plan: Plan): WorkerNode => plan.nodes[1] as WorkerNode

/** The plans that follow when these values are published one after the other. */
function published(...values: Partial<DocumentNode>[]): WorkerNode {
  let before: Plan | null = null
  for (const [index, fields] of values.entries()) before = carryGenerations(compiled(index + 1, fields), before, at)
  return nodeOf(before as Plan)
}

describe('a new plan', () => {
  test('keeps the lanes while partitions and key are the same, whatever else changes', () => {
    const fields = { partitions: 4, partitionKey: '/id' }
    expect(published(fields, { ...fields, timeoutMs: 500 })).toMatchObject({ generation: 0, past: [] })
    expect(published({ prefetch: 5 }, { prefetch: 1 }, { prefetch: 9 })).toMatchObject({ generation: 0, past: [] })
    expect(published({ partitionKey: '/a' }, { partitionKey: '/b' })).toMatchObject({ generation: 0, past: [] })
  })

  test('makes a new generation for another number of partitions or another key, and remembers the one before', () => {
    const node = published({ prefetch: 5 }, { partitions: 4 }, { partitions: 4, partitionKey: '/id' }, {})
    expect(node).toMatchObject({ generation: 4, partitions: 1, partitionKey: null })
    expect(node.past).toEqual([
      { generation: 0, partitions: 1, partitionKey: null, prefetch: 5, retiredAt: at },
      { generation: 2, partitions: 4, partitionKey: null, prefetch: 1, retiredAt: at },
      { generation: 3, partitions: 4, partitionKey: '/id', prefetch: 1, retiredAt: at },
    ])
  })

  test('gives a node that comes back lanes that it never had', () => {
    const first = compiled(1, {})
    const without = { ...first, revision: 2, nodes: first.nodes.slice(0, 1) }
    expect(nodeOf(carryGenerations(compiled(3, {}), without, at))).toMatchObject({ generation: 3, past: [] })
  })
})
