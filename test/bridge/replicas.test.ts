import { expect, test } from 'vitest'
import { isDrained } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { echo, fast, flow } from './flow.ts'

test('bridges that join and leave while messages flow make no call twice', async () => {
  const nodes = [
    { name: 'a', prefetch: 5 },
    { name: 'b', prefetch: 5 },
  ]
  const { engine, worker } = await flow(nodes, (request) => ({ ...echo(request), afterMs: 5 }))
  const count = 150
  const called = (calls: number) => eventually(`${calls} calls`, () => worker.seen.length >= calls)
  const first = await engine.openBridge()
  for (let n = 0; n < count; n++) await engine.start(String(n))
  await called(40)
  await first.close()
  await called(100)
  const second = await engine.openBridge()
  await called(180)
  await second.close()
  await engine.outcomesUntil((all) => isDrained(all) && all.filter(({ kind }) => kind === 'ended').length === count)
  const calls = worker.seen.map(({ headers }) => headers['idempotency-key'])
  expect(new Set(calls).size).toBe(2 * count)
  expect(calls).toHaveLength(2 * count)
})

test('a call that is made again has the idempotency key of the one before, whatever became of that', async () => {
  const ends = [{ status: 500 }, { fail: 'hang-up' as const }, { fail: 'never' as const }, { status: 204 }]
  const nodes = [{ name: 'a', timeoutMs: 100, prefetch: 3, retry: { ...fast, attempts: 5 } }]
  const { engine, worker } = await flow(nodes, (_, nth) => ends[nth - 1] ?? { status: 204 })
  await engine.start('1')
  await engine.outcomesUntil(isDrained)
  const keys = worker.seen.map(({ headers }) => headers['idempotency-key'])
  expect(keys).toHaveLength(ends.length)
  expect(new Set(keys).size).toBe(1)
})
