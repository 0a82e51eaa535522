import { expect, test } from 'vitest'
import { isDrained } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { echo, fast, flow, records, withoutBridge } from './flow.ts'

test('a node with prefetch 1 gets its messages in order, also through retries', async () => {
  const { engine, worker } = await flow(
    [
      { name: 'list', type: 'batch' },
      { name: 'store', retry: fast },
    ],
    (request, nth) => {
      if (request.node === 'list') return records(Array.from({ length: 30 }, (_, n) => n))
      return Number(request.body) % 7 === 3 && nth < 3 ? { status: 503 } : { status: 204 }
    },
  )
  await engine.start('{}')
  await engine.outcomesUntil(isDrained)
  const order = worker.seen.filter(({ node }) => node === 'store').map(({ body }) => Number(body))
  expect([...new Set(order)]).toEqual(Array.from({ length: 30 }, (_, n) => n))
  expect(order).toEqual([...order].sort((a, b) => a - b))
  expect(worker.mostOpen).toBe(1)
})

test('at most prefetch messages of a node are at workers, over two bridges', async () => {
  const { engine, worker } = await flow(
    [
      { name: 'list', type: 'batch' },
      { name: 'store', prefetch: 4 },
    ],
    (request) =>
      request.node === 'list' ? records(Array.from({ length: 60 }, (_, n) => n)) : { status: 204, afterMs: 5 },
  )
  await engine.openBridge()
  await engine.start('{}')
  await engine.outcomesUntil(isDrained)
  expect(worker.mostOpen).toBe(4)
})

test('what an ordered node forwards does not overtake what it split before', async () => {
  const { engine, worker } = await flow(
    [{ name: 'list', type: 'batch' }, { name: 'fan' }, { name: 'store' }],
    (request) => {
      if (request.node === 'list') return records(Array.from({ length: 20 }, (_, n) => n))
      const n = Number(request.body)
      if (request.node === 'fan' && n % 3 === 0) return records([n, n + 0.1, n + 0.2])
      return request.node === 'fan' ? echo(request) : { status: 204 }
    },
  )
  await engine.start('{}')
  await engine.outcomesUntil(isDrained)
  const order = worker.seen.filter(({ node }) => node === 'store').map(({ body }) => Number(body))
  expect(order).toHaveLength(34)
  expect(order).toEqual([...order].sort((a, b) => a - b))
})

test('a batch node is held back while its follower has more waiting than the high-water mark', async () => {
  let release = (): void => undefined
  const released = new Promise<void>((resolve) => (release = resolve))
  const { engine, worker } = await withoutBridge(
    [{ name: 'list', type: 'batch' }, { name: 'store' }],
    async (request) => {
      if (request.node === 'list')
        return records(
          [1, 2, 3, 4, 5],
          Number(request.headers['sluice-page']) < 9 ? String(request.headers['sluice-page']) : undefined,
        )
      await released
      return { status: 204 }
    },
  )
  await engine.openBridge({ highWater: 8 })
  await engine.start('{}')
  // Pages 0 and 1 are split (10 messages, over the mark), page 2 is read ahead and waits, page 3 isn't asked for.
  const pages = (): number => worker.seen.filter(({ node }) => node === 'list').length
  await eventually('page 2 is read ahead and the store is busy', () => pages() === 3 && worker.open === 1)
  const replies = async () =>
    (await engine.queues.control.depths(engine.plan)).find(({ nodeId }) => nodeId === engine.id('list'))?.replies
  await eventually('page 2 is not split', async () => (await replies()) === 1)
  expect(pages()).toBe(3)
  release()
  const outcomes = await engine.outcomesUntil(isDrained)
  expect(outcomes.filter(({ kind }) => kind === 'ended')).toHaveLength(50)
})
