import { expect, onTestFinished, test } from 'vitest'
import { publish } from '../../runtime/api/actions/publish.ts'
import { openSweep, republishAllPlans } from '../../runtime/api/api.ts'
import { openBridge } from '../../runtime/bridge/bridge.ts'
import { Unavailable } from '../../runtime/errors.ts'
import type { ControlQueues } from '../../runtime/queue/control.ts'
import { planKey } from '../../runtime/queue/config.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import type { Plan } from '../../runtime/topology/plan.ts'
import { beat, chain, nodeOf, openApi, published, secretKey } from './open.ts'
import type { TestApi } from './open.ts'

/** The plan that bridges have. */
async function planInForce(t: TestApi, topologyId: string): Promise<Plan | null> {
  const entry = await t.queues.config.config.get(planKey(topologyId))
  return entry?.operation === 'PUT' ? entry.json<Plan>() : null
}

test('publish makes a revision and hands it to the bridges', async () => {
  const t = await openApi()
  const topology = await published(t, 'orders', { a: { prefetch: 4 } })
  expect(topology).toMatchObject({ visibility: 'public', revision: 1, bridgeOutOfSync: false })
  const plan = await planInForce(t, topology.id)
  const a = await nodeOf(t, 'orders', 'a')
  expect(plan).toMatchObject({ topologyId: topology.id, name: 'orders', revision: 1 })
  expect(plan?.nodes[1]).toMatchObject({ id: a.id, name: 'a', prefetch: 4, worker: 'w', path: '/nodes/a' })
})

test('publish names every fault of the graph at once, and changes nothing', async () => {
  const t = await openApi()
  const nodes = [
    { name: 'start', type: 'start' },
    { name: 'a', type: 'custom', worker: 'nobody' },
    { name: 'b', type: 'custom' },
  ]
  const edges = [
    { from: 'start', to: 'a' },
    { from: 'a', to: 'gone' },
  ]
  await t.post('/api/topologies', { name: 'orders', nodes, edges })
  const answer = await t.post('/api/topologies/orders/publish')
  expect(answer.status).toBe(400)
  const paths = answer.body.errors.map((error) => error.path)
  expect(paths).toEqual(expect.arrayContaining(['nodes[1].worker', 'nodes[2].worker', 'edges[1].to']))
  expect((await t.get('/api/topologies/orders')).body).toMatchObject({ visibility: 'draft', revision: 0 })
})

test('a stored value reaches the bridges with a republish, and edits of the graph stay out', async () => {
  const t = await openApi()
  const { id } = await published(t, 'orders')
  const a = await nodeOf(t, 'orders', 'a')
  await t.send('PATCH', `/api/nodes/${a.id}`, { json: { prefetch: 9 } })
  expect((await t.get('/api/topologies/orders')).body.bridgeOutOfSync).toBe(true)
  expect((await planInForce(t, id))?.nodes[1]).toMatchObject({ prefetch: 1 })
  const half = chain('orders')
  await t.send('PUT', '/api/topologies/orders', { json: { ...half, edges: half.edges.slice(0, 1) } })
  const answer = await t.post('/api/topologies/orders/republish')
  expect(answer.body).toMatchObject({ revision: 2, bridgeOutOfSync: false, bridges: { applied: [], missing: [] } })
  expect(await planInForce(t, id)).toMatchObject({
    revision: 2,
    nodes: [{}, { prefetch: 9, followers: [expect.any(String)] }, {}],
  })
  expect((await t.get('/api/topologies/orders')).body.document.edges).toHaveLength(1)
})

test('republish tells which live bridges have the revision', async () => {
  const t = await openApi()
  const { id } = await published(t, 'orders')
  await beat(t, 'quick', { revisions: { [id]: 2 } })
  const { body } = await t.post('/api/topologies/orders/republish')
  expect(body.bridges).toEqual({ applied: ['quick'], missing: [] })
})

test('republish works while disabled and leaves that as it is; a draft is a conflict', async () => {
  const t = await openApi()
  await t.post('/api/topologies', chain('orders'))
  expect((await t.post('/api/topologies/orders/republish')).status).toBe(409)
  await t.post('/api/workers', { name: 'w', urls: ['http://127.0.0.1:1'] })
  await t.post('/api/topologies/orders/publish')
  await t.send('PATCH', '/api/topologies/orders', { json: { enabled: false } })
  expect((await t.post('/api/topologies/orders/republish')).body).toMatchObject({ enabled: false, revision: 2 })
  await t.post('/api/topologies/orders/unpublish')
  expect((await t.post('/api/topologies/orders/republish')).status).toBe(409)
})

test('unpublish stops the bridges, and doing it twice is fine', async () => {
  const t = await openApi()
  const { id } = await published(t, 'orders')
  for (let i = 0; i < 2; i++) {
    const answer = await t.post('/api/topologies/orders/unpublish')
    expect(answer.body).toMatchObject({ visibility: 'draft', revision: 1 })
  }
  expect(await planInForce(t, id)).toBeNull()
  expect((await t.post('/api/topologies/orders/publish')).body).toMatchObject({ visibility: 'public', revision: 2 })
})

test('a node that still has messages cannot be published away', async () => {
  const t = await openApi()
  await published(t, 'orders')
  await t.post('/api/topologies/orders/run', { body: 1 })
  const renamed = chain('orders')
  renamed.nodes[0] = { name: 'begin', type: 'start' }
  renamed.edges[0] = { from: 'begin', to: 'a' }
  await t.send('PUT', '/api/topologies/orders', { json: renamed })
  const answer = await t.post('/api/topologies/orders/publish')
  expect(answer.body).toMatchObject({ status: 409, detail: expect.stringContaining('start (1)') as string })
  expect((await t.get('/api/topologies/orders')).body.revision).toBe(1)
})

test('revisions are kept, and one of them can be published again', async () => {
  const t = await openApi()
  const { id } = await published(t, 'orders', { a: { prefetch: 2 } })
  await t.send('PUT', '/api/topologies/orders', { json: chain('orders', { a: { prefetch: 8 } }) })
  await t.post('/api/topologies/orders/publish')
  const back = await t.post('/api/topologies/orders/rollback', { revision: 1 })
  expect(back.body).toMatchObject({ revision: 3, bridgeOutOfSync: true })
  expect((await planInForce(t, id))?.nodes[1]).toMatchObject({ prefetch: 2 })
  const list = await t.get('/api/topologies/orders/revisions?limit=2')
  expect(list.body.items).toMatchObject([
    { revision: 3, kind: 'rollback' },
    { revision: 2, kind: 'publish' },
  ])
  const rest = await t.get(`/api/topologies/orders/revisions?after=${list.body.next}`)
  expect(rest.body).toMatchObject({ items: [{ revision: 1 }], next: null })
  expect((await t.get('/api/topologies/orders/revisions/1')).body.plan).toMatchObject({ revision: 1 })
  expect((await t.get('/api/topologies/orders/revisions/9')).status).toBe(404)
})

test('with NATS away publish is a 503 and nothing has changed', async () => {
  const away = () => Promise.reject(new Unavailable('nats', 'NATS is away'))
  const queues = { ensure: away, putWorker: async () => {}, bridges: away, paused: away } as unknown as ControlQueues
  const t = await openApi({ queues })
  await t.post('/api/workers', { name: 'w', urls: ['http://127.0.0.1:1'] })
  await t.post('/api/topologies', chain('orders'))
  const answer = await t.post('/api/topologies/orders/publish')
  expect(answer.body).toMatchObject({ status: 503, detail: 'NATS is away' })
  expect(answer.headers.get('retry-after')).toBe('2')
  expect((await t.get('/api/topologies/orders')).body).toMatchObject({ visibility: 'draft', revision: 0 })
  expect((await t.get('/api/topologies/orders/revisions')).body.items).toEqual([])
  expect(await nodeOf(t, 'orders', 'a')).toMatchObject({ paused: null })
})

test('publishes at the same time all count, and the newest plan is in force', async () => {
  const t = await openApi()
  const { id } = await published(t, 'orders')
  const answers = await Promise.all([1, 2, 3].map(() => t.post('/api/topologies/orders/republish')))
  expect(answers.map(({ body }) => body.revision).sort()).toEqual([2, 3, 4])
  expect(await planInForce(t, id)).toMatchObject({ revision: 4 })
})

test('a control that starts puts plans and workers that the bridges lack', async () => {
  const t = await openApi()
  const { id } = await published(t, 'orders')
  await published(t, 'stopped')
  await t.post('/api/topologies/stopped/unpublish')
  await t.queues.config.config.delete(planKey(id))
  await t.queues.control.removeWorker('w')
  expect(await republishAllPlans({ store: t.store, queues: t.queues.control })).toBe(1)
  expect(await planInForce(t, id)).toMatchObject({ revision: 1 })
  expect((await t.queues.config.config.get('worker.w'))?.json()).toMatchObject({ urls: ['http://127.0.0.1:1'] })
})

test('a topology with a worker of a dialect that bridges cannot call is refused at publish', async () => {
  const t = await openApi()
  await t.post('/api/workers', { name: 'shop', urls: ['http://127.0.0.1:9'], dialect: 'orchesty' })
  const nodes = [
    { name: 'start', type: 'start' },
    { name: 'a', type: 'custom', worker: 'shop' },
  ]
  await t.post('/api/topologies', { name: 'orders', nodes, edges: [{ from: 'start', to: 'a' }] })
  const answer = await t.post('/api/topologies/orders/publish')
  expect(answer.status).toBe(400)
  expect(answer.body.errors).toMatchObject([{ path: 'nodes[1].worker' }])
})

test('publishing what is published already makes no revision; any change of the draft does', async () => {
  const t = await openApi()
  const topology = await published(t, 'orders')
  expect((await t.post('/api/topologies/orders/publish')).body).toMatchObject({ id: topology.id, revision: 1 })
  const a = await nodeOf(t, 'orders', 'a')
  await t.send('PATCH', `/api/nodes/${a.id}`, { json: { prefetch: 9 } })
  expect((await t.post('/api/topologies/orders/publish')).body).toMatchObject({ revision: 2, bridgeOutOfSync: false })
})

test('the number of partitions makes new lanes, also by a rollback, and the old ones stay in the plan', async () => {
  const t = await openApi()
  const { id } = await published(t, 'orders', { a: { partitions: 4, partitionKey: '/id' } })
  await t.post('/api/topologies/orders/republish')
  expect((await planInForce(t, id))?.nodes[1]).toMatchObject({ generation: 0, past: [] })
  await t.send('PUT', '/api/topologies/orders', { json: chain('orders', { a: { partitions: 16 } }) })
  expect(await nodeOf(t, 'orders', 'a')).toMatchObject({ prefetch: 1, partitions: 16, partitionKey: null })
  await t.post('/api/topologies/orders/publish')
  await t.post('/api/topologies/orders/rollback', { revision: 1 })
  expect((await planInForce(t, id))?.nodes[1]).toMatchObject({
    partitions: 4,
    generation: 4,
    past: [
      { generation: 0, partitions: 4, partitionKey: '/id' },
      { generation: 3, partitions: 16, partitionKey: null },
    ],
  })
})

test('a node with partitions takes no prefetch but 1, wherever it comes from', async () => {
  const t = await openApi()
  await published(t, 'orders', { a: { partitions: 4 } })
  const a = await nodeOf(t, 'orders', 'a')
  const patch = (prefetch: number) => t.send('PATCH', `/api/nodes/${a.id}`, { json: { prefetch } })
  expect((await patch(5)).body).toMatchObject({ status: 400, errors: [{ path: 'prefetch' }] })
  expect((await patch(1)).status).toBe(200)
  // The draft gives up its partitions and gets a prefetch; the published graph still has the partitions.
  await t.send('PUT', '/api/topologies/orders', { json: chain('orders', { a: { prefetch: 5 } }) })
  const republished = await t.post('/api/topologies/orders/republish')
  expect(republished.status).toBe(409)
  expect(republished.body.detail).toContain('publish the draft')
  expect((await t.post('/api/topologies/orders/publish')).body).toMatchObject({ revision: 2, bridgeOutOfSync: false })
  await t.send('PUT', '/api/topologies/orders', { json: chain('orders', { a: { partitions: 4 } }) })
  expect((await t.post('/api/topologies/orders/publish')).body.errors).toMatchObject([{ path: 'nodes[1].prefetch' }])
})

test('a plan whose control died before it told the bridges reaches them through another one', async () => {
  const t = await openApi()
  const { id } = await published(t, 'orders')
  const bridge = await openBridge({ queues: t.queues, secretKey, graceMs: 1_000, highWater: 10_000, log: silentLog })
  onTestFinished(() => bridge.close())
  await t.send('PUT', '/api/topologies/orders', { json: chain('orders', { a: { prefetch: 3 } }) })
  const dying = { ...t.queues.control, putPlan: () => Promise.reject(new Error('killed')) }
  const audit = () => Promise.resolve()
  await expect(publish({ store: t.store, queues: dying, audit }, id, null)).rejects.toThrow('killed')
  const sweep = openSweep({ store: t.store, queues: t.queues.control, events: t.queues.events, log: silentLog })
  onTestFinished(() => sweep.close())
  expect(await t.queues.control.awaitApplied(id, 2, 10_000)).toEqual({ applied: [bridge.id], missing: [] })
})
