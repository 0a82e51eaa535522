import { expect, test } from 'vitest'
import { sql } from 'drizzle-orm'
import { eventually } from '../support/eventually.ts'
import { due, fire, firingOf, openRecorded, publishedNode, runsOf, runsUntil } from './firing.ts'
import type { Run } from './firing.ts'
import { nodeOf, openApi } from './open.ts'
import { bridgeOf } from './running.ts'

const each = '* * * * * *'
const yearly = '0 0 1 1 *'
const ago = (ms: number): Date => new Date(Math.floor((Date.now() - ms) / 1000) * 1000)
const instants = (runs: readonly Run[]): number[] => runs.map(({ scheduledAt }) => Date.parse(scheduledAt ?? '')).sort()

test('three controls start one run for each firing, and none before its instant', async () => {
  const t = await openRecorded()
  await bridgeOf(t)
  await Promise.all([fire(t), fire(t), fire(t)])
  const { id } = await publishedNode(t, 'ticks', { cron: each, overlap: 'allow' })
  const runs = await runsUntil(t, 'ticks', (all) => all.length >= 3)
  const at = instants(runs)
  expect(at.map((ms) => ms - (at[0] ?? 0))).toEqual(at.map((_, index) => index * 1000))
  expect(runs.filter(({ scheduledAt, startedAt }) => Date.parse(startedAt) < Date.parse(scheduledAt ?? ''))).toEqual([])
  const { nextAt, lastAt, lastRunId } = await firingOf(t, id)
  expect(Date.parse(nextAt ?? '')).toBeGreaterThan(Date.parse(lastAt ?? ''))
  expect((await runsOf(t, 'ticks')).map((run) => run.id)).toContain(lastRunId)
})

test('a firing while a run is going on is skipped, and the node shows why', async () => {
  const t = await openRecorded()
  await fire(t)
  const { id } = await publishedNode(t, 'ticks', { cron: each })
  const shown = await eventually('a firing is skipped', async () => {
    const firing = await firingOf(t, id)
    return firing.skipped > 0 && firing
  })
  const [run, ...others] = await runsOf(t, 'ticks')
  expect(others).toEqual([])
  expect(shown.lastRunId).toBe(run?.id)
  expect(shown.lastSkipped).toMatchObject({ runId: run?.id, reason: `the run ${run?.id} is still going on` })
  await bridgeOf(t)
  await runsUntil(t, 'ticks', (all) => all.length > 1)
})

test('with queue, firings and starts begin one after the other, in order', async () => {
  const t = await openRecorded()
  const { id } = await publishedNode(t, 'ticks', { cron: yearly, overlap: 'queue' })
  const first = (await t.post('/api/topologies/ticks/run', {})).body.runId
  await due(t, id, ago(1_000))
  await fire(t)
  await runsUntil(t, 'ticks', (all) => all.some(({ queued, scheduledAt }) => queued && scheduledAt !== null))
  const third = await t.post('/api/topologies/ticks/run', { key: 'third' })
  expect(third.status).toBe(202)
  expect((await t.post('/api/topologies/ticks/run', { key: 'third' })).body.runId).toBe(third.body.runId)
  const waiting = await runsOf(t, 'ticks')
  expect(waiting.map(({ state, queued }) => [state, queued])).toEqual([
    ['running', true],
    ['running', true],
    ['running', false],
  ])
  expect((await t.get(`/api/nodes/${id}`)).body).toMatchObject({ queued: 2, overlap: 'queue' })
  await bridgeOf(t)
  const ended = await runsUntil(t, 'ticks', (all) => all.every(({ state }) => state === 'finished'))
  const inOrder = ended.toSorted((a, b) => (a.startedAt < b.startedAt ? -1 : 1)).map((run) => run.id)
  expect([inOrder[0], inOrder[2]]).toEqual([first, third.body.runId])
})

test('a queued run that is cancelled never begins', async () => {
  const t = await openRecorded()
  await fire(t)
  await publishedNode(t, 'ticks', { type: 'start', overlap: 'queue' })
  await t.post('/api/topologies/ticks/run', { body: 1 })
  const { runId } = (await t.post('/api/topologies/ticks/run', { body: 2 })).body
  const answer = await t.post(`/api/runs/${runId}/cancel`)
  expect([answer.status, answer.body]).toMatchObject([202, { state: 'cancelled' }])
  expect((await t.get(`/api/runs/${runId}`)).body).toMatchObject({
    state: 'cancelled',
    queued: false,
    messages: { total: 1, cancelled: 1 },
  })
  await bridgeOf(t)
  const ended = await runsUntil(t, 'ticks', (all) => all.every(({ state }) => state !== 'running'))
  expect(ended.map(({ state }) => state)).toEqual(['cancelled', 'finished'])
})

test('a start with skip is a 409 that names the run that is going on, but for force', async () => {
  const t = await openRecorded()
  await publishedNode(t, 'ticks', { type: 'start', overlap: 'skip' })
  const { runId } = (await t.post('/api/topologies/ticks/run', { key: 'a' })).body
  const refused = await t.post('/api/topologies/ticks/run', { key: 'b' })
  expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining(runId)])
  expect((await t.post('/api/topologies/ticks/run', { key: 'a' })).body.runId).toBe(runId)
  expect((await t.post('/start/ticks/tick?force=true')).status).toBe(202)
  expect((await t.post('/start/ticks/tick')).status).toBe(409)
  const split = await t.send('POST', '/start/ticks/tick?split=records', {
    raw: '1\n',
    headers: { 'content-type': 'application/x-ndjson' },
  })
  for (const { body } of [refused, split])
    expect(body.detail).toMatch(
      /^the run \w+ is still going on, .* has overlap: skip(, where a body can not wait in a line)?; wait for its end, cancel it, or start with force$/,
    )
  await bridgeOf(t)
  await runsUntil(t, 'ticks', (all) => all.every(({ state }) => state === 'finished'))
  expect((await t.post('/api/topologies/ticks/run', { key: 'b' })).status).toBe(202)
})

test('a start that was written down and never sent, since its control died, is sent by another one', async () => {
  const t = await openRecorded()
  await bridgeOf(t)
  const { id } = await publishedNode(t, 'ticks', { cron: yearly })
  await t.store.query((db) =>
    db.execute(sql`
      insert into runs (id, topology_id, topology_name, node_id, node_name, start_seen, started_at, start_state, start_state_at, start_body)
      select 'r1', topology_id, 'ticks', id, name, false, now(), 'unsent', now() - interval '2 seconds', '' from nodes where id = ${id}`),
  )
  await Promise.all([fire(t), fire(t)])
  const [run] = await runsUntil(t, 'ticks', (all) => all.every(({ state }) => state === 'finished'))
  expect((await t.get(`/api/runs/${run?.id}`)).body).toMatchObject({ id: 'r1', messages: { total: 1, done: 1 } })
})

test.each([
  ['once', 1],
  ['skip', 0],
])('of firings that were missed for over a minute, %s makes %i run', async (missed, count) => {
  const t = await openRecorded()
  await bridgeOf(t)
  const { id } = await publishedNode(t, 'ticks', { cron: '0 * * * * *', missed, overlap: 'allow' })
  await due(t, id, new Date(Math.floor(Date.now() / 60_000) * 60_000 - 3 * 3_600_000))
  await fire(t)
  const runs = await runsUntil(t, 'ticks', (all) => all.length >= count)
  expect(runs.filter(({ scheduledAt }) => Date.now() - Date.parse(scheduledAt ?? '') > 70_000)).toEqual([])
  const shown = await firingOf(t, id)
  expect(Date.parse(shown.nextAt ?? '')).toBeGreaterThan(Date.now() - 1_000)
  if (missed === 'skip') expect(shown.lastSkipped?.reason).toMatch(/^missed: nobody could start it/)
})

test('an outage of less than a minute is made up for, firing by firing', async () => {
  const t = await openRecorded()
  await bridgeOf(t)
  const { id } = await publishedNode(t, 'ticks', { cron: '*/10 * * * * *', missed: 'skip', overlap: 'allow' })
  await due(t, id, new Date(Math.floor(Date.now() / 10_000) * 10_000 - 30_000))
  await fire(t)
  expect(instants(await runsUntil(t, 'ticks', (all) => all.length >= 4))).toHaveLength(4)
})

test('what is disabled fires no more, and nothing of that time is made up for', async () => {
  const t = await openRecorded()
  await fire(t)
  const { id } = await publishedNode(t, 'ticks', { cron: each, overlap: 'allow' })
  await runsUntil(t, 'ticks', (all) => all.length > 0)
  await t.send('PATCH', `/api/nodes/${id}`, { json: { enabled: false } })
  const before = (await runsOf(t, 'ticks')).length
  expect((await firingOf(t, id)).nextAt).toBeNull()
  await due(t, id, ago(30_000))
  await eventually('the time is passed over', async () => {
    const [gate] = await t.store.query((db) =>
      db.execute<{ passed: boolean }>(sql`select next_at > now() as passed from gates where node_id = ${id}`),
    )
    return gate?.passed === true
  })
  expect(await runsOf(t, 'ticks')).toHaveLength(before)
  await t.send('PATCH', `/api/nodes/${id}`, { json: { enabled: true } })
  const runs = await runsUntil(t, 'ticks', (all) => all.length > before)
  expect(runs.every(({ scheduledAt }) => Date.now() - Date.parse(scheduledAt ?? '') < 10_000)).toBe(true)
})

test('a changed schedule is in force from the republish on, and an unpublished one fires no more', async () => {
  const t = await openApi()
  const { id } = await publishedNode(t, 'ticks', { cron: '0 6 * * *', timezone: 'Europe/Prague' })
  const before = await firingOf(t, id)
  const change = { cron: '0 0 1 1 *', timezone: 'Asia/Tokyo', overlap: 'queue', missed: 'skip' }
  const patched = await t.send('PATCH', `/api/nodes/${id}`, { json: change })
  expect(patched.body).toMatchObject({ ...change, firing: before, published: { cron: '0 6 * * *', overlap: 'skip' } })
  await t.post('/api/topologies/ticks/republish')
  const after = await nodeOf(t, 'ticks', 'tick')
  expect(after).toMatchObject({
    published: change,
    firing: { nextAt: expect.stringMatching(/-12-31T15:00:00.000Z$/) as string },
  })
  await t.post('/api/topologies/ticks/unpublish')
  expect((await firingOf(t, id)).nextAt).toBeNull()
})

test('a schedule that stays as it is goes on over a publish', async () => {
  const t = await openApi()
  const { id } = await publishedNode(t, 'ticks', { cron: '@every 90m' })
  const before = await firingOf(t, id)
  await t.send('PATCH', '/api/topologies/ticks', { json: { description: 'more' } })
  await t.send('PATCH', `/api/nodes/${id}`, { json: { overlap: 'allow' } })
  await t.post('/api/topologies/ticks/republish')
  expect(await firingOf(t, id)).toEqual(before)
})

test('what a firing sends is told in docs/topology.md', async () => {
  const t = await openRecorded()
  const { id } = await publishedNode(t, 'ticks', { cron: yearly })
  await publishedNode(t, 'fixed', {
    cron: yearly,
    message: { body: { full: true }, headers: { 'x-by': 'cron' }, tenant: 'acme' },
  })
  const fixed = await nodeOf(t, 'fixed', 'tick')
  const at = ago(2_000)
  for (const node of [id, fixed.id]) await due(t, node, at)
  await fire(t)
  const [run] = await runsUntil(t, 'ticks', (all) => all.length === 1)
  const [other] = await runsUntil(t, 'fixed', (all) => all.length === 1)
  const stored = async (run?: Run) => {
    const [row] = await t.store.query((db) =>
      db.execute<{ body: string; headers: object; tenant: string | null }>(sql`
        select convert_from(start_body, 'UTF8') as body, start_headers as headers, tenant from runs where id = ${run?.id}`),
    )
    return { ...row, body: JSON.parse(row?.body ?? '') as unknown }
  }
  const scheduledAt = at.toISOString()
  expect(await stored(run)).toEqual({
    body: { topology: 'ticks', node: 'tick', scheduledAt, firedAt: expect.any(String) as string, missedSince: null },
    headers: { 'x-scheduled-at': scheduledAt },
    tenant: null,
  })
  expect(await stored(other)).toEqual({
    body: { full: true },
    headers: { 'x-by': 'cron', 'x-scheduled-at': scheduledAt },
    tenant: 'acme',
  })
})

test('at most a hundred runs wait: a start more is a 429, and a firing more is skipped', async () => {
  const t = await openRecorded()
  const { id } = await publishedNode(t, 'ticks', { cron: yearly, overlap: 'queue' })
  const statuses = []
  for (let n = 0; n < 102; n++) statuses.push((await t.post('/api/topologies/ticks/run', {})).status)
  expect(statuses).toEqual([...Array<number>(101).fill(202), 429])
  await due(t, id, ago(1_000))
  await fire(t)
  await eventually('it is skipped', async () => (await firingOf(t, id)).skipped === 1)
  await t.post('/api/topologies/ticks/unpublish?discard=true')
  expect((await runsOf(t, 'ticks')).filter(({ state }) => state === 'cancelled')).toHaveLength(100)
})

test('who watches hears of runs that are queued, by a start or a firing, and that a discard cancels', async () => {
  const t = await openApi()
  const { id, topologyId } = await publishedNode(t, 'ticks', { cron: yearly, overlap: 'queue' })
  const heard: string[] = []
  const stopping = new AbortController()
  const reading = (async () => {
    for await (const { event } of t.queues.events.read({ after: null, topologyId, signal: stopping.signal }))
      heard.push(event?.kind === 'run' ? `${event.runId} ${event.state}` : (event?.kind ?? 'hello'))
  })()
  await eventually('it reads', () => heard.length > 0)
  await t.post('/api/topologies/ticks/run', {})
  const { runId } = (await t.post('/api/topologies/ticks/run', {})).body
  await eventually('the start is heard of', () => heard.includes(`${runId} running`))
  await due(t, id, ago(1_000))
  await fire(t)
  const fired = (await runsUntil(t, 'ticks', (all) => all.length === 3)).find(({ scheduledAt }) => scheduledAt !== null)
  await eventually('the firing is heard of', () => heard.includes(`${fired?.id} running`))
  await t.post('/api/topologies/ticks/unpublish?discard=true')
  await eventually('the end is heard of', () => [runId, fired?.id].every((run) => heard.includes(`${run} cancelled`)))
  stopping.abort()
  await reading
})

test('a node whose runs wait is not published away', async () => {
  const t = await openRecorded()
  await publishedNode(t, 'ticks', { type: 'start', overlap: 'queue' })
  for (const body of [1, 2]) await t.post('/api/topologies/ticks/run', { body })
  const other = { name: 'ticks', nodes: [{ name: 'other', type: 'start' }], edges: [] }
  await t.send('PUT', '/api/topologies/ticks', { json: other })
  const refused = await t.post('/api/topologies/ticks/publish')
  expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining('tick (2)')])
  expect((await t.send('DELETE', '/api/topologies/ticks')).status).toBe(409)
})
