import { expect, test } from 'vitest'
import type { Started } from '../../runtime/protocol/outcome.ts'
import { newestPlan } from '../../runtime/api/actions/plans.ts'
import { getTopology } from '../../runtime/store/queries/topologies.ts'
import { applyOutcomes, position } from '../../runtime/store/outcomes.ts'
import { chain, nodeOf, openApi, published } from './open.ts'
import type { TestApi } from './open.ts'
import { loseAcknowledgements, startsIn, storedIn } from './stored.ts'

/** What the queue of the topology's start node holds. */
async function starts(t: TestApi, name: string, count: number): Promise<Started[]> {
  const plan = await newestPlan(t.store, await getTopology(t.store, name))
  if (!plan) throw new Error('not published')
  return startsIn(t, plan.topologyId, count)
}

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString()

test('a run is accepted with its JSON, headers and tenant', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const answer = await t.post('/api/topologies/orders/run', {
    body: { a: [1, 'ž\0'] },
    headers: { 'x-source': 'test' },
    tenant: 'ann',
  })
  expect(answer.status).toBe(202)
  expect(answer.headers.get('location')).toBe(`/api/runs/${answer.body.runId}`)
  const [start] = await starts(t, 'orders', 1)
  expect(start).toMatchObject({ run: answer.body.runId, tenant: 'ann', contentType: 'application/json' })
  expect(start?.headers).toEqual({ 'x-source': 'test' })
  expect(textOf(start?.body ?? new Uint8Array())).toBe('{"a":[1,"ž\\u0000"]}')
})

test('equal keys give the same run and one start, at run and at start', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const run = () => t.post('/api/topologies/orders/run', { node: 'start', key: 'k1' })
  const start = () => t.send('POST', '/start/orders/start', { headers: { 'idempotency-key': 'k1' } })
  const headed = () => t.send('POST', '/api/topologies/orders/run', { json: {}, headers: { 'idempotency-key': 'k1' } })
  const ids = (await Promise.all([run(), start(), headed(), run(), start()])).map(({ body }) => body.runId)
  expect(new Set(ids).size).toBe(1)
  const other = await t.post('/api/topologies/orders/run', { key: 'k2' })
  const found = await starts(t, 'orders', 2)
  expect(found.map(({ run }) => run)).toEqual([ids[0], other.body.runId])
})

test('a start with one key in its body and another one as a header is refused', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const headers = { 'idempotency-key': 'k1' }
  const send = (key: string) => t.send('POST', '/api/topologies/orders/run', { json: { key }, headers })
  expect((await send('k2')).body).toMatchObject({ status: 400, errors: [{ path: 'key' }] })
  expect((await send('k1')).status).toBe(202)
})

test('an empty key is refused, as a header and in the body', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const header = await t.send('POST', '/start/orders/start', { headers: { 'idempotency-key': '' } })
  expect(header.body).toMatchObject({ status: 400, errors: [{ path: 'idempotency-key' }] })
  expect((await t.post('/api/topologies/orders/run', { key: '' })).body).toMatchObject({ status: 400 })
})

test('a start without a key that is sent twice makes two runs', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const [one, two] = [await t.post('/api/topologies/orders/run', {}), await t.post('/api/topologies/orders/run', {})]
  expect(one.body.runId).not.toBe(two.body.runId)
  expect(await starts(t, 'orders', 2)).toHaveLength(2)
})

test('a key is known by its run when the queue has forgotten it', async () => {
  const t = await openApi()
  const { id } = await published(t, 'orders')
  const first = await t.post('/api/topologies/orders/run', { key: 'k1' })
  const outcomes = await starts(t, 'orders', 1)
  const from = await position(t.store, id, 'e')
  await applyOutcomes(t.store, id, { epoch: 'e', from, to: 1 }, outcomes)
  const start = t.queues.control.start
  t.queues.control.start = () => Promise.reject(new Error('the queue was asked'))
  expect((await t.post('/api/topologies/orders/run', { key: 'k1' })).body).toEqual(first.body)
  t.queues.control.start = start
})

test('a start takes any body and type, and user headers without those of proxies', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const headers = {
    'content-type': 'text/csv; charset=utf-8',
    'x-shop': 'brno',
    'x-forwarded-for': '10.0.0.1',
    traceparent: trace,
  }
  const raw = Uint8Array.from([0, 255, 10, 13])
  const answer = await t.send('POST', '/start/orders/start?tenant=ann', { raw, headers })
  expect(answer.status).toBe(202)
  const [start] = await starts(t, 'orders', 1)
  expect(start).toMatchObject({ contentType: 'text/csv; charset=utf-8', headers: { 'x-shop': 'brno' }, tenant: 'ann' })
  expect([...(start?.body ?? [])]).toEqual([0, 255, 10, 13])
})

test('a start with a body of any type may reconcile, as one with JSON', async () => {
  const t = await openApi()
  await published(t, 'orders')
  for (const query of ['', '?reconcile=false', '?reconcile=true'])
    expect((await t.send('POST', `/start/orders/start${query}`, { raw: 'x' })).status).toBe(202)
  expect((await starts(t, 'orders', 3)).map(({ reconcile = false }) => reconcile)).toEqual([false, false, true])
  expect((await t.send('POST', '/start/orders/start?reconcile=yes', { raw: 'x' })).status).toBe(400)
})

test('what cannot be started says why', async () => {
  const t = await openApi()
  await t.post('/api/topologies', chain('draft'))
  await published(t, 'orders')
  const say = async (path: string, json: unknown = {}) => {
    const { status, body } = await t.post(path, json)
    return `${status} ${body.detail}`
  }
  expect(await say('/api/topologies/draft/run')).toBe('409 the topology "draft" is a draft: publish it first')
  expect(await say('/api/topologies/orders/run', { node: 'gone' })).toMatch(/^404 .* has no node "gone"$/)
  expect(await say('/api/topologies/orders/run', { node: 'a' })).toMatch(/^409 "a" is a custom node/)
  expect(await say('/start/orders/start?split=records')).toMatch(/^400 /)
  expect(await say('/api/topologies/orders/run', { headers: { cookie: 'a' } })).toMatch(/^400 .*begin with x-/)
  const start = await nodeOf(t, 'orders', 'start')
  await t.send('PATCH', `/api/nodes/${start.id}`, { json: { enabled: false } })
  expect(await say('/api/topologies/orders/run')).toBe('409 the node "start" is disabled')
  await t.send('PATCH', '/api/topologies/orders', { json: { enabled: false } })
  expect(await say('/api/topologies/orders/run')).toMatch(/^409 .* is disabled: enable it/)
})

test('a topology with several start nodes asks which one', async () => {
  const t = await openApi()
  const two = chain('orders')
  two.nodes.push({ name: 'again', type: 'start' })
  two.edges.push({ from: 'again', to: 'b' })
  await t.post('/api/workers', { name: 'w', urls: ['http://127.0.0.1:1'] })
  await t.post('/api/topologies', two)
  await t.post('/api/topologies/orders/publish')
  const answer = await t.post('/api/topologies/orders/run', {})
  expect(answer.body).toMatchObject({ status: 409, detail: expect.stringContaining('start, again') as string })
  expect((await t.post('/api/topologies/orders/run', { node: 'again' })).status).toBe(202)
})

test('a content type that could not travel as a header is refused at the start', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const headers = { 'content-type': `text/${'x'.repeat(300)}` }
  const answer = await t.send('POST', '/start/orders/start', { headers, raw: 'x' })
  expect(answer.status).toBe(400)
  expect(answer.body.errors).toMatchObject([{ path: 'content-type' }])
})

test('a start whose acknowledgement is lost names the key with which it is the same run when it is sent again', async () => {
  const t = await openApi()
  const { id } = await published(t, 'orders')
  const mend = loseAcknowledgements(t)
  const lost = await t.post('/api/topologies/orders/run', { body: 1 })
  const owned = await t.post('/api/topologies/orders/run', { body: 2, key: 'ž' })
  mend()
  const key = lost.headers.get('idempotency-key') ?? ''
  expect([lost.status, lost.headers.get('retry-after')]).toEqual([503, '2'])
  expect(lost.body.detail).toContain(`it may have, and the run would be `)
  expect(lost.body.detail).toContain(`again with the header Idempotency-Key: ${key},`)
  expect([owned.status, owned.headers.get('idempotency-key')]).toEqual([503, null])
  expect(owned.body.detail).toContain('again with the same key')
  const again = await t.send('POST', '/api/topologies/orders/run', {
    json: { body: 1 },
    headers: { 'idempotency-key': key },
  })
  expect(`/api/runs/${again.body.runId}`).toBe(lost.headers.get('location'))
  expect(await storedIn(t, id)).toBe(2)
})
