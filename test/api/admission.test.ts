import { expect, onTestFinished, test } from 'vitest'
import { openAdmission } from '../../runtime/api/api.ts'
import { openBridge } from '../../runtime/bridge/bridge.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { eventually } from '../support/eventually.ts'
import { fakeWorker } from '../support/fake-worker.ts'
import { nodeOf, openApi, published, secretKey } from './open.ts'
import type { Answer, TestApi } from './open.ts'

const start = (t: TestApi): Promise<Answer> => t.post('/api/topologies/orders/run', { body: 1 })

async function ordersWith(limits: NonNullable<Parameters<typeof openApi>[0]>['limits'] = {}): Promise<TestApi> {
  const t = await openApi({ limits })
  await published(t, 'orders')
  return t
}

test('over the limit of unfinished messages starts are refused, and accepted again when some are done', async () => {
  const t = await ordersWith({ maxMessages: 3 })
  for (let n = 0; n < 3; n++) expect((await start(t)).status).toBe(202)
  const refused = await start(t)
  expect(refused.status).toBe(429)
  expect(refused.headers.get('retry-after')).toBe('5')
  expect(refused.body.detail).toMatch(/"orders" has 3 unfinished messages, of at most 3 .*SLUICE_MAX_MESSAGES/)
  const raw = await t.send('POST', '/start/orders/start', { raw: 'x' })
  expect(raw.status).toBe(429)

  const worker = await fakeWorker((request) => ({ body: request.body }))
  onTestFinished(() => worker.close())
  await t.send('PUT', '/api/workers/w', { json: { urls: [worker.url] } })
  const bridge = await openBridge({ queues: t.queues, secretKey, graceMs: 1_000, highWater: 10_000, log: silentLog })
  onTestFinished(() => bridge.close())
  await eventually('starts are accepted', async () => (await start(t)).status === 202)
  expect(worker.seen.filter(({ node }) => node === 'b').length).toBeGreaterThan(0)
})

test('a start that was accepted is told its run again before it is recorded, while others are refused', async () => {
  const t = await ordersWith({ maxMessages: 1 })
  const keyed = (key: string) => t.post('/api/topologies/orders/run', { body: 1, key })
  const { runId } = (await keyed('one')).body
  expect((await keyed('two')).status).toBe(429)
  expect(await keyed('one')).toMatchObject({ status: 202, body: { runId } })
  await t.send('PATCH', '/api/topologies/orders', { json: { enabled: false } })
  expect([(await keyed('one')).status, (await keyed('two')).status]).toEqual([202, 409])
})

/** Two runs whose one node fails, and tries again after so long. */
async function delaying(delayMs: number): Promise<{ t: TestApi; topologyId: string; seen: () => number }> {
  const t = await ordersWith()
  const worker = await fakeWorker(() => ({ status: 500 }))
  onTestFinished(() => worker.close())
  await t.send('PUT', '/api/workers/w', { json: { urls: [worker.url] } })
  const { id } = await nodeOf(t, 'orders', 'a')
  const retry = { attempts: 2, backoff: 'fixed', baseMs: delayMs, maxMs: delayMs }
  await t.send('PATCH', `/api/nodes/${id}`, { json: { prefetch: 5, retry } })
  await t.post('/api/topologies/orders/republish')
  const bridge = await openBridge({ queues: t.queues, secretKey, graceMs: 1_000, highWater: 10_000, log: silentLog })
  onTestFinished(() => bridge.close())
  await start(t)
  await start(t)
  const { body } = await t.get('/api/topologies/orders')
  return { t, topologyId: body.id, seen: () => worker.seen.length }
}

test('delayed messages are unfinished too', async () => {
  const { t, topologyId } = await delaying(3_600_000)
  const subjects = `sluice.${topologyId}.*.later`
  await eventually('both are delayed', async () => {
    const { state } = await t.queues.connection.jsm.streams.info(`SLUICE_${topologyId}`, { subjects_filter: subjects })
    return Object.keys(state.subjects ?? {}).length === 2
  })
  await eventually('both are counted', async () => (await t.queues.control.backlog(topologyId)).messages === 2)
})

test('a delayed message that came back and failed finally is counted no more', async () => {
  const { t, topologyId, seen } = await delaying(1_000)
  await eventually('both came back', () => seen() === 4)
  await eventually('nothing is counted', async () => (await t.queues.control.backlog(topologyId)).messages === 0)
})

test('over the limit of bytes starts are refused, at once for what this control accepted itself', async () => {
  const t = await ordersWith({ maxBytes: 2_000_000 })
  const big = { raw: new Uint8Array(1_000_000) }
  expect((await t.send('POST', '/start/orders/start', big)).status).toBe(202)
  expect((await t.send('POST', '/start/orders/start', big)).status).toBe(202)
  const refused = await t.send('POST', '/start/orders/start', big)
  expect(refused.status).toBe(429)
  expect(refused.body.detail).toMatch(/takes 20\d{5} bytes in its queues, of at most 2000000 .*SLUICE_MAX_BYTES/)
})

test('with the storage of NATS nearly full starts are refused before it is too late', async () => {
  const t = await ordersWith({ maxStoreBytes: 1 })
  const refused = await start(t)
  expect(refused.status).toBe(503)
  expect(refused.headers.get('retry-after')).toBe('30')
  expect(refused.body.detail).toMatch(/storage of NATS is nearly full: \d+ of 1 bytes/)
})

test.each([
  [94, 100, 202],
  [95, 100, 503],
  [1_990_000_000_000, 2_000_000_000_000, 202],
  [1_999_000_000_000, 2_000_000_000_000, 503],
])('with %i bytes taken of a disk of %i a start is answered with %i', async (usedBytes, limitBytes, status) => {
  const t = await ordersWith({ disk: () => Promise.resolve({ usedBytes, limitBytes }) })
  expect((await start(t)).status).toBe(status)
})

test('while NATS tells nothing, as when a cluster elects, it goes by what was known before', async () => {
  const silent = () => Promise.reject(new Error('timeout'))
  const admission = openAdmission({
    queues: { backlog: silent, storage: silent },
    maxMessages: 2,
    maxBytes: 100,
    maxUploads: 1,
    maxStoreBytes: undefined,
    disk: null,
  })
  const orders = { id: 'o', name: 'orders' }
  await admission.admit(orders, 1)
  await admission.admit(orders, 1)
  await expect(admission.admit(orders, 1)).rejects.toThrow(/has 2 unfinished messages/)
})

test('the status says what a topology keeps, and which node holds it back', async () => {
  const nodeId = { current: '' }
  const since = new Date('2026-01-01T00:00:00.000Z')
  const report = () => ({
    bytes: 9,
    oldestAt: since,
    isFull: false,
    heldBack: { nodeId: nodeId.current, since, bytes: 5 },
  })
  const topologyId = { current: '' }
  const t = await openApi({ histories: () => new Map([[topologyId.current, report()]]) })
  topologyId.current = (await published(t, 'orders')).id
  nodeId.current = (await nodeOf(t, 'orders', 'b')).id
  const { text } = await t.get('/api/status')
  const { topologies } = JSON.parse(text) as { topologies: { history: unknown }[] }
  const oldestAt = since.toISOString()
  expect(topologies[0]?.history).toEqual({
    bytes: 9,
    oldestAt,
    isFull: false,
    heldBack: { node: 'b', nodeId: nodeId.current, since: oldestAt, bytes: 5 },
  })
})
