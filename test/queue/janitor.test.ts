import { expect, test } from 'vitest'
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
  expect(janitor.reportOf(engine.plan.topologyId)).toMatchObject({ bytes: 0, oldestAt: null, heldBack: null })
})

test('nothing is compacted that the recorder has not written down, and the report says so', async () => {
  const { engine } = await flow(nodes, () => ({ status: 204 }))
  await engine.start('1')
  await engine.outcomesUntil(isDrained)
  const janitor = janitorOf(engine)
  await compacting(engine, janitor, { recorded: 0 })
  expect((await rangeOf(engine)).first).toBe(1)
  const heldBack = janitor.reportOf(engine.plan.topologyId)?.heldBack
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
    return janitor.reportOf(engine.plan.topologyId)?.heldBack?.nodeId === engine.id('b')
  })
  expect(await subjectsOf(engine, waiting)).toHaveLength(2)
  expect(janitor.reportOf(engine.plan.topologyId)?.heldBack?.since).toBeInstanceOf(Date)
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
