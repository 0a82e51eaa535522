import { expect, test } from 'vitest'
import { beat, chain, nodeOf, openApi, published } from './open.ts'

test.each([1, 20])('prefetch %i is stored', async (prefetch) => {
  const t = await openApi()
  await t.post('/api/topologies', chain('orders'))
  const a = await nodeOf(t, 'orders', 'a')
  const answer = await t.send('PATCH', `/api/nodes/${a.id}`, { json: { prefetch } })
  expect(answer).toMatchObject({ status: 200, body: { id: a.id, prefetch } })
  expect((await t.get(`/api/nodes/${a.id}`)).body).toEqual(answer.body)
  expect((await t.get('/api/topologies/orders')).body).toMatchObject({ visibility: 'draft', bridgeOutOfSync: true })
})

test.each([0, 21, -1, 1.5, '5', null, true, [], {}])('prefetch %j is refused and changes nothing', async (prefetch) => {
  const t = await openApi()
  await t.post('/api/topologies', chain('orders'))
  const a = await nodeOf(t, 'orders', 'a')
  const answer = await t.send('PATCH', `/api/nodes/${a.id}`, { json: { prefetch } })
  expect(answer.body).toMatchObject({ status: 400, errors: [{ path: 'prefetch' }] })
  expect((await t.get('/api/topologies/orders')).body.bridgeOutOfSync).toBe(false)
})

test('a node has only the values of its type', async () => {
  const t = await openApi()
  await t.post('/api/topologies', chain('orders'))
  const start = await nodeOf(t, 'orders', 'start')
  const a = await nodeOf(t, 'orders', 'a')
  const refused = async (id: string, json: unknown) => {
    const { status, body } = await t.send('PATCH', `/api/nodes/${id}`, { json })
    return [status, ...body.errors.map((error) => error.path)]
  }
  expect(await refused(start.id, { prefetch: 5 })).toEqual([400, 'prefetch'])
  expect(await refused(start.id, { timeoutMs: 500, retry: {} })).toEqual([400, 'timeoutMs', 'retry'])
  expect(await refused(a.id, { enabled: false })).toEqual([400, 'enabled'])
  expect(await refused(a.id, { cron: '* * * * *' })).toEqual([400, 'cron'])
  expect(await refused(a.id, { prefetsh: 5 })).toEqual([400, ''])
})

test('a node of a topology that is not there is a 404', async () => {
  const t = await openApi()
  expect((await t.get('/api/nodes/nope')).status).toBe(404)
  expect((await t.send('PATCH', '/api/nodes/nope', { json: { prefetch: 2 } })).status).toBe(404)
})

test('a pause acts at once, and is no reason for a republish', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const a = await nodeOf(t, 'orders', 'a')
  const { body } = await t.send('PATCH', `/api/nodes/${a.id}`, { json: { paused: true } })
  expect(body).toMatchObject({ paused: true, pausedReason: 'paused by admin' })
  expect(await t.queues.control.paused()).toEqual(new Map([[a.id, 'paused by admin']]))
  expect((await t.get('/api/topologies/orders')).body.bridgeOutOfSync).toBe(false)
  await t.send('PATCH', `/api/nodes/${a.id}`, { json: { paused: false } })
  expect(await nodeOf(t, 'orders', 'a')).toMatchObject({ paused: false, pausedReason: null })
})

test('a topology that goes on leaves a node paused that was paused on its own', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const a = await nodeOf(t, 'orders', 'a')
  await t.send('PATCH', `/api/nodes/${a.id}`, { json: { paused: true } })
  await t.send('PATCH', '/api/topologies/orders', { json: { paused: true } })
  await t.post('/api/topologies/orders/republish')
  expect(await nodeOf(t, 'orders', 'a')).toMatchObject({ pausedReason: 'paused by admin', pausedBy: 'node' })
  const rests = { paused: true, pausedReason: 'the topology is paused by admin', pausedBy: 'topology' }
  expect(await nodeOf(t, 'orders', 'b')).toMatchObject(rests)
  expect((await t.get('/api/queues?topology=orders')).body.items[2]).toMatchObject(rests)
  await t.send('PATCH', '/api/topologies/orders', { json: { paused: false } })
  expect(await nodeOf(t, 'orders', 'a')).toMatchObject({ paused: true, pausedBy: 'node' })
  expect(await nodeOf(t, 'orders', 'b')).toMatchObject({ paused: false, pausedReason: null, pausedBy: null })
})

test('a topology says who paused it, and bridges are told, also of a pause before the first publish', async () => {
  const t = await openApi()
  const entry = async (id: string) => (await t.queues.config.config.get(`pausedTopology.${id}`))?.operation
  await t.post('/api/topologies', chain('orders'))
  const { body } = await t.send('PATCH', '/api/topologies/orders', { json: { paused: true } })
  expect(body).toMatchObject({ paused: true, pausedReason: 'paused by admin' })
  expect(await entry(body.id)).toBeUndefined()
  await t.post('/api/workers', { name: 'w', urls: ['http://127.0.0.1:1'] })
  await t.post('/api/topologies/orders/publish')
  expect(await entry(body.id)).toBe('PUT')
  const resumed = await t.send('PATCH', '/api/topologies/orders', { json: { paused: false } })
  expect(resumed.body).toMatchObject({ paused: false, pausedReason: null })
  expect(await entry(body.id)).toBe('DEL')
})

test('a node whose calls are held back says since when and why, as the bridge sees it that sees it worst', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const a = await nodeOf(t, 'orders', 'a')
  expect(a.breaker).toBeNull()
  const open = { state: 'open', since: '2026-03-01T10:00:00.000Z', reason: '6 of the last 6 calls failed' } as const
  await beat(t, 'b1', { nodes: [{ node: a.id, ...open, state: 'ramping' }] })
  await beat(t, 'b2', { nodes: [{ node: a.id, ...open }] })
  expect((await nodeOf(t, 'orders', 'a')).breaker).toEqual(open)
  expect((await t.get(`/api/nodes/${a.id}`)).body.breaker).toEqual(open)
})

test('queues tell what waits before each node', async () => {
  const t = await openApi()
  await published(t, 'orders')
  for (let i = 0; i < 3; i++) await t.post('/api/topologies/orders/run', { body: i })
  const { body } = await t.get('/api/queues?topology=orders')
  expect(body.items).toMatchObject([
    { topology: 'orders', node: 'start', pending: 3, inFlight: 0, replies: 0, paused: false },
    { node: 'a', pending: 0 },
    { node: 'b', pending: 0 },
  ])
  expect((await t.get('/api/queues')).body.items).toHaveLength(3)
  expect((await t.get('/api/queues?topology=nope')).status).toBe(404)
})

test('ready means NATS, Postgres and a live bridge; status says what there is', async () => {
  const t = await openApi()
  const before = await t.send('GET', '/readyz', { token: null })
  expect(before).toMatchObject({
    status: 503,
    body: { reasons: ['no bridge is alive: start one with `sluice bridge`'] },
  })
  expect((await t.send('GET', '/healthz', { token: null })).status).toBe(200)
  await published(t, 'orders')
  await beat(t, 'b1')
  expect((await t.send('GET', '/readyz', { token: null })).body).toEqual({ status: 'ready', reasons: [] })
  const { body } = await t.get('/api/status')
  expect(body).toMatchObject({
    version: '0.0.0',
    nats: { connected: true },
    postgres: { connected: true, detail: null },
    bridges: [{ id: 'b1' }],
    topologies: [],
    totals: { published: 1, disabled: 0, paused: 0, outOfSync: 0, needAttention: 0, openTrash: 0 },
  })
})
