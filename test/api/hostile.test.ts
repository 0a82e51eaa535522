import { expect, test } from 'vitest'
import { Unavailable } from '../../runtime/errors.ts'
import type { ControlQueues } from '../../runtime/queue/control.ts'
import { insertToken } from '../../runtime/store/queries/tokens.ts'
import { openStore } from '../../runtime/store/store.ts'
import { chain, openApi, published } from './open.ts'

const problem = 'application/problem+json'

test('without a token everything but probes and the docs is a 401', async () => {
  const t = await openApi()
  for (const path of ['/api/topologies', '/api/nope', '/start/a/b', '/nope', '/api/status']) {
    const answer = await t.send('GET', path, { token: null })
    expect([path, answer.status, answer.headers.get('content-type')]).toEqual([path, 401, problem])
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="sluiceway"')
  }
  const wrong = await t.send('GET', '/api/topologies', { token: 'wrong' })
  expect(wrong.headers.get('www-authenticate')).toContain('error="invalid_token"')
  const basic = { token: null, headers: { authorization: 'Basic YTpi' } }
  expect((await t.send('GET', '/api/topologies', basic)).status).toBe(401)
  for (const path of ['/healthz', '/api/docs', '/api/openapi.json'])
    expect((await t.send('GET', path, { token: null })).status).toBe(200)
})

test('a token does what its scopes allow, for its topology, until it expires or is revoked', async () => {
  const t = await openApi()
  await published(t, 'orders')
  await t.post('/api/topologies', chain('other'))
  const make = async (json: unknown) => (await t.post('/api/tokens', json)).body
  const { token, id } = await make({ name: 'ci', scopes: ['read', 'run'], topology: 'orders' })
  const status = async (method: string, path: string, token: string) => (await t.send(method, path, { token })).status
  expect(await status('GET', '/api/topologies/orders', token)).toBe(200)
  expect(await status('POST', '/api/topologies/orders/run', token)).toBe(202)
  expect(await status('POST', '/api/topologies/orders/publish', token)).toBe(403)
  expect(await status('GET', '/api/topologies/other', token)).toBe(403)
  expect(await status('GET', '/api/topologies', token)).toBe(403)
  expect(await status('GET', '/api/tokens', token)).toBe(403)
  const old = { name: 'old', scopes: ['admin'], topologyId: null, expiresAt: new Date(Date.now() - 1) }
  await insertToken(t.store, 'slw_old', old)
  expect(await status('GET', '/api/topologies', 'slw_old')).toBe(401)
  const list = await t.get('/api/tokens')
  expect(list.text).not.toContain(token)
  expect(list.body.items.find((item) => item.id === id)?.lastUsedAt).toMatch(/Z$/)
  expect((await t.send('DELETE', `/api/tokens/${id}`)).status).toBe(204)
  expect(await status('GET', '/api/topologies/orders', token)).toBe(401)
})

test('what messages hold is shown to the scope payload only', async () => {
  const t = await openApi()
  const { token } = (await t.post('/api/tokens', { name: 'viewer', scopes: ['read'] })).body
  expect((await t.send('GET', '/api/trash/nope', { token })).status).toBe(404)
  expect((await t.send('POST', '/api/trash/nope/replay', { token })).body).toMatchObject({
    status: 403,
    detail: 'this needs a token with the scope "operate"',
  })
})

test('unknown paths are 404, known ones with another method 405', async () => {
  const t = await openApi()
  const unknown = await t.get('/api/nope')
  expect(unknown.body).toMatchObject({ status: 404, title: 'Not Found', instance: '/api/nope' })
  expect(unknown.headers.get('content-type')).toBe(problem)
  const named = await t.send('DELETE', '/api/trash/groups')
  expect([named.status, named.headers.get('allow')]).toEqual([405, 'GET'])
  const wrong = await t.send('DELETE', '/api/topologies')
  expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, POST'])
})

test.each<[string, string, number]>([
  ['no JSON', '{', 400],
  ['a JSON list', '[]', 400],
  ['a JSON text', '"a"', 400],
  ['nothing', '', 400],
  ['a NUL in a name', '{"name":"a\\u0000"}', 400],
  ['a NUL deep inside', '{"name":"a","nodes":[{"name":"x","type":"start","settings":{"a":["\\u0000"]}}]}', 400],
  ['half of an emoji', '{"name":"a","description":"\\ud83d","nodes":[]}', 400],
  ['a key with a NUL', '{"name":"a","nodes":[],"\\u0000":1}', 400],
  ['deep nesting', `{"nodes":${'['.repeat(100_000)}`, 400],
  ['deep nesting that is complete', `{"nodes":${'['.repeat(5_000)}${']'.repeat(5_000)}}`, 400],
  ['a prototype', '{"__proto__":{"name":"a"}}', 400],
  ['a number for a name', '{"name":5,"nodes":[]}', 400],
  ['8 MiB and one byte', ' '.repeat(8 * 1024 * 1024 + 1), 413],
])('a document that is %s is refused as a problem', async (_, raw, status) => {
  const t = await openApi()
  const answer = await t.send('POST', '/api/topologies', { raw, headers: { 'content-type': 'application/json' } })
  expect([answer.status, answer.headers.get('content-type')]).toEqual([status, problem])
  expect(answer.text).not.toContain('    at ')
  if (status === 400) expect(answer.body.errors.length).toBeGreaterThan(0)
})

test('a body that is no UTF-8, or of another type, is refused', async () => {
  const t = await openApi()
  const json = { 'content-type': 'application/json' }
  const latin = await t.send('POST', '/api/topologies', { raw: Uint8Array.from([0x7b, 0xe9, 0x7d]), headers: json })
  expect(latin.status).toBe(400)
  for (const type of ['text/plain', 'application/xml', 'application/jsonx'])
    expect((await t.send('POST', '/api/topologies', { raw: '{}', headers: { 'content-type': type } })).status).toBe(415)
})

test('a body without an announced length and without an end is cut off', async () => {
  const t = await openApi()
  await published(t, 'orders')
  let sent = 0
  const raw = new ReadableStream({
    pull(controller) {
      sent += 1024 * 1024
      controller.enqueue(new Uint8Array(1024 * 1024))
    },
  })
  const answer = await t.send('POST', '/start/orders/start', { raw })
  expect(answer.status).toBe(413)
  expect(sent).toBeLessThan(36 * 1024 * 1024)
})

test.each([
  '/api/topologies?limit=0',
  '/api/topologies?limit=501',
  '/api/topologies?limit=x',
  '/api/topologies?after=%00',
  '/api/topologies?after=AAAA',
  '/api/runs?after=bm9uc2Vuc2U',
  '/api/runs?state=lost',
  '/api/runs?since=yesterday',
  '/api/trash?text=%00',
  '/api/topologies/a/revisions/0',
])('%s is a 400', async (path) => {
  const t = await openApi()
  const answer = await t.get(path)
  expect([answer.status, answer.headers.get('content-type')]).toEqual([400, problem])
})

test.each(['%00', '%', '%zz', '..%2f..%2fetc', '%F0%9F%90%8E', 'a'.repeat(5_000), "'; drop table runs; --"])(
  'the id %s is a 404 wherever there are ids',
  async (id) => {
    const t = await openApi()
    for (const path of ['topologies', 'nodes', 'runs', 'trash', 'workers', 'services'])
      expect([path, (await t.get(`/api/${path}/${id}`)).status]).toEqual([path, 404])
    expect((await t.post(`/api/topologies/${id}/publish`)).status).toBe(404)
  },
)

test('with Postgres away the API answers 503 with a reason, and lives', async () => {
  const t = await openApi({ store: openStore('postgres://nobody@127.0.0.1:1/none') })
  const answer = await t.get('/api/topologies')
  expect(answer.body).toMatchObject({ status: 503, detail: expect.stringContaining('Postgres') as string })
  expect(answer.headers.get('retry-after')).toBe('2')
  expect((await t.get('/healthz')).status).toBe(200)
  expect((await t.get('/readyz')).body.reasons[0]).toContain('Postgres')
  expect((await t.get('/api/status')).body.postgres).toMatchObject({ connected: false })
})

test('with NATS away what is stored can be read, and starts are a 503', async () => {
  const away = () => Promise.reject(new Unavailable('nats', 'NATS is away'))
  const before = await openApi()
  await published(before, 'orders')
  const queues = new Proxy({}, { get: () => away }) as ControlQueues
  const t = await openApi({ store: before.store, queues })
  expect((await t.post('/api/topologies/orders/run', {})).body).toMatchObject({ status: 503, detail: 'NATS is away' })
  expect((await t.get('/api/topologies/orders')).status).toBe(200)
  expect((await t.get('/api/workers/w')).body.instances).toMatchObject([{ state: 'unknown' }])
  expect((await t.get('/readyz')).body.reasons).toEqual(['NATS is away'])
  expect((await t.get('/api/status')).body.nats).toMatchObject({ connected: false, detail: 'NATS is away' })
})

test('an engine that fails says so without its insides', async () => {
  const queues = { paused: () => Promise.reject(new Error('secret detail')) } as unknown as ControlQueues
  const t = await openApi({ queues })
  const answer = await t.get('/api/queues')
  expect(answer.status).toBe(500)
  expect(answer.text).not.toContain('secret detail')
})
