import { expect, test } from 'vitest'
import { newId } from '../../runtime/ids.ts'
import type { Outcome } from '../../runtime/protocol/outcome.ts'
import { hasten } from '../../runtime/queue/look/later.ts'
import { laterTail, streamName, tailFilter } from '../../runtime/queue/names.ts'
import { isDrained } from '../support/engine.ts'
import type { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { fast, flow, records, withoutBridge } from './flow.ts'

const ends = (outcomes: readonly Outcome[]) => outcomes.filter((outcome) => outcome.kind === 'ended')
const cancelledOf = (outcomes: readonly Outcome[]) => ends(outcomes).filter(({ cancelled }) => cancelled).length
const cancel = (engine: TestEngine, run: string) => engine.queues.control.cancel(engine.plan.topologyId, run)
const ten = Array.from({ length: 10 }, (_, n) => n)

/** A worker's answer that comes when the test says so. */
function held() {
  let release = (): void => undefined
  const released = new Promise<void>((resolve) => (release = resolve))
  return { released, release }
}

test('what waits behind a call settles as cancelled without one, and so does what the call would have forwarded', async () => {
  const call = held()
  const { engine, worker } = await flow(
    [{ name: 'list', type: 'batch' }, { name: 'a' }, { name: 'b' }],
    async (request) => {
      if (request.node === 'list') return records(ten)
      await call.released
      return { body: request.body }
    },
  )
  const run = await engine.start('{}')
  await eventually('the first call is open', () => worker.seen.some(({ node }) => node === 'a'))
  await cancel(engine, run)
  await eventually('bridges had the time to know', () =>
    engine.queues.control.isCancelling(engine.plan.topologyId, run),
  )
  call.release()
  const outcomes = await engine.outcomesUntil(isDrained)
  expect(cancelledOf(outcomes)).toBe(10)
  expect(worker.seen.map(({ node }) => node)).toEqual(['list', 'a'])
})

test('what a call ended before it was cancelled stays done, and other runs flow on', async () => {
  const call = held()
  const { engine, worker } = await flow([{ name: 'a', prefetch: 2 }], async ({ body }) => {
    if (body === '"slow"') await call.released
    return { status: 204 }
  })
  const slow = await engine.start('"slow"')
  await eventually('the call is open', () => worker.seen.length === 1)
  await cancel(engine, slow)
  await engine.start('"other"')
  await eventually('the other run is called', () => worker.seen.length === 2)
  call.release()
  const outcomes = await engine.outcomesUntil((all) => isDrained(all) && ends(all).length === 2)
  expect(cancelledOf(outcomes)).toBe(0)
})

test.each([
  ['asked to wait', { status: 429, headers: { 'retry-after': '600' } }, {}],
  [
    'tried again in place',
    { status: 500 },
    { retry: { ...fast, baseMs: 600_000, maxMs: 600_000 }, inPlaceMaxMs: 3_600_000 },
  ],
])('a message that is held since it was %s wakes up and settles as cancelled', async (_, answer, policy) => {
  const { engine, worker } = await flow([{ name: 'a', ...policy }], () => answer)
  const run = await engine.start('1')
  await eventually('it was called', () => worker.seen.length === 1 && worker.open === 0)
  await cancel(engine, run)
  expect(cancelledOf(await engine.outcomesUntil(isDrained))).toBe(1)
  expect(worker.seen).toHaveLength(1)
})

test('at a paused node messages of a cancelled run settle, held or queued', async () => {
  const { engine, worker } = await flow([{ name: 'list', type: 'batch' }, { name: 'a' }], () => records(ten))
  await engine.queues.control.setPaused(engine.id('a'), 'for the test')
  const run = await engine.start('{}')
  const depth = async () =>
    (await engine.queues.control.depths(engine.plan)).find(({ nodeId }) => nodeId === engine.id('a'))
  await eventually(
    'one is held, nine wait',
    async () => (await depth())?.inFlight === 1 && (await depth())?.pending === 9,
  )
  await cancel(engine, run)
  expect(cancelledOf(await engine.outcomesUntil(isDrained))).toBe(10)
  expect(worker.seen.map(({ node }) => node)).toEqual(['list'])
})

test('bridges that were away when it happened see it when they come', async () => {
  const { engine, worker } = await withoutBridge([{ name: 'a', prefetch: 5 }], () => ({ status: 204 }))
  const run = await engine.start('1')
  await cancel(engine, run)
  await Promise.all([engine.openBridge(), engine.openBridge()])
  const [, end] = await engine.outcomesUntil(isDrained)
  expect(end).toMatchObject({ kind: 'ended', cancelled: true, nodeId: engine.id('start') })
  expect(worker.seen).toHaveLength(0)
})

test('of two bridges neither calls for a cancelled run, and each message settles once', async () => {
  const { engine, worker } = await flow(
    [{ name: 'list', type: 'batch' }, { name: 'a', prefetch: 4 }, { name: 'b' }],
    (request) =>
      request.node === 'list' ? records(Array.from({ length: 300 }, (_, n) => n)) : { body: request.body, afterMs: 5 },
  )
  await engine.openBridge()
  const run = await engine.start('{}')
  await eventually('it flows', () => worker.seen.length > 20)
  await cancel(engine, run)
  const outcomes = await engine.outcomesUntil(isDrained)
  expect(ends(outcomes)).toHaveLength(300)
  expect(cancelledOf(outcomes)).toBeGreaterThan(200)
  expect(worker.seen.length).toBeLessThan(200)
})

test('a reply that waits for room settles as cancelled whole', async () => {
  const { engine } = await withoutBridge([{ name: 'list', type: 'batch' }, { name: 'a' }], ({ node, body }) =>
    node === 'list' ? records(ten) : { body },
  )
  await engine.openBridge({ highWater: 5 })
  await engine.queues.control.setPaused(engine.id('a'), 'for the test')
  const first = await engine.start('{}')
  const replies = async (count: number) =>
    (await engine.queues.control.depths(engine.plan)).some(
      (depth) => depth.replies === count && depth.nodeId === engine.id('list'),
    )
  await engine.outcomesUntil((all) => all.some(({ kind }) => kind === 'split'))
  const second = await engine.start('{}')
  await eventually('the second reply waits', () => replies(1))
  await cancel(engine, second)
  const outcomes = await engine.outcomesUntil((all) => cancelledOf(all) === 1)
  expect(outcomes.filter(({ kind }) => kind === 'split')).toMatchObject([{ run: first }])
})

test('a message that is delayed for an hour is due at once, and settles as cancelled', async () => {
  const retry = { ...fast, baseMs: 3_600_000, maxMs: 3_600_000 }
  const { engine, worker } = await flow([{ name: 'a', prefetch: 2, retry }], () => ({ status: 500 }))
  const [run] = [await engine.start('1'), await engine.start('2')]
  const { topologyId } = engine.plan
  const delayed = async () =>
    (
      await engine.queues.connection.jsm.streams.info(streamName(topologyId), {
        subjects_filter: tailFilter(topologyId, laterTail),
      })
    ).state.subjects ?? {}
  await eventually('both are delayed', async () => Object.keys(await delayed()).length === 2)
  await cancel(engine, run)
  expect(await hasten(engine.queues, topologyId, (one) => one.run === run)).toBe(1)
  const outcomes = await engine.outcomesUntil((all) => ends(all).length === 1)
  expect(ends(outcomes)).toMatchObject([{ run, cancelled: true }])
  expect(Object.keys(await delayed())).toHaveLength(1)
  expect(worker.seen).toHaveLength(2)
})

test('everything of a topology can be cancelled at once, until that is over', async () => {
  const { engine, worker } = await flow([{ name: 'a' }], () => ({ status: 204 }))
  const { topologyId } = engine.plan
  await engine.queues.control.setPaused(engine.id('a'), 'for the test')
  for (const body of ['1', '2', '3']) await engine.start(body)
  await engine.queues.control.cancel(topologyId, null)
  await engine.outcomesUntil((all) => cancelledOf(all) === 3)
  await engine.queues.control.endCancel(topologyId, null)
  await engine.queues.control.setPaused(engine.id('a'), null)
  const run = newId()
  await engine.start('4', { run })
  const outcomes = await engine.outcomesUntil((all) => ends(all).length === 4)
  expect(ends(outcomes).at(-1)).toMatchObject({ run, cancelled: false })
  expect(worker.seen).toHaveLength(1)
})
