import { expect, test } from 'vitest'
import { isDrained } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { echo, fast, flow, records } from './flow.ts'
import { expectInOrder, itemOf, items } from './items.ts'

test('lanes keep the order per key through failures and delays, and never call more than one message each', async () => {
  const { engine, worker } = await flow(
    [
      { name: 'list', type: 'batch' },
      { name: 'store', partitions: 4, partitionKey: '/customer', retry: fast },
    ],
    (request, nth) => {
      if (request.node === 'list') return records(items(120, 12))
      const { n } = itemOf(request)
      return { status: n % 7 === 3 && nth < 3 ? 503 : 204, afterMs: n % 5 }
    },
  )
  await engine.start('{}')
  await engine.outcomesUntil(isDrained)
  expectInOrder(worker.seen, 'store', 120)
  expect(worker.mostOpen).toBeLessThanOrEqual(4)
})

test('lanes run side by side: what waits in one does not hold the others', async () => {
  let release = (): void => undefined
  const gate = new Promise<void>((resolve) => (release = resolve))
  const { engine, worker } = await flow(
    [
      { name: 'list', type: 'batch' },
      { name: 'store', partitions: 8, partitionKey: '/customer' },
    ],
    async (request) => {
      if (request.node === 'list') return records(items(80, 40))
      await gate
      return { status: 204 }
    },
  )
  await engine.start('{}')
  await eventually('every lane that has a key is at the worker', () => worker.open === 8)
  release()
  await engine.outcomesUntil(isDrained)
  expectInOrder(worker.seen, 'store', 80)
  expect(worker.mostOpen).toBe(8)
})

test.each([
  ['a header', 'header:x-customer'],
  ['the key that a worker set', undefined],
])('the key of a lane may be %s', async (_, partitionKey) => {
  const { engine, worker } = await flow(
    [
      { name: 'list', type: 'batch' },
      { name: 'tag', prefetch: 1 },
      { name: 'store', partitions: 3, ...(partitionKey !== undefined && { partitionKey }), retry: fast },
    ],
    (request, nth) => {
      if (request.node === 'list') return records(items(30, 6))
      const { customer, n } = itemOf(request)
      if (request.node === 'store') return { status: n % 4 === 1 && nth < 2 ? 500 : 204 }
      const name = partitionKey === undefined ? 'ce-partitionkey' : 'x-customer'
      return { headers: { 'content-type': 'application/json', [name]: customer }, body: request.body }
    },
  )
  await engine.start('{}')
  await engine.outcomesUntil(isDrained)
  expectInOrder(worker.seen, 'store', 30)
  const told = worker.seen.filter(({ node }) => node === 'store').map((one) => one.headers['ce-partitionkey'])
  expect(new Set(told)).toEqual(new Set(['c0', 'c1', 'c2', 'c3', 'c4', 'c5']))
})

test('a batch node with partitions reads the pages of each message in order', async () => {
  const { engine, worker } = await flow(
    [{ name: 'list', type: 'batch', partitions: 4, partitionKey: '/customer' }],
    (request) => {
      const page = Number(request.headers['sluice-page'])
      return records([], page < 4 ? String(page + 1) : undefined)
    },
  )
  for (const { customer } of items(6, 6)) await engine.start(JSON.stringify({ customer }))
  await engine.outcomesUntil((all) => isDrained(all) && all.filter(({ kind }) => kind === 'started').length === 6)
  expect(worker.seen).toHaveLength(30)
  for (const { customer } of items(6, 6)) {
    const own = worker.seen.filter((one) => itemOf(one).customer === customer)
    expect(own.map(({ headers }) => headers['sluice-page'])).toEqual(['0', '1', '2', '3', '4'])
  }
})

test('what a lane forwards does not overtake what it split before, while other lanes split too', async () => {
  const store = { name: 'store', partitions: 4, partitionKey: '/customer' }
  const { engine, worker } = await flow(
    [{ name: 'list', type: 'batch' }, { ...store, name: 'fan' }, store],
    (request) => {
      if (request.node === 'list') return records(items(60, 12))
      if (request.node === 'store') return { status: 204 }
      const { customer, n } = itemOf(request)
      // Customers split and forward by turns.
      return Math.floor(n / 12) % 2 === 0
        ? records([0, 0.1, 0.2].map((part) => ({ customer, n: n + part })))
        : echo(request)
    },
  )
  await engine.start('{}')
  await engine.outcomesUntil(isDrained)
  expectInOrder(worker.seen, 'store', 36 * 3 + 24)
})
