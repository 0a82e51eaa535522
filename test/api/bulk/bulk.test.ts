import { expect, test } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { bulk, control, failed, outcomes, until } from './flow.ts'

const all = { topology: 'orders' }

test('a bulk replays what was open when it was made, each message once, and its run is finished', async () => {
  const world = await failed(12)
  world.takes(() => true)
  const made = await bulk(world, { action: 'replay', filter: all, reason: 'mended' })
  expect(made).toMatchObject({
    state: 'running',
    step: 'first',
    canary: { first: 1, five: 5 },
    messages: { total: 12, waiting: 12 },
  })
  control(world)
  const done = await until(world, made.id, ({ state }) => state === 'finished')
  expect(done.messages).toMatchObject({ total: 12, done: 12, waiting: 0, underWay: 0, failedAgain: 0 })
  expect(world.called().sort()).toEqual(Array.from({ length: 12 }, (_, n) => `{"n":${n}}`).sort())
  const { messages } = await eventually('the run is finished', async () => {
    const { body } = await world.t.get(`/api/runs/${world.run}`)
    return body.state === 'finished' && body
  })
  expect(messages).toMatchObject({ done: 12, failed: 0 })
  expect((await outcomes(world, made.id))[0]).toMatchObject({ position: 1, outcome: 'done', why: null, againId: null })
})

test('the set is fixed when a bulk is made: what fails later does not join', async () => {
  const world = await failed(3)
  const made = await bulk(world, { action: 'replay', filter: all })
  control(world)
  const done = await until(world, made.id, ({ state }) => state === 'finished')
  expect(done).toMatchObject({ canary: null, messages: { total: 3, failedAgain: 3, done: 0 } })
  const [first] = await outcomes(world, made.id)
  expect(first).toMatchObject({
    outcome: 'failedAgain',
    error: { title: expect.stringMatching(/^Order \{"n":\d\} not wanted$/) as string },
  })
  const again = await world.t.get(`/api/trash/${String(first?.againId)}`)
  expect(again.body).toMatchObject({
    state: 'open',
    body: { n: expect.any(Number) as number },
    messageId: expect.any(String) as string,
  })
  expect(world.called()).toHaveLength(3)
})

test('a canary stops at the first failure, and goes on with it again when it is resumed: one, five, then ever more', async () => {
  const world = await failed(40)
  const made = await bulk(world, { action: 'replay', filter: all })
  control(world)
  const stopped = await until(world, made.id, ({ state }) => state === 'stopped')
  expect(stopped).toMatchObject({
    messages: { waiting: 39, failedAgain: 1, underWay: 0 },
    stoppedBecause: 'the first message failed again; most often (1×): 422 order {#:#} not wanted',
  })
  expect(world.called()).toHaveLength(1)
  world.takes(() => true)
  const resumed = await world.t.post(`/api/trash/bulk/${made.id}/resume`)
  expect(resumed.body).toMatchObject({ state: 'running', step: 'first', stoppedBecause: null })
  const done = await until(world, made.id, ({ state }) => state === 'finished')
  expect(done).toMatchObject({ step: 'ramp', messages: { total: 40, done: 39, failedAgain: 1 } })
  expect(world.called()).toHaveLength(40)
})

test('a bulk stops when more messages fail again than it was told, and says as what', async () => {
  const world = await failed(40)
  world.takes((body) => (JSON.parse(body) as { n: number }).n % 2 === 0)
  const made = await bulk(world, {
    action: 'replay',
    filter: all,
    canary: { first: 1, five: 8 },
    stopAtFailedPercent: 40,
  })
  control(world)
  const stopped = await until(world, made.id, ({ state, messages }) => state === 'stopped' && messages.underWay === 0)
  expect(stopped.stoppedBecause).toMatch(
    /messages failed again, more than 40 %; most often .*422 order \{#:#\} not wanted/,
  )
  expect(stopped.messages.waiting).toBeGreaterThan(20)
  await eventually('the others are open', async () => {
    const { body } = await world.t.get('/api/trash?state=open&limit=500')
    return body.items.length === 40 - (stopped.messages.done ?? 0)
  })
})

test('a bulk is paused, resumed and cancelled; what it has not sent stays open', async () => {
  const world = await failed(30)
  world.takes(() => true)
  const made = await bulk(world, { action: 'replay', filter: all, canary: false, ratePerSecond: 10 })
  control(world)
  const path = `/api/trash/bulk/${made.id}`
  await until(world, made.id, ({ messages }) => (messages.done ?? 0) > 0)
  const paused = await world.t.post(`${path}/pause`)
  expect(paused.body).toMatchObject({ state: 'paused' })
  expect((await world.t.post(`${path}/pause`)).status).toBe(200)
  const stale = { headers: { 'if-match': '"1"' } }
  expect((await world.t.send('POST', `${path}/cancel`, stale)).status).toBe(412)
  const still = await until(world, made.id, ({ messages }) => messages.underWay === 0)
  await world.t.post(`${path}/resume`)
  await until(world, made.id, ({ messages }) => (messages.done ?? 0) > (still.messages.done ?? 0))
  const cancelled = await world.t.send('POST', `${path}/cancel`, {
    headers: { 'if-match': (await world.t.get(path)).headers.get('etag') ?? '' },
  })
  expect(cancelled.body).toMatchObject({ state: 'cancelled' })
  const over = await until(world, made.id, ({ finishedAt }) => finishedAt !== null)
  const { done = 0, cancelled: left = 0 } = over.messages
  expect([done + left, over.messages.waiting]).toEqual([30, 0])
  await eventually(
    'what was sent is recorded',
    async () => (await world.t.get('/api/trash?state=open&limit=500')).body.items.length === left,
  )
  expect((await world.t.get(`${path}/messages?outcome=cancelled&limit=500`)).body.items).toHaveLength(left)
  expect(world.called()).toHaveLength(done)
  for (const wish of ['pause', 'resume']) expect((await world.t.post(`${path}/${wish}`)).status).toBe(409)
})

test('two bulks of the same set, carried out by two controls, send each message once: of the other it is refused', async () => {
  const world = await failed(60)
  world.takes(() => true)
  const ask = { action: 'replay', filter: all, canary: false }
  const [one, two] = await Promise.all([bulk(world, ask), bulk(world, ask)])
  control(world)
  control(world)
  const ends = await Promise.all([one, two].map(({ id }) => until(world, id, ({ state }) => state === 'finished')))
  const sum = (what: string) => ends.reduce((all, { messages }) => all + (messages[what] ?? 0), 0)
  expect([sum('done'), sum('refused'), sum('total')]).toEqual([60, 60, 120])
  expect(new Set(world.called()).size).toBe(60)
  expect(world.called()).toHaveLength(60)
  const refused = (await Promise.all([one, two].map(({ id }) => outcomes(world, id))))
    .flat()
    .filter(({ why }) => why !== null)
  expect(refused[0]?.why).toMatch(/^it (was|is) replayed( by bulk .*)? already$/)
})

test('a control that closes in the middle leaves a bulk that another one carries on', async () => {
  const world = await failed(60)
  world.takes(() => true)
  const first = control(world)
  const { id } = await bulk(world, { action: 'replay', filter: all, canary: false, ratePerSecond: 40 })
  await until(world, id, ({ messages }) => (messages.done ?? 0) > 5)
  await first.close()
  control(world)
  expect((await until(world, id, ({ state }) => state === 'finished')).messages).toMatchObject({ done: 60 })
  expect(world.called()).toHaveLength(60)
})
