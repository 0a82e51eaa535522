import { expect, test } from 'vitest'
import { bottleneckOf, figuresOf, flowsOf, sumOf } from '../../console/src/pages/topology/figures.ts'
import type { Figures, Sources } from '../../console/src/pages/topology/figures.ts'
import type { Node, Queue, TrashGroup, Worker } from '../../runtime/client/openapi.d.ts'

const node = (id: string, more: Partial<Node> = {}): Node =>
  ({ id, paused: false, breaker: null, worker: 'w', prefetch: 4, published: { prefetch: 2 }, ...more }) as Node
const queue = (nodeId: string, more: Partial<Queue> = {}): Queue =>
  ({ nodeId, pending: 5, inFlight: 1, delayed: 0, replies: 0, ratePerSecond: 1, oldestMs: null, ...more }) as Queue
const waiting = (limit: number, retry: number, breaker = 0) => ({ limit, retry, breaker }) as Queue['waiting']
const unread: Sources = {
  ...{ nodes: [node('a')], queues: undefined, depths: null, failures: undefined, workers: undefined },
}
const figuresOfA = (more: Partial<Sources>): Figures | undefined => figuresOf({ ...unread, ...more }).get('a')

test('what nobody told yet isn’t known; what was told to be empty is zero', () => {
  const unknown = { waiting: null, inFlight: null, openTrash: null, ratePerSecond: null, worker: null }
  expect(figuresOfA({})).toMatchObject(unknown)
  expect(figuresOfA({ queues: [], failures: [] })).toMatchObject({ ...unknown, openTrash: 0 })
  expect(figuresOfA({ depths: {} })).toMatchObject({ waiting: 0, inFlight: 0, openTrash: null })
})

test('events count before what was asked for, and what is delayed or to be split waits, too', () => {
  const queues = [queue('a', { delayed: 3, replies: 2 })]
  expect(figuresOfA({ queues })).toMatchObject({ waiting: 10, inFlight: 1, delayed: 3, replies: 2 })
  const depths = { a: { pending: 1, inFlight: 2, replies: 0 } }
  expect(figuresOfA({ queues, depths })).toMatchObject({ waiting: 4, inFlight: 2, replies: 0, ratePerSecond: 1 })
})

test('failures of all kinds are counted, and instances that can be called', () => {
  const failures = [1, 2].map((count) => ({ nodeId: 'a', count }) as TrashGroup)
  const instances = ['closed', 'open', 'unusable', 'ramping'].map((state) => ({ state }))
  const workers = [{ name: 'w', instances } as unknown as Worker]
  expect(figuresOfA({ failures, workers })).toMatchObject({ openTrash: 3, worker: { usable: 2, instances: 4 } })
})

test.each([
  ['nothing holds it up', {}, {}, null],
  ['all places are taken', {}, { inFlight: 2 }, 'at its prefetch'],
  ['all places are taken, and nothing waits', {}, { inFlight: 2, pending: 0 }, null],
  ['it is paused', { paused: true }, { waiting: waiting(9, 9, 9) }, 'paused'],
  ['its breaker is open', { breaker: {} }, { waiting: waiting(9, 9) }, 'calls fail'],
  ['messages wait for a breaker', {}, { waiting: waiting(9, 9, 1) }, 'calls fail'],
  ['most wait for a limit', {}, { waiting: waiting(2, 1) }, 'limit'],
  ['most are tried again', {}, { waiting: waiting(1, 2) }, 'retry'],
] as const)('for what most of its messages wait: %s', (_, ofNode, ofQueue, why) => {
  const nodes = [node('a', ofNode as Partial<Node>)]
  expect(figuresOfA({ nodes, queues: [queue('a', ofQueue)] })?.why).toBe(why)
})

const own = (waiting: number | null, ratePerSecond: number | null) => ({ waiting, ratePerSecond }) as Figures

test.each([
  ['the one that takes longest, not the one with most', { a: own(1_000, 100), b: own(100, 1) }, 'b'],
  ['none that is done soon', { a: own(1_000, 500) }, null],
  ['none with a few messages', { a: own(9, 0) }, null],
  ['one that does nothing', { a: own(10, 0), b: own(10, 1) }, 'a'],
  ['one of which no rate is known counts as one a second', { a: own(20, null), b: own(10, 1) }, 'a'],
  ['none of which nothing is known', { a: own(null, null) }, null],
] as const)('the bottleneck: %s', (_, figures, expected) => {
  expect(bottleneckOf(new Map(Object.entries(figures)))).toBe(expected)
})

test('a sum is not known while one of its figures isn’t', () => {
  expect(
    sumOf(
      new Map([
        ['a', own(1, 0)],
        ['b', own(2, 0)],
      ]),
      'waiting',
    ),
  ).toBe(3)
  expect(
    sumOf(
      new Map([
        ['a', own(1, 0)],
        ['b', own(null, 0)],
      ]),
      'waiting',
    ),
  ).toBe(null)
  expect(sumOf(new Map(), 'waiting')).toBe(0)
})

const joined = (id: string, ...followers: string[]) => ({ id, followers: followers.map((id) => ({ id, name: id })) })

test.each([
  ['both edges into a node by what their sources do', { a: 3, b: 1, c: 8 }, { 'a>c': 6, 'b>c': 2 }],
  ['none over the edge of an idle node', { a: 0, b: 1, c: 8 }, { 'a>c': 0, 'b>c': 8 }],
  ['none to a node that does nothing', { a: 3, b: 1, c: 0 }, { 'a>c': 0, 'b>c': 0 }],
  ['none while a queue is worked off that nothing comes into', { a: 0, b: 0, c: 8 }, { 'a>c': 0, 'b>c': 0 }],
  ['none that isn’t known', { a: null, b: 1, c: null }, { 'a>c': 0, 'b>c': 0 }],
])('what goes over edges: %s', (_, rates, expected) => {
  const figures = new Map(Object.entries(rates).map(([id, ratePerSecond]) => [id, { ratePerSecond }]))
  const flows = flowsOf([joined('a', 'c'), joined('b', 'c'), joined('c')] as Node[], figures)
  expect(Object.fromEntries(flows.map(({ source, target, perSecond }) => [`${source}>${target}`, perSecond]))).toEqual(
    expected,
  )
})
