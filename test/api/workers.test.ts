import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { decryptSecret } from '../../runtime/secrets.ts'
import { getWorker } from '../../runtime/store/queries/workers.ts'
import { beat, chain, nodeOf, openApi, published, secretKey } from './open.ts'

/** A worker on a real socket; answers its address. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const manifest = {
  protocol: 1,
  worker: 'shop',
  version: '1.4.2',
  nodes: [{ name: 'a', type: 'custom', path: '/v1/a', service: 'geo', defaults: { prefetch: 5, timeoutMs: 9_000 } }],
}

test('a worker is registered with what it says of itself, and its nodes get defaults from it', async () => {
  const t = await openApi()
  const paths: (string | undefined)[] = []
  const url = await serve((request, response) => {
    paths.push(request.url)
    response.end(JSON.stringify(manifest))
  })
  const made = await t.post('/api/workers', { name: 'w', urls: [`${url}/base/`] })
  expect(made.status).toBe(201)
  expect(made.body).toMatchObject({ name: 'w', dialect: 'native', hasSecret: false, manifest: { version: '1.4.2' } })
  expect(paths).toEqual(['/base/.well-known/sluice-worker'])
  const one = { ...chain('orders'), nodes: chain('orders').nodes.slice(0, 2), edges: chain('orders').edges.slice(0, 1) }
  await t.post('/api/topologies', one)
  expect(await nodeOf(t, 'orders', 'a')).toMatchObject({ prefetch: 5, timeoutMs: 9_000, service: 'geo' })
  await t.post('/api/topologies/orders/publish')
  const { body } = await t.get('/api/topologies/orders/revisions/1')
  expect(body.plan.nodes[1]).toMatchObject({ path: '/v1/a', prefetch: 5, timeoutMs: 9_000, service: 'geo' })
})

test.each<[string, RequestListener, RegExp]>([
  ['redirects', (_, response) => response.writeHead(302, { location: '/elsewhere' }).end(), /status 302/],
  ['sends no manifest', (_, response) => response.end('{"protocol":2}'), /manifest has/],
  ['sends no JSON', (_, response) => response.end('hello'), /JSON/],
  ['nests without end', (_, response) => response.end('['.repeat(100_000)), /nested too deep/],
  ['sends without end', (_, response) => response.end(' '.repeat(1_200_000)), /larger than 1048576 bytes/],
  ['hangs up', (request) => request.socket.destroy(), /other side closed|ECONNRESET|socket/],
])('a worker that %s is registered, and a refresh says what it did', async (_, listener, why) => {
  const t = await openApi()
  const url = await serve(listener)
  expect((await t.post('/api/workers', { name: 'w', urls: [url] })).body).toMatchObject({ manifest: null })
  const answer = await t.post('/api/workers/w/refresh')
  expect(answer.body).toMatchObject({ status: 409, detail: expect.stringMatching(why) as string })
})

test('a manifest is read from the first instance that gives one', async () => {
  const t = await openApi()
  const url = await serve((_, response) => response.end(JSON.stringify(manifest)))
  await t.post('/api/workers', { name: 'w', urls: ['http://127.0.0.1:1', url] })
  expect((await t.post('/api/workers/w/refresh')).body).toMatchObject({ manifest: { worker: 'shop' } })
})

test('who watches hears of a manifest that was read again, after it is kept', async () => {
  const t = await openApi()
  const url = await serve((_, response) => response.end(JSON.stringify(manifest)))
  const told: unknown[] = []
  const { emit } = t.queues.events
  t.queues.events.emit = (event) => void told.push(event)
  onTestFinished(() => void (t.queues.events.emit = emit))
  await t.post('/api/workers', { name: 'w', urls: [url] })
  const heard = { kind: 'worker', name: 'w', removed: false }
  // That it is there, and what it says of itself.
  expect(told).toEqual([heard, heard])
  await t.post('/api/workers/w/refresh')
  expect(told).toEqual([heard, heard, heard])
})

test('a secret is kept encrypted and never shown', async () => {
  const t = await openApi()
  const worker = { urls: ['http://127.0.0.1:1'], dialect: 'orchesty' }
  const made = await t.post('/api/workers', { name: 'w', ...worker, secret: 'whsec_1' })
  expect(made.text).not.toContain('whsec_1')
  const stored = await getWorker(t.store, 'w')
  expect(decryptSecret(secretKey, stored.secret ?? '')).toBe('whsec_1')
  expect((await t.queues.config.config.get('worker.w'))?.json()).toMatchObject({ secret: stored.secret })
  expect((await t.send('PUT', '/api/workers/w', { json: worker })).body.hasSecret).toBe(true)
  expect((await t.send('PUT', '/api/workers/w', { json: { ...worker, secret: null } })).body.hasSecret).toBe(false)
})

test('health of an instance is what the live bridges see', async () => {
  const t = await openApi()
  const urls = ['http://127.0.0.1:1', 'http://127.0.0.1:2', 'http://127.0.0.1:3']
  await t.post('/api/workers', { name: 'w', urls, dialect: 'orchesty' })
  const since = '2026-03-01T10:00:00.000Z'
  const see = (url: string, state: 'closed' | 'open', inFlight: number) => {
    return { worker: 'w', url, state, since, reason: state === 'open' ? 'refused' : null, inFlight }
  }
  await beat(t, 'b1', { instances: [see(urls[0]!, 'closed', 2), see(`${urls[1]!} (10.0.0.1)`, 'open', 0)] })
  await beat(t, 'b2', { instances: [see(urls[0]!, 'open', 1)] })
  const open = { host: 'h', state: 'open', since, reason: 'refused' }
  expect((await t.get('/api/workers/w')).body.instances).toEqual([
    { url: urls[0], state: 'closed', since, reason: null, inFlight: 3, seenBy: [{ bridge: 'b2', ...open }] },
    { url: urls[1], state: 'open', since, reason: 'refused', inFlight: 0, seenBy: [{ bridge: 'b1', ...open }] },
    { url: urls[2], state: 'unknown', since: null, reason: null, inFlight: 0, seenBy: [] },
  ])
})

test('a worker that a published topology calls stays', async () => {
  const t = await openApi()
  await published(t, 'orders')
  expect((await t.send('DELETE', '/api/workers/w')).body).toMatchObject({
    status: 409,
    detail: expect.stringContaining('orders') as string,
  })
  await t.post('/api/topologies/orders/unpublish')
  expect((await t.send('DELETE', '/api/workers/w')).status).toBe(204)
  expect((await t.send('DELETE', '/api/workers/w')).status).toBe(404)
})

test.each([
  ['ftp://x', 'urls[0]'],
  ['http://user:pass@x', 'urls[0]'],
  ['http://x/?a=1', 'urls[0]'],
  ['nonsense', 'urls[0]'],
])('the address %s is refused', async (url, path) => {
  const t = await openApi()
  const answer = await t.post('/api/workers', { name: 'w', urls: [url] })
  expect(answer.body).toMatchObject({ status: 400, errors: [{ path }] })
})

test('services keep their limits', async () => {
  const t = await openApi()
  const limits = [
    { rate: 40, per: 'second', burst: 80, scope: 'tenant' },
    { rate: 10_000, per: 'day' },
  ]
  const made = await t.post('/api/services', { name: 'shopify', limits })
  expect(made).toMatchObject({ status: 201, body: { name: 'shopify', limits, maxInFlight: null } })
  expect((await t.post('/api/services', { name: 'shopify' })).status).toBe(409)
  const put = { json: { limits: [], maxInFlight: 4 }, headers: { 'if-match': made.headers.get('etag') ?? '' } }
  expect((await t.send('PUT', '/api/services/shopify', put)).body).toMatchObject({ limits: [], maxInFlight: 4 })
  expect((await t.send('PUT', '/api/services/shopify', put)).status).toBe(412)
  expect((await t.get('/api/services')).body).toMatchObject({ items: [{ name: 'shopify' }], next: null })
  expect((await t.post('/api/services', { name: 'x', limits: [{ rate: 0, per: 'year' }] })).body.errors).toHaveLength(2)
  expect((await t.send('DELETE', '/api/services/shopify')).status).toBe(204)
})
