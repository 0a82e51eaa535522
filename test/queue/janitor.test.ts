import { expect, test } from 'vitest'
import { openFloors } from '../../runtime/queue/janitor/floors.ts'
import { openHistory } from '../../runtime/queue/janitor/history.ts'
import { streamName } from '../../runtime/queue/names.ts'
import { isDrained } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { compacting, janitorOf, rangeOf, schedulesOf, subjectsOf } from './compact.ts'
import { echo, flow } from '../bridge/flow.ts'

const nodes = [
  { name: 'a', prefetch: 5, retry: { attempts: 2, backoff: 'fixed', baseMs: 3_600_000, maxMs: 3_600_000 } } as const,
]

test('what is settled and recorded is compacted, up to the end of the stream', async () => {
  const { engine } = await flow(nodes, () => ({ status: 204 }))
  for (let n = 0; n < 5; n++) await engine.start(String(n))
  await engine.outcomesUntil((all) => isDrained(all) && all.length === 10)
  const { last } = await rangeOf(engine)
  const janitor = janitorOf(engine)
  await eventually('the stream is empty', async () => {
    await compacting(engine, janitor)
    return (await rangeOf(engine)).first > last
  })
  expect(janitor.reports().get(engine.plan.topologyId)).toMatchObject({ bytes: 0, oldestAt: null, heldBack: null })
})

test('nothing is compacted that the recorder has not written down, and the report says so', async () => {
  const { engine } = await flow(nodes, () => ({ status: 204 }))
  await engine.start('1')
  await engine.outcomesUntil(isDrained)
  const janitor = janitorOf(engine)
  await compacting(engine, janitor, { recorded: 0 })
  expect((await rangeOf(engine)).first).toBe(1)
  const heldBack = janitor.reports().get(engine.plan.topologyId)?.heldBack
  expect(heldBack?.nodeId).toBeNull()
  expect(heldBack?.since).toBeInstanceOf(Date)
})

test('nothing is compacted that is younger than the history window', async () => {
  const { engine } = await flow(nodes, () => ({ status: 204 }))
  await engine.start('1')
  await engine.outcomesUntil(isDrained)
  const janitor = janitorOf(engine, { windowMs: 60_000, leastWindowMs: 60_000 })
  await compacting(engine, janitor)
  await compacting(engine, janitor)
  expect((await rangeOf(engine)).first).toBe(1)
})

test('a stream over its bytes keeps no more than the least window', async () => {
  const { engine } = await flow(nodes, () => ({ status: 204 }))
  await engine.start('1')
  await engine.outcomesUntil(isDrained)
  const { last } = await rangeOf(engine)
  const janitor = janitorOf(engine, { windowMs: 60_000, leastWindowMs: 0, maxBytes: 1 })
  await eventually('the stream is empty', async () => {
    await compacting(engine, janitor)
    return (await rangeOf(engine)).first > last
  })
})

test('a message that waits holds the mark below it, and the report names its node', async () => {
  const { engine } = await flow([{ name: 'a' }, { name: 'b' }], (request) =>
    request.node === 'a' ? echo(request) : { status: 429 },
  )
  const janitor = janitorOf(engine)
  const waiting = `*.node.${engine.id('b')}.>`
  await engine.start('1')
  await engine.start('2')
  await eventually('both are before b', async () => (await subjectsOf(engine, waiting)).length === 2)
  await eventually('the report names b', async () => {
    await compacting(engine, janitor)
    return janitor.reports().get(engine.plan.topologyId)?.heldBack?.nodeId === engine.id('b')
  })
  expect(await subjectsOf(engine, waiting)).toHaveLength(2)
  expect(janitor.reports().get(engine.plan.topologyId)?.heldBack?.since).toBeInstanceOf(Date)
  expect((await rangeOf(engine)).first).toBeGreaterThan(1)
})

test('a delayed message is moved on and the stream is compacted past it; it comes when it is due', async () => {
  const retry = { attempts: 5, backoff: 'fixed', baseMs: 1_500, maxMs: 1_500 } as const
  const { engine, worker } = await flow([{ name: 'a', prefetch: 5, retry }], (_, nth) => ({
    status: nth === 1 ? 503 : 204,
  }))
  await engine.start('1')
  await eventually('the message is delayed', async () => (await schedulesOf(engine)).length === 1)
  const janitor = janitorOf(engine)
  const moved = await eventually('the schedule is at the end, alone', async () => {
    await compacting(engine, janitor)
    const { first, last } = await rangeOf(engine)
    return first === last && last > 3 ? last : false
  })
  expect(moved).toBeGreaterThan(3)
  await engine.outcomesUntil((all) => all.some(({ kind }) => kind === 'ended'))
  expect(worker.seen).toHaveLength(2)
})

test('a replay stays until its record is recorded: until then the row looks open, and only the replay guards it', async () => {
  const { engine } = await flow([{ name: 'a' }], (_, nth) => ({ status: nth === 1 ? 422 : 204 }))
  const run = await engine.start('1')
  const [, trashed] = await engine.outcomesUntil((all) => all.some(({ kind }) => kind === 'trashed'))
  if (trashed?.kind !== 'trashed') throw new Error('nothing in Trash')
  const { last: recorded } = await rangeOf(engine)
  const replay = { topologyId: engine.plan.topologyId, nodeId: trashed.nodeId, trashId: trashed.trashId, run }
  await engine.queues.control.replay({ ...replay, message: trashed.message, edited: false, body: trashed.body })
  await engine.outcomesUntil((all) => all.some(({ kind }) => kind === 'ended'))
  const janitor = janitorOf(engine, { maxBytes: 1 })
  for (let round = 0; round < 3; round++) await compacting(engine, janitor, { recorded })
  expect(await subjectsOf(engine, '*.reply.*')).toHaveLength(1)
  await eventually('the stream is empty', async () => {
    await compacting(engine, janitor)
    return (await subjectsOf(engine, '>')).length === 0
  })
})

test('what waits again, because its reader forgot, is found again', async () => {
  const { engine } = await flow(nodes, () => ({ status: 204 }))
  await engine.start('1')
  await engine.outcomesUntil(isDrained)
  const { topologyId } = engine.plan
  const floors = openFloors(engine.queues.connection, topologyId, streamName(topologyId))
  const filter = `sluice.${topologyId}.*.node.>`
  const { last } = await rangeOf(engine)
  const input = (await floors.firstAfter(filter, 0, last))?.seq ?? 0
  expect(input).toBeGreaterThan(0)
  expect(await floors.firstAfter(filter, input, last)).toBeNull()
  expect((await floors.firstAfter(filter, input - 1, last))?.seq).toBe(input)
})

test('only rounds count of which everything that followed was stored before the first unrecorded outcome', () => {
  const history = openHistory(0)
  for (const last of [10, 20, 30]) history.add({ last, floor: last - 1, bounds: new Map() })
  const floorOf = (unrecorded: number) => history.recorded(unrecorded)?.floor ?? null
  expect([Infinity, 31, 25, 20, 5].map(floorOf)).toEqual([29, 19, 9, null, null])
})
