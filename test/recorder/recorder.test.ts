import { expect, test } from 'vitest'
import { openRecorder } from '../../runtime/recorder/recorder.ts'
import type { EngineEvent, Numbered } from '../../runtime/queue/events.ts'
import { getRun } from '../../runtime/store/queries/runs.ts'
import { getTrash, listTrash } from '../../runtime/store/queries/trash.ts'
import type { Store } from '../../runtime/store/store.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { janitorOf } from '../queue/compact.ts'
import { isDrained } from '../support/engine.ts'
import type { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { closing, counters, flow } from './flow.ts'

const recorder = async (engine: TestEngine, store: Store, windowMs = 60_000): Promise<void> => {
  const janitor = janitorOf(engine, { windowMs, leastWindowMs: windowMs })
  closing.push(await openRecorder({ queues: engine.queues, store, janitor, compactEveryMs: 100, log: silentLog }))
}

test('a run is failed with exact counters when it has drained with something in Trash, and its rows are whole', async () => {
  const { engine, store } = await flow()
  await recorder(engine, store)
  const run = await engine.start('{"since":0}')
  await eventually('the run is failed', async () => (await getRun(store, run)).state === 'failed')
  expect(await getRun(store, run)).toMatchObject(counters)
  const rows = await listTrash(store, { runId: run }, 50, null)
  expect(rows).toHaveLength(4)
  const row = await getTrash(store, rows[0]?.id ?? '')
  expect(Number(Buffer.from(row.body).toString()) % 5).toBe(0)
  expect(row).toMatchObject({ state: 'open', nodeName: engine.id('store'), error: { status: 422 } })
})

test('two recorders count everything once', async () => {
  const { engine, store } = await flow()
  await recorder(engine, store)
  await recorder(engine, store)
  const runs = await Promise.all(Array.from({ length: 5 }, () => engine.start('{}')))
  for (const run of runs) {
    await eventually('the run is failed', async () => (await getRun(store, run)).state === 'failed')
    expect(await getRun(store, run)).toMatchObject(counters)
  }
})

test('messages flow without a recorder, and one that comes later catches up', async () => {
  const { engine, store } = await flow()
  const run = await engine.start('{}')
  await engine.outcomesUntil(isDrained)
  await recorder(engine, store)
  await eventually('the run is failed', async () => (await getRun(store, run)).state === 'failed')
  expect(await getRun(store, run)).toMatchObject(counters)
})

test('what is recorded and settled is compacted after the history window, and later runs count on exactly', async () => {
  const { engine, store } = await flow()
  await recorder(engine, store, 500)
  const first = await engine.start('{}')
  await eventually('the run is failed', async () => (await getRun(store, first)).state === 'failed')
  await eventually(
    'the stream is empty',
    async () =>
      (await engine.queues.connection.jsm.streams.info(`SLUICE_${engine.plan.topologyId}`)).state.messages === 0,
  )
  const second = await engine.start('{}')
  await eventually('the next run is failed', async () => (await getRun(store, second)).state === 'failed')
  expect(await getRun(store, second)).toMatchObject(counters)
})

test('who watches hears of a run that began and ended, and of its Trash', async () => {
  const { engine, store } = await flow()
  const gone = new AbortController()
  const events = engine.queues.events.read({ after: null, topologyId: engine.plan.topologyId, signal: gone.signal })
  await events.next()
  await recorder(engine, store)
  const runId = await engine.start('{"since":0}')
  const seen: (EngineEvent | null)[] = []
  while (!seen.some((event) => event?.kind === 'run' && event.state === 'failed')) {
    seen.push(((await events.next()).value as Numbered).event)
  }
  gone.abort()
  const topologyId = engine.plan.topologyId
  expect(seen[0]).toEqual({ kind: 'run', topologyId, runId, state: 'running' })
  const trashed = seen.flatMap((event) => (event?.kind === 'trash' ? [event.added[engine.id('store')] ?? 0] : []))
  expect(trashed.reduce((sum, count) => sum + count, 0)).toBe(4)
})
