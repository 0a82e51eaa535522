import { expect, test } from 'vitest'
import { planKey } from '../../runtime/queue/config.ts'
import type { Plan, WorkerNode } from '../../runtime/topology/plan.ts'
import { openBridge } from '../../runtime/bridge/bridge.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { eventually } from '../support/eventually.ts'
import { fakeWorker } from '../support/fake-worker.ts'
import { beat, chain, nodeOf, openApi, published, secretKey } from './open.ts'
import type { Answer, TestApi } from './open.ts'

async function setPrefetch(t: TestApi, node: string, prefetch: unknown, topology = 'orders'): Promise<Answer> {
  const { id } = await nodeOf(t, topology, node)
  return t.send('PATCH', `/api/nodes/${id}`, { json: { prefetch } })
}

/** Prefetch of `a` in the plan that bridges have. */
async function prefetchInForce(t: TestApi, topologyId: string): Promise<number | undefined> {
  const entry = await t.queues.config.config.get(planKey(topologyId))
  const plan = entry?.operation === 'PUT' ? entry.json<Plan>() : undefined
  return (plan?.nodes[1] as WorkerNode | undefined)?.prefetch
}

const isOutOfSync = async (t: TestApi): Promise<boolean> => (await t.get('/api/topologies/orders')).body.bridgeOutOfSync

test('prefetch is 1 unless somebody sets it', async () => {
  const t = await openApi()
  await t.post('/api/topologies', chain('orders'))
  expect(await nodeOf(t, 'orders', 'a')).toMatchObject({ prefetch: 1 })
})

test.each(['connector', 'batch', 'batch_connector', 'custom'])('a node of type %s takes 1 to 20', async (type) => {
  const t = await openApi()
  await t.post('/api/topologies', chain('orders', { a: { type } }))
  for (const prefetch of [1, 2, 19, 20]) {
    const answer = await setPrefetch(t, 'a', prefetch)
    expect(answer).toMatchObject({ status: 200, body: { prefetch } })
    expect(answer.body).toMatchObject({ type: type === 'batch_connector' ? 'batch' : type })
  }
})

test.each([0, 21, -1, 1000, 1.5, '5', '', null, true, [5], { prefetch: 5 }])(
  'prefetch %j is refused, not clamped: 400, and nothing changes',
  async (prefetch) => {
    const t = await openApi()
    await t.post('/api/topologies', chain('orders', { a: { prefetch: 3 } }))
    const answer = await setPrefetch(t, 'a', prefetch)
    expect(answer.body).toMatchObject({ status: 400, errors: [{ path: 'prefetch' }] })
    expect(await nodeOf(t, 'orders', 'a')).toMatchObject({ prefetch: 3 })
    expect(await isOutOfSync(t)).toBe(false)
  },
)

test.each(['start', 'cron', 'webhook'])(
  'a node of type %s has no prefetch: null when read, 400 when set',
  async (type) => {
    const t = await openApi()
    await t.post('/api/topologies', chain('orders', { start: { type } }))
    expect(await nodeOf(t, 'orders', 'start')).toMatchObject({ prefetch: null })
    expect((await setPrefetch(t, 'start', 2)).body).toMatchObject({ status: 400, errors: [{ path: 'prefetch' }] })
    expect(await isOutOfSync(t)).toBe(false)
    const document = chain('other', { start: { type, prefetch: 2 } })
    expect((await t.post('/api/topologies', document)).body).toMatchObject({
      status: 400,
      errors: expect.arrayContaining([expect.objectContaining({ path: 'nodes[0].prefetch' })]) as unknown,
    })
  },
)

test('every node payload carries it: the list, the node, and the answer to a change', async () => {
  const t = await openApi()
  await t.post('/api/topologies', chain('orders', { a: { prefetch: 6 } }))
  const changed = await setPrefetch(t, 'b', 7)
  const list = (await t.get('/api/topologies/orders/nodes')).body.items
  expect(list).toMatchObject([{ prefetch: null }, { prefetch: 6 }, { prefetch: 7 }])
  expect((await t.get(`/api/nodes/${changed.body.id}`)).body).toMatchObject({ prefetch: 7 })
  expect(changed.body).toMatchObject({ prefetch: 7 })
})

test('setting it marks the bridge as out of sync, on a draft and on a published topology, also with the value it had', async () => {
  const t = await openApi()
  await t.post('/api/topologies', chain('orders', { a: { prefetch: 4 } }))
  expect(await isOutOfSync(t)).toBe(false)
  await setPrefetch(t, 'a', 4)
  expect(await isOutOfSync(t)).toBe(true)
  await t.post('/api/workers', { name: 'w', urls: ['http://127.0.0.1:1'] })
  await t.post('/api/topologies/orders/publish')
  expect(await isOutOfSync(t)).toBe(false)
  await setPrefetch(t, 'a', 4)
  expect(await isOutOfSync(t)).toBe(true)
})

test('bridges keep the published value until a republish brings the new one', async () => {
  const t = await openApi()
  const { id } = await published(t, 'orders', { a: { prefetch: 2 } })
  await setPrefetch(t, 'a', 9)
  expect(await nodeOf(t, 'orders', 'a')).toMatchObject({ prefetch: 9 })
  expect(await prefetchInForce(t, id)).toBe(2)
  await beat(t, 'b1', { revisions: { [id]: 2 } })
  const { status, body } = await t.post('/api/topologies/orders/republish')
  expect(status).toBe(200)
  expect(body).toMatchObject({ bridgeOutOfSync: false, revision: 2, bridges: { applied: ['b1'], missing: [] } })
  expect(await prefetchInForce(t, id)).toBe(9)
})

test('a running bridge calls with the old value before the republish, and with the new one after it, without losing a message', async () => {
  const t = await openApi()
  let release = (): void => {}
  const gate = new Promise<void>((resolve) => (release = resolve))
  const worker = await fakeWorker((request) =>
    request.node === 'a' ? gate.then(() => ({ status: 204 })) : { status: 204 },
  )
  // The worker is asked for its manifest, too.
  const called = (): number => worker.seen.filter(({ node }) => node === 'a').length
  const bridge = await openBridge({ queues: t.queues, secretKey, graceMs: 1_000, log: silentLog, highWater: 10_000 })
  try {
    await t.post('/api/workers', { name: 'w', urls: [worker.url] })
    await t.post('/api/topologies', chain('orders', { a: { prefetch: 2 } }))
    await t.post('/api/topologies/orders/publish')
    for (let i = 0; i < 8; i++) await t.post('/api/topologies/orders/run', { body: i })
    await eventually('two calls are open', () => called() === 2)
    await setPrefetch(t, 'a', 5)
    expect(worker.mostOpen).toBe(2)
    await t.post('/api/topologies/orders/republish')
    await eventually('five calls are open', () => called() === 5)
    release()
    await eventually('all are called', () => called() === 8)
    expect(worker.mostOpen).toBeLessThanOrEqual(5)
  } finally {
    release()
    await bridge.close()
    await worker.close()
  }
})

test.each([true, false])('republish works with enabled: %j, and leaves that as it is', async (enabled) => {
  const t = await openApi()
  const { id } = await published(t, 'orders')
  await t.send('PATCH', '/api/topologies/orders', { json: { enabled } })
  await setPrefetch(t, 'a', 8)
  const { status, body } = await t.post('/api/topologies/orders/republish')
  expect([status, body]).toMatchObject([200, { enabled, visibility: 'public', bridgeOutOfSync: false }])
  expect(await prefetchInForce(t, id)).toBe(8)
})

test('republish is a 409 while the topology is a draft: never published, or unpublished; and nothing changes', async () => {
  const t = await openApi()
  await t.post('/api/topologies', chain('orders'))
  await setPrefetch(t, 'a', 8)
  expect((await t.post('/api/topologies/orders/republish')).body).toMatchObject({ status: 409, title: 'Conflict' })
  expect((await t.get('/api/topologies/orders')).body).toMatchObject({ visibility: 'draft', bridgeOutOfSync: true })
  await t.post('/api/workers', { name: 'w', urls: ['http://127.0.0.1:1'] })
  await t.post('/api/topologies/orders/publish')
  await t.post('/api/topologies/orders/unpublish')
  expect((await t.post('/api/topologies/orders/republish')).status).toBe(409)
})

test('publish brings the stored value, too, and clears the mark', async () => {
  const t = await openApi()
  const { id } = await published(t, 'orders', { a: { prefetch: 2 } })
  await setPrefetch(t, 'a', 3)
  expect((await t.post('/api/topologies/orders/publish')).body).toMatchObject({ bridgeOutOfSync: false, revision: 2 })
  expect(await prefetchInForce(t, id)).toBe(3)
  await setPrefetch(t, 'a', 3)
  expect((await t.post('/api/topologies/orders/publish')).body).toMatchObject({ bridgeOutOfSync: false, revision: 2 })
})

test('unpublish stops the bridge, goes back to draft and clears the mark; doing it again changes nothing', async () => {
  const t = await openApi()
  const { id } = await published(t, 'orders')
  await setPrefetch(t, 'a', 3)
  const first = await t.post('/api/topologies/orders/unpublish')
  expect([first.status, first.body]).toMatchObject([200, { visibility: 'draft', bridgeOutOfSync: false }])
  expect(await prefetchInForce(t, id)).toBeUndefined()
  expect(await t.post('/api/topologies/orders/unpublish')).toMatchObject({ status: 200, body: first.body })
  await t.post('/api/topologies', chain('never'))
  const never = await t.post('/api/topologies/never/unpublish')
  expect([never.status, never.body]).toMatchObject([200, { visibility: 'draft', revision: 0 }])
  await t.post('/api/topologies/orders/publish')
  expect(await prefetchInForce(t, id)).toBe(3)
})

const bpmn = (attributes: string) =>
  `<bpmn:definitions><bpmn:process><bpmn:task id="t" name="a" ${attributes}/></bpmn:process></bpmn:definitions>`
const putBpmn = (t: TestApi, raw: string) =>
  t.send('PUT', '/api/topologies/orders/schema.bpmn', { raw, headers: { 'content-type': 'application/xml' } })
const flow = (prefetch?: number) => ({
  nodes: [{ id: 'n', type: 'flow', shape: 'rectangle', action: { name: 'a', type: 'custom', worker: 'w' }, prefetch }],
  connections: [],
})

test.each([undefined, 1, 0, -3])(
  'the flow editor saves with prefetch %j: a stored value over 1 stays',
  async (prefetch) => {
    const t = await openApi()
    await t.post('/api/topologies', chain('orders'))
    await setPrefetch(t, 'a', 7)
    const answer = await t.send('PUT', '/api/topologies/orders/schema.json', { json: flow(prefetch) })
    expect(answer.status).toBe(200)
    expect(await nodeOf(t, 'orders', 'a')).toMatchObject({ prefetch: 7 })
  },
)

test('the flow editor saves with a prefetch over 1: it wins, up to 20', async () => {
  const t = await openApi()
  await t.post('/api/topologies', chain('orders', { a: { prefetch: 7 } }))
  const put = (prefetch: number) => t.send('PUT', '/api/topologies/orders/schema.json', { json: flow(prefetch) })
  await put(2)
  expect(await nodeOf(t, 'orders', 'a')).toMatchObject({ prefetch: 2 })
  expect((await put(21)).body).toMatchObject({ status: 400, errors: [{ path: 'nodes[0].prefetch' }] })
})

test.each([1, 2, 20])('pipes:rabbitPrefetch="%i" always wins over the stored value', async (prefetch) => {
  const t = await openApi()
  await t.post('/api/topologies', chain('orders'))
  await setPrefetch(t, 'a', 7)
  expect((await putBpmn(t, bpmn(`pipes:rabbitPrefetch="${prefetch}"`))).status).toBe(200)
  expect(await nodeOf(t, 'orders', 'a')).toMatchObject({ prefetch })
})

test('BPMN without the attribute leaves the stored value, and one out of range is a 400', async () => {
  const t = await openApi()
  await t.post('/api/topologies', chain('orders', { a: { prefetch: 7 } }))
  await putBpmn(t, bpmn(''))
  expect(await nodeOf(t, 'orders', 'a')).toMatchObject({ prefetch: 7 })
  for (const wrong of ['0', '21', '-1', '1.5', 'many']) {
    const { body } = await putBpmn(t, bpmn(`pipes:rabbitPrefetch="${wrong}"`))
    expect(body).toMatchObject({ status: 400, errors: [{ path: 'bpmn:task[t]/@pipes:rabbitPrefetch' }] })
  }
})

test('PATCH wins over what either editor saved before', async () => {
  const t = await openApi()
  await t.post('/api/topologies', chain('orders'))
  await putBpmn(t, bpmn('pipes:rabbitPrefetch="5"'))
  await setPrefetch(t, 'a', 1)
  expect(await nodeOf(t, 'orders', 'a')).toMatchObject({ prefetch: 1 })
  expect((await t.get('/api/topologies/orders/schema.bpmn')).text).toContain('pipes:rabbitPrefetch="1"')
  await setPrefetch(t, 'a', 6)
  expect((await t.get('/api/topologies/orders/schema.json')).body).toMatchObject({ nodes: [{ prefetch: 6 }] })
})

test('a save of either editor that changes a published value marks the bridge as out of sync; one that does not, does not', async () => {
  const t = await openApi()
  await published(t, 'orders', { a: { prefetch: 7 } })
  await t.send('PUT', '/api/topologies/orders/schema.json', { json: flow(1) })
  expect(await isOutOfSync(t)).toBe(false)
  await putBpmn(t, bpmn('pipes:rabbitPrefetch="8"'))
  expect(await isOutOfSync(t)).toBe(true)
})
