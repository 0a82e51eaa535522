import { afterEach, expect, test } from 'vitest'
import { openJanitor } from '../../runtime/queue/janitor.ts'
import { streamName } from '../../runtime/queue/names.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { isDrained, startEngine } from '../support/engine.ts'
import type { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { fakeWorker } from '../support/fake-worker.ts'

const closing: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of closing.splice(0).reverse()) await one.close()
})

async function drainedEngine(status: (body: string) => number): Promise<TestEngine> {
  const worker = await fakeWorker((request) => ({ status: status(request.body) }))
  closing.push(worker)
  const engine = await startEngine([
    { name: 'a', prefetch: 5, retry: { attempts: 2, backoff: 'fixed', baseMs: 3_600_000, maxMs: 3_600_000 } },
  ])
  closing.push(engine)
  await engine.setWorker(worker.url)
  await engine.openBridge()
  return engine
}

const first = async (engine: TestEngine): Promise<{ first: number; last: number }> => {
  const { state } = await engine.queues.connection.jsm.streams.info(streamName(engine.plan.topologyId))
  return { first: state.first_seq, last: state.last_seq }
}

test('what is settled and recorded is compacted, up to the end of the stream', async () => {
  const engine = await drainedEngine(() => 204)
  for (let n = 0; n < 5; n++) await engine.start(String(n))
  await engine.outcomesUntil((all) => isDrained(all) && all.length === 10)
  const janitor = openJanitor(engine.queues.connection, 0, silentLog)
  const { last } = await first(engine)
  await eventually(
    'all is acked',
    async () =>
      (await janitor.compact({ topologyId: engine.plan.topologyId, recorded: last })) === last ||
      (await first(engine)).first > last,
  )
  expect(await first(engine)).toEqual({ first: last + 1, last })
})

test('nothing is compacted that the recorder has not written down', async () => {
  const engine = await drainedEngine(() => 204)
  await engine.start('1')
  await engine.outcomesUntil(isDrained)
  await openJanitor(engine.queues.connection, 0, silentLog).compact({ topologyId: engine.plan.topologyId, recorded: 0 })
  expect((await first(engine)).first).toBe(1)
})

test('nothing is compacted that is younger than the history window', async () => {
  const engine = await drainedEngine(() => 204)
  await engine.start('1')
  await engine.outcomesUntil(isDrained)
  const janitor = openJanitor(engine.queues.connection, 60_000, silentLog)
  const { last } = await first(engine)
  await janitor.compact({ topologyId: engine.plan.topologyId, recorded: last })
  await janitor.compact({ topologyId: engine.plan.topologyId, recorded: last })
  expect((await first(engine)).first).toBe(1)
})

test('a waiting message and a pending schedule hold the mark below them', async () => {
  const engine = await drainedEngine((body) => (body === '"later"' ? 503 : 204))
  await engine.start('"done"')
  await engine.outcomesUntil(isDrained)
  await engine.start('"later"')
  const schedules = async (): Promise<string[]> => {
    const info = await engine.queues.connection.jsm.streams.info(streamName(engine.plan.topologyId), {
      subjects_filter: `sluice.${engine.plan.topologyId}.*.later`,
    })
    return Object.keys(info.state.subjects ?? {})
  }
  await eventually('the message is delayed', async () => (await schedules()).length === 1)
  const { last } = await first(engine)
  const janitor = openJanitor(engine.queues.connection, 0, silentLog)
  await eventually('what is before the schedule is compacted', async () => {
    await janitor.compact({ topologyId: engine.plan.topologyId, recorded: last })
    return (await first(engine)).first > 1
  })
  expect((await first(engine)).first).toBeLessThanOrEqual(last)
  expect(await schedules()).toHaveLength(1)
})
