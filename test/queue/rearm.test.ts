import { headers } from '@nats-io/transport-node'
import { expect, test } from 'vitest'
import { startEngine } from '../support/engine.ts'
import type { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { closing, flow } from '../bridge/flow.ts'
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

/** Schedules into an event node's queue, where nobody takes what they fire. */
async function cron(engine: TestEngine, pattern: string): Promise<void> {
  const prefix = `sluice.${engine.plan.topologyId}`
  const own = headers()
  own.set('Nats-Schedule', pattern)
  own.set('Nats-Schedule-Target', `${prefix}.cron.event.${engine.id('start')}`)
  await engine.queues.connection.js.publish(`${prefix}.cron.${engine.id('start')}`, 'body', { headers: own })
}

const cronSequence = async (engine: TestEngine): Promise<number> => {
  const subject = `sluice.${engine.plan.topologyId}.cron.${engine.id('start')}`
  const message = await engine.queues.connection.jsm.direct.getMessage(`SLUICE_${engine.plan.topologyId}`, {
    last_by_subj: subject,
  })
  return message?.seq ?? 0
}

test('a repeating schedule is moved on after it has fired, and goes on firing', async () => {
  const engine = await startEngine([{ name: 'a' }])
  closing.push(engine)
  await cron(engine, '@every 1s')
  const janitor = janitorOf(engine)
  // Not before its first firing: it would count its second anew.
  await compacting(engine, janitor)
  expect(await cronSequence(engine)).toBe(1)
  const fired = async (): Promise<number> => (await rangeOf(engine)).last
  await eventually('it has moved on', async () => {
    await compacting(engine, janitor)
    return (await cronSequence(engine)) > 1
  })
  const before = await fired()
  await eventually('it fires again', async () => (await fired()) > before)
})

test('a schedule that can not be moved now holds the mark', async () => {
  const engine = await startEngine([{ name: 'a' }])
  closing.push(engine)
  await cron(engine, '@every 24h')
  await engine.start('1')
  await compacting(engine, janitorOf(engine))
  expect((await rangeOf(engine)).first).toBe(1)
  expect(await cronSequence(engine)).toBe(1)
})
