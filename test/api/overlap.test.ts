import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { runIdOf } from '../../runtime/api/actions/keys.ts'
import { freePlaces } from '../../runtime/api/actions/upload/place.ts'
import { eventually } from '../support/eventually.ts'
import { due, fire, firingOf, openRecorded, publishedNode, runsOf, runsUntil } from './firing.ts'
import { openApi } from './open.ts'
import type { Answer, Body, TestApi } from './open.ts'
import { bridgeOf } from './running.ts'

const lined = (n: number): string => `{"n":${n}}\n`

/** A body that comes in until `end`, and is under way when this resolves. */
async function upload(
  t: TestApi,
  query = '',
): Promise<{ answer: Promise<Answer>; end: () => void; break: () => void }> {
  let sender: ReadableStreamDefaultController<Uint8Array> | null = null
  const raw = new ReadableStream<Uint8Array>({ start: (controller) => void (sender = controller) })
  const controller = sender as unknown as ReadableStreamDefaultController<Uint8Array>
  controller.enqueue(Buffer.from(lined(1)))
  const headers = { 'content-type': 'application/x-ndjson' }
  const before = (await running(t)).length
  const answer = t.send('POST', `/start/ticks/tick?split=records${query}`, { raw, headers })
  await Promise.race([answer, eventually('its run is shown', async () => (await running(t)).length > before)])
  return { answer, end: () => controller.close(), break: () => controller.error(new Error('the client died')) }
}

const run = (t: TestApi, json = {}) => t.post('/api/topologies/ticks/run', json)
const running = async (t: TestApi) => (await runsOf(t, 'ticks')).filter(({ state }) => state === 'running')

/** A run of the node that has ended. */
async function endedRun(t: TestApi, { id, topologyId }: Body): Promise<void> {
  await t.store.query((db) =>
    db.execute(sql`
      insert into runs (id, topology_id, topology_name, node_id, node_name, start_seen, state, started_at, finished_at, start_content_type, start_body)
      values ('old', ${topologyId}, 'ticks', ${id}, 'tick', true, 'finished', now(), now(), 'text/plain', 'x')`),
  )
}

test('nothing begins beside a body from when it is taken in, before any of it is stored: no start, firing, rerun or other body', async () => {
  const t = await openApi()
  const node = await publishedNode(t, 'ticks', { overlap: 'skip', cron: '0 0 1 1 *' })
  await endedRun(t, node)
  const body = await upload(t)
  const id = (await running(t))[0]?.id ?? ''
  for (const other of [await run(t), await t.post('/api/runs/old/rerun', {}), await (await upload(t)).answer])
    expect(other).toMatchObject({ status: 409, body: { detail: expect.stringContaining(id) as string } })
  await due(t, node.id, new Date(Date.now() - 1_000))
  await fire(t)
  await eventually('the firing is skipped', async () => (await firingOf(t, node.id)).lastSkipped?.runId === id)
  body.end()
  expect(await body.answer).toMatchObject({ status: 202, body: { runId: id, records: 1 } })
  expect(await running(t)).toHaveLength(1)
  expect((await run(t)).status).toBe(409)
})

test('a body is not taken in beside another run, but with force, and its run is one that others do not begin beside', async () => {
  const t = await openRecorded()
  await publishedNode(t, 'ticks', { type: 'start', overlap: 'queue' })
  expect((await run(t)).status).toBe(202)
  expect((await (await upload(t)).answer).body.detail).toMatch(
    /has overlap: queue, where a body can not wait in a line; .* or start with force$/,
  )
  expect(await running(t)).toHaveLength(1)
  const body = await upload(t, '&force=true')
  await t.store.query((db) =>
    db.execute("update runs set state = 'finished' where start_state is distinct from 'receiving'"),
  )
  const { runId } = (await run(t)).body
  expect((await t.get(`/api/runs/${runId}`)).body).toMatchObject({ queued: true })
  body.end()
  expect((await body.answer).status).toBe(202)
})

test('a body of which nothing was stored leaves its place, whether its sender goes or its control dies', async () => {
  const t = await openApi()
  await publishedNode(t, 'ticks', { type: 'start', overlap: 'skip' })
  const headers = { 'content-type': 'text/html' }
  expect((await t.send('POST', '/start/ticks/tick?split=records', { raw: 'x', headers })).status).toBe(415)
  const gone = await upload(t)
  gone.break()
  await gone.answer
  expect(await running(t)).toEqual([])

  const killed = await upload(t)
  const deps = { store: t.store, queues: t.queues.control }
  await freePlaces(deps)
  expect((await run(t)).status).toBe(409)
  await t.store.query((db) => db.execute("update runs set start_state_at = start_state_at - interval '6 minutes'"))
  await freePlaces(deps)
  expect(await running(t)).toEqual([])
  expect((await run(t)).status).toBe(202)
  // It lived after all.
  killed.end()
  expect((await killed.answer).status).toBe(409)
})

test('a place is kept while the recorder is behind: something of its body may be stored', async () => {
  const t = await openApi()
  await publishedNode(t, 'ticks', { type: 'start', overlap: 'skip' })
  const body = await upload(t)
  body.end()
  expect((await body.answer).status).toBe(202)
  await t.store.query((db) => db.execute("update runs set start_state_at = start_state_at - interval '6 minutes'"))
  await freePlaces({ store: t.store, queues: t.queues.control })
  expect(await running(t)).toHaveLength(1)
})

test('of two reruns of a node that skips the second is refused, also before the first one is recorded, and so is a start', async () => {
  const t = await openApi()
  await endedRun(t, await publishedNode(t, 'ticks', { type: 'start', overlap: 'skip' }))
  const again = () => t.post('/api/runs/old/rerun', {})
  const statuses = [await again(), await again(), await run(t)].map(({ status }) => status)
  expect(statuses).toEqual([202, 409, 409])
  expect(await running(t)).toMatchObject([{ rerunOf: 'old' }])
})

test('a rerun of a node that queues waits in the line, and begins when no run goes on', async () => {
  const t = await openRecorded()
  await endedRun(t, await publishedNode(t, 'ticks', { type: 'start', overlap: 'queue' }))
  const first = (await run(t)).body.runId
  const rerun = await t.send('POST', '/api/runs/old/rerun', { json: {}, headers: { 'idempotency-key': 'k' } })
  expect(rerun.status).toBe(202)
  expect((await t.get(`/api/runs/${rerun.body.runId}`)).body).toMatchObject({ queued: true, rerunOf: 'old' })
  await fire(t)
  await bridgeOf(t)
  const runs = await runsUntil(t, 'ticks', (all) => all.length === 3 && all.every(({ state }) => state === 'finished'))
  const startOf = (id: string) => Date.parse(runs.find((each) => each.id === id)?.startedAt ?? '')
  expect(startOf(rerun.body.runId)).toBeGreaterThanOrEqual(startOf(first))
  const again = await t.send('POST', '/api/runs/old/rerun', { json: {}, headers: { 'idempotency-key': 'k' } })
  expect(again.body.runId).toBe(rerun.body.runId)
})

test('no key that a client sends takes the place of a rerun', async () => {
  const t = await openRecorded()
  const node = await publishedNode(t, 'ticks', { type: 'start' })
  await endedRun(t, node)
  const headers = { 'idempotency-key': 'k' }
  const taken = (await run(t, { key: 'rerun:old:k' })).body.runId
  expect(taken).toBe(runIdOf(node.topologyId, node.id, 'rerun:old:k'))
  const { runId } = (await t.send('POST', '/api/runs/old/rerun', { json: {}, headers })).body
  expect(runId).not.toBe(taken)
  await runsUntil(t, 'ticks', (all) => all.length === 3)
  for (const key of ['\u0000rerun:old:k', '\u0000']) expect((await run(t, { key })).status).toBe(400)
})
