import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { nodeOf, openApi, published } from '../api/open.ts'
import type { Answer, TestApi } from '../api/open.ts'
import { tokenOf } from '../access/world.ts'
import { github, openHook, pathOf, secret, shop } from './open.ts'
import type { HookApi } from './open.ts'

const rotate = ({ t, nodeId }: HookApi, json = {}) => t.post(`/api/nodes/${nodeId}/webhook/rotate`, json)
const set = ({ t, nodeId }: HookApi, json: unknown, headers = {}) =>
  t.send('PUT', `/api/nodes/${nodeId}/webhook`, { json, headers })
const rowsOf = async (t: TestApi) => [
  ...(await t.store.query((db) => db.execute('select node_id, path_hash, version from webhooks'))),
]
const pathIn = ({ text }: Answer) => new URL((JSON.parse(text) as { url: string }).url).pathname

test('an address is made when its node is saved, is the same from then on, and is told by ids; asking for it changes nothing', async () => {
  const t = await openApi()
  const { id } = (await t.post('/api/topologies', shop())).body
  const made = await rowsOf(t)
  expect(made).toHaveLength(1)
  const node = await nodeOf(t, 'shop', 'paid')
  const asked = await Promise.all(Array.from({ length: 5 }, () => pathOf(t, node.id)))
  expect(new Set(asked).size).toBe(1)
  expect(asked[0]).toMatch(new RegExp(`^/hooks/${id}/paid/slwh_[\\w-]{43}$`))
  const { body } = await t.get(`/api/nodes/${node.id}/webhook`)
  expect(body).toMatchObject({ topology: 'shop', node: 'paid', scheme: null, hasSecret: false, previousUntil: null })
  await t.send('PUT', '/api/topologies/shop', { json: { ...shop(), description: 'more' } })
  expect(await rowsOf(t)).toEqual(made)
})

test('a webhook that an older version saved gets its address with the next save, be it the same document', async () => {
  const t = await openApi()
  await t.post('/api/topologies', shop())
  await t.store.query((db) => db.execute('delete from webhooks'))
  const { id } = await nodeOf(t, 'shop', 'paid')
  expect(await t.get(`/api/nodes/${id}/webhook`)).toMatchObject({
    status: 409,
    body: { detail: expect.stringMatching(/no address yet: save it again/) as string },
  })
  await t.send('PUT', '/api/topologies/shop', { json: shop() })
  expect(await pathOf(t, id)).toMatch(/slwh_/)
})

test('an address goes by names, too, and survives that the topology is renamed', async () => {
  const hook = await openHook()
  const last = hook.path.split('/')[4] ?? ''
  expect((await hook.deliver({ path: `/hooks/shop/paid/${last}`, raw: 'x' })).status).toBe(202)
  expect((await hook.deliver({ path: `/hooks/shop/${hook.nodeId}/${last}`, raw: 'x' })).status).toBe(202)
  await hook.t.send('PUT', '/api/topologies/shop', { json: { ...shop(), name: 'store' } })
  expect((await hook.deliver({ raw: 'x' })).status).toBe(202)
})

test('an address that is rotated works on for the grace period, and one before that does not', async () => {
  const hook = await openHook()
  const status = async (path: string) => (await hook.deliver({ path, raw: 'x' })).status
  const second = pathIn(await rotate(hook, { graceSeconds: 60 }))
  expect([await status(hook.path), await status(second)]).toEqual([202, 202])
  const third = await rotate(hook)
  expect(Date.parse((third.body as unknown as { previousUntil: string }).previousUntil)).toBeGreaterThan(
    Date.now() + 86_000_000,
  )
  expect([await status(hook.path), await status(second), await status(pathIn(third))]).toEqual([404, 202, 202])
  const fourth = await rotate(hook, { graceSeconds: 0 })
  expect(fourth.body).toMatchObject({ previousUntil: null })
  expect([await status(pathIn(third)), await status(pathIn(fourth))]).toEqual([404, 202])
})

test('the grace period ends', async () => {
  const hook = await openHook()
  await rotate(hook, { graceSeconds: 60 })
  await hook.t.store.query((db) => db.execute(sql`update webhooks set previous_path_until = now()`))
  expect((await hook.deliver({ raw: 'x' })).status).toBe(404)
})

test('a revoked address is useless at once, also at another control, until it is rotated', async () => {
  const hook = await openHook()
  const other = await openApi({ store: hook.t.store })
  const there = async () => (await other.send('POST', hook.path, { token: null, raw: 'x' })).status
  expect(await there()).toBe(202)
  await rotate(hook, { graceSeconds: 60 })
  expect((await hook.t.send('DELETE', `/api/nodes/${hook.nodeId}/webhook`)).status).toBe(204)
  expect([(await hook.deliver({ raw: 'x' })).status, await there()]).toEqual([404, 404])
  const { body } = await hook.t.get(`/api/nodes/${hook.nodeId}/webhook`)
  expect(body).toMatchObject({ url: null, notes: [expect.stringContaining('revoked'), expect.any(String)] })
  expect((await hook.deliver({ path: pathIn(await rotate(hook)), raw: 'x' })).status).toBe(202)
  expect((await hook.deliver({ raw: 'x' })).status).toBe(404)
})

test('two secrets sign while one replaces the other', async () => {
  const hook = await openHook({ verify: { scheme: 'github' } })
  const status = async (by: string) => (await hook.deliver({ raw: 'x', headers: github('x', undefined, by) })).status
  await set(hook, { secret: 'the new one', graceSeconds: 60 })
  expect([await status(secret), await status('the new one'), await status('another')]).toEqual([202, 202, 401])
  await set(hook, { secret: 'the newest', graceSeconds: 0 })
  expect([await status('the new one'), await status('the newest')]).toEqual([401, 202])
  await set(hook, { secret: null })
  expect(await status('the newest')).toBe(503)
})

test('what is set is never shown, and what is left out stays', async () => {
  const hook = await openHook({ verify: { scheme: 'github' } })
  const { body, text } = await set(hook, { verifyToken: 'the verify token' })
  expect(body).toMatchObject({ hasSecret: true, hasVerifyToken: true, scheme: 'github', previousSecretUntil: null })
  for (const hidden of [secret, 'the verify token']) expect(text).not.toContain(hidden)
  const [row] = await hook.t.store.query((db) => db.execute(sql`select * from webhooks`))
  expect(JSON.stringify(row)).not.toContain(hook.path.split('/')[4])
  expect(JSON.stringify(row)).not.toContain(secret)
})

test('changes lose no race, and the audit log says what changed without the secrets', async () => {
  const hook = await openHook()
  const etag = (await hook.t.get(`/api/nodes/${hook.nodeId}/webhook`)).headers.get('etag') ?? ''
  expect((await set(hook, { secret: 'the first' }, { 'if-match': etag })).status).toBe(200)
  expect((await set(hook, { secret: 'the second' }, { 'if-match': etag })).status).toBe(412)
  const [entry] = (await hook.t.get('/api/audit?action=setWebhookSecrets')).body.items
  expect(entry).toMatchObject({
    target: { kind: 'node', id: hook.nodeId, name: 'paid' },
    before: { signingSecret: null },
    after: { signingSecret: '[redacted]' },
  })
})

test.each([
  [{ secret: '' }, 'secret'],
  [{ secret: 'seven c' }, 'secret'],
  [{ secret: 'x'.repeat(501) }, 'secret'],
  [{ secret: 7 }, 'secret'],
  [{ secret: 'a\u0000b' }, 'secret'],
  [{ secret: 'whsec_no base64' }, 'secret'],
  [{ secret: 'whsec_' }, 'secret'],
  [{ verifyToken: '' }, 'verifyToken'],
  [{ graceSeconds: -1 }, 'graceSeconds'],
  [{ graceSeconds: 2_592_001 }, 'graceSeconds'],
  [{ pathSecret: 'mine' }, ''],
])('%j is refused', async (json, path) => {
  const hook = await openHook({ verify: { scheme: 'standard-webhooks' } }, { secret: null })
  const answer = await set(hook, json)
  expect([answer.status, answer.body.errors[0]?.path ?? '']).toEqual([400, path])
})

test('only webhook nodes have an address', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const { id } = await nodeOf(t, 'orders', 'start')
  for (const [method, path] of [
    ['GET', 'webhook'],
    ['PUT', 'webhook'],
    ['DELETE', 'webhook'],
    ['POST', 'webhook/rotate'],
  ] as const)
    expect((await t.send(method, `/api/nodes/${id}/${path}`, method === 'GET' ? {} : { json: {} })).status).toBe(409)
  expect((await t.get('/api/nodes/nobody/webhook')).status).toBe(404)
})

test('operate or design will do for it, and nothing less', async () => {
  const hook = await openHook()
  const status = async (t: TestApi, scope: 'operate' | 'design' | 'read') =>
    (await t.send('GET', `/api/nodes/${hook.nodeId}/webhook`, { token: await tokenOf(t, [scope]) })).status
  expect([await status(hook.t, 'operate'), await status(hook.t, 'design')]).toEqual([200, 200])
  expect(
    await hook.t.send('GET', `/api/nodes/${hook.nodeId}/webhook`, { token: await tokenOf(hook.t, ['run']) }),
  ).toMatchObject({
    status: 403,
    body: { detail: 'this needs a token with the scope "operate" or "design"' },
  })
})

test('notes tell why deliveries would be refused', async () => {
  const hook = await openHook({ verify: { scheme: 'github' }, handshake: { query: 'q', token: 't' } }, { secret: null })
  await hook.t.send('PATCH', '/api/topologies/shop', { json: { enabled: false } })
  expect((await hook.t.get(`/api/nodes/${hook.nodeId}/webhook`)).body).toMatchObject({
    notes: [
      'deliveries are answered with 503: the topology is disabled',
      'deliveries are refused until its secret is set (verify: github)',
      'handshakes are refused until its verify token is set',
    ],
  })
})
