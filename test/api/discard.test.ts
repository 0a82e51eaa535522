import { expect, test } from 'vitest'
import { openSweep } from '../../runtime/api/api.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { eventually } from '../support/eventually.ts'
import { nodeOf, openApi, published } from './open.ts'
import type { TestApi } from './open.ts'
import { bridgeOf, callsOf, ended, orders, start } from './running.ts'

const cancelled = { total: 1, done: 0, failed: 0, discarded: 0, cancelled: 1, inProgress: 0 }
const retry = { attempts: 3, backoff: 'fixed', baseMs: 3_600_000, maxMs: 3_600_000 }

const unpublishAndDiscard = (t: TestApi) => t.post('/api/topologies/orders/unpublish?discard=true')

test('unpublish with discard settles what is held, delayed and paused as cancelled, then it is a draft like any other', async () => {
  const { t, worker } = await orders(() => ({ status: 500 }), { a: { prefetch: 2, retry } })
  await bridgeOf(t)
  const delayed = await start(t)
  await eventually('it was called', () => callsOf(worker).length === 1 && worker.open === 0)
  await t.send('PATCH', `/api/nodes/${(await nodeOf(t, 'orders', 'a')).id}`, { json: { paused: true } })
  const held = await start(t)
  const answer = await unpublishAndDiscard(t)
  expect(answer).toMatchObject({ status: 202, body: { visibility: 'draft', note: null } })
  expect((await t.post('/api/topologies/orders/run')).status).toBe(409)
  const refused = await t.post('/api/topologies/orders/publish')
  expect(refused).toMatchObject({ status: 409, body: { detail: expect.stringContaining('being cancelled') as string } })
  for (const run of [delayed, held])
    expect(await ended(t, run)).toMatchObject({ state: 'cancelled', messages: cancelled })
  await eventually('it is done', async () => (await unpublishAndDiscard(t)).status === 200)
  expect(callsOf(worker)).toHaveLength(1)
  expect((await t.post('/api/topologies/orders/publish')).status).toBe(200)
})

test('what an earlier unpublish kept is discarded too, and nobody is called for it', async () => {
  const { t, worker } = await orders(() => ({ status: 204 }))
  const run = await start(t)
  await t.post('/api/topologies/orders/unpublish')
  await bridgeOf(t)
  expect((await unpublishAndDiscard(t)).body).toMatchObject({ messagesLeft: 1 })
  expect(await ended(t, run)).toMatchObject({ state: 'cancelled', messages: cancelled })
  expect(callsOf(worker)).toHaveLength(0)
  await eventually('it is done', async () => (await unpublishAndDiscard(t)).status === 200)
})

test('a topology with messages on their way is deleted by force when they have settled; its runs stay', async () => {
  const { t } = await orders(() => ({ status: 429, headers: { 'retry-after': '3600' } }))
  const run = await start(t)
  const { id } = (await t.get('/api/topologies/orders')).body
  expect((await t.send('DELETE', '/api/topologies/orders')).status).toBe(409)
  expect((await t.send('DELETE', '/api/topologies/orders?force=true')).status).toBe(202)
  // Nobody settles anything yet: no bridge lives.
  expect((await t.get('/api/topologies/orders')).status).toBe(200)
  // That it is to be deleted isn't forgotten by a weaker wish.
  expect((await unpublishAndDiscard(t)).body).toMatchObject({ note: expect.stringContaining('no bridge') as string })
  await bridgeOf(t)
  await eventually('it is gone', async () => (await t.get('/api/topologies/orders')).status === 404)
  expect(await ended(t, run)).toMatchObject({ state: 'cancelled', messages: cancelled })
  await eventually('its stream is gone', async () => {
    expect(await t.queues.control.backlog(id)).toEqual({ messages: 0, bytes: 0 })
    expect(await t.queues.control.isCancelling(id, null)).toBe(false)
  })
  expect((await published(t, 'orders')).visibility).toBe('public')
})

test('another control finishes what one that died has begun, at whatever step that was', async () => {
  const t = await openApi()
  const { id } = await published(t, 'orders')
  const second = await published(t, 'others').catch(() => null)
  // Died before it wrote that the topology is a draft.
  await t.queues.control.discardAll(id, 'draft')
  // Died after the rows were deleted.
  const gone = second?.id ?? ''
  await t.post('/api/topologies/others/unpublish')
  expect((await t.send('DELETE', '/api/topologies/others')).status).toBe(204)
  await t.queues.control.discardAll(gone, 'delete')
  const sweep = openSweep({ store: t.store, queues: t.queues.control, events: t.queues.events, log: silentLog })
  await eventually('both are finished', async () => {
    expect(await t.queues.control.discards()).toEqual(new Map())
    expect((await t.get('/api/topologies/orders')).body.visibility).toBe('draft')
  })
  await sweep.close()
})

test('with nothing on its way discard changes nothing else than unpublish does', async () => {
  const t = await openApi()
  await published(t, 'orders')
  expect((await unpublishAndDiscard(t)).status).toBe(200)
  expect((await unpublishAndDiscard(t)).status).toBe(200)
  expect(await t.queues.control.discards()).toEqual(new Map())
})
