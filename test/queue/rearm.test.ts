import { expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { flow } from '../bridge/flow.ts'
import { compacting, janitorOf, rangeOf } from './compact.ts'

test('delayed messages that are moved on by two controls while they fall due come exactly once', async () => {
  const retry = { attempts: 5, backoff: 'fixed', baseMs: 1_000, maxMs: 1_000 } as const
  // Every second message: if all failed, the node's breaker would hold them.
  const { engine, worker } = await flow([{ name: 'a', prefetch: 20, retry }], ({ body }, nth) => ({
    status: nth === 1 && Number(body) % 2 === 0 ? 503 : 204,
  }))
  const count = 100
  const calls = 1.5 * count
  for (let n = 0; n < count; n++) await engine.start(String(n))
  const janitors = [janitorOf(engine), janitorOf(engine)]
  const round = () => Promise.all(janitors.map((janitor) => compacting(engine, janitor)))
  await eventually('all came again', async () => {
    await round()
    return worker.seen.length >= calls
  })
  await eventually('the stream is empty', async () => {
    await round()
    const { first, last } = await rangeOf(engine)
    return first > last
  })
  // An arrival, its input, its end, and for half of them a delay and a return: what is above is that many times a schedule was moved on.
  expect((await rangeOf(engine)).last).toBeGreaterThan(4 * count)
  expect(worker.seen).toHaveLength(calls)
})
