import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { openApi } from '../api/open.ts'
import { loseAcknowledgements } from '../api/stored.ts'
import { github, openHook, startsOf, storedIn } from './open.ts'

const problem = 'application/problem+json'
const textOf = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString()

test('a delivery is accepted with its body, type and headers, and needs no token', async () => {
  const hook = await openHook({ accept: { headers: ['X-Extra', 'Event-Key'] } })
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'x-github-event': 'push',
    'x-extra': 'sv\u00c4\u008dět'.replace('ě', ''),
    'event-key': 'k',
    'x-other': 'no',
    'x-forwarded-host': 'no',
    cookie: 'a=b',
  }
  const raw = ' {"a": 1.0}\n'
  const answer = await hook.deliver({ raw, headers })
  expect([answer.status, answer.headers.get('location')]).toEqual([202, `/api/runs/${answer.body.runId}`])
  const [start] = await startsOf(hook, 1)
  expect(start).toMatchObject({ run: answer.body.runId, tenant: null, contentType: 'application/json; charset=utf-8' })
  expect(start?.headers).toEqual({ 'x-github-event': 'push', 'x-extra': 'svčt', 'x-event-key': 'k' })
  expect(textOf(start?.body ?? undefined)).toBe(raw)
})

test('a body is kept byte by byte, compressed or empty', async () => {
  const hook = await openHook()
  const packed = gzipSync('{"a":1}')
  const sent = await hook.deliver({
    raw: packed,
    headers: { 'content-encoding': 'gzip', 'content-type': 'application/json' },
  })
  const empty = await hook.deliver()
  expect([sent.status, empty.status]).toEqual([202, 202])
  const [one, two] = await startsOf(hook, 2)
  expect(Buffer.from(one?.body ?? [])).toEqual(packed)
  expect(one?.headers).toEqual({ 'x-content-encoding': 'gzip' })
  expect([two?.body?.byteLength, two?.contentType]).toEqual([0, 'application/octet-stream'])
})

test('a wrong signature is a 401, and nothing is stored', async () => {
  const hook = await openHook({ verify: { scheme: 'github' } })
  const before = await storedIn(hook)
  for (const headers of [
    {},
    github('other'),
    github('body', 'd', 'another secret'),
    { 'x-hub-signature-256': 'sha1=00' },
  ]) {
    const answer = await hook.deliver({ raw: 'body', headers })
    expect([answer.status, answer.headers.get('content-type')]).toEqual([401, problem])
    expect(answer.headers.get('www-authenticate')).toBe('Webhook scheme="github"')
  }
  expect(await storedIn(hook)).toBe(before)
  expect((await hook.deliver({ raw: 'body', headers: github('body') })).status).toBe(202)
})

test('whichever part of an address is wrong, the answer is the same 404', async () => {
  const hook = await openHook()
  const [, , topology, node, secret = ''] = hook.path.split('/')
  const wrong = [
    `/hooks/nobody/${node}/${secret}`,
    `/hooks/${topology}/nobody/${secret}`,
    `/hooks/${topology}/${node}/${secret.slice(0, -1)}_`,
    `/hooks/${topology}/${node}/slwh_${'x'.repeat(5_000)}`,
    `/hooks/${topology}/${node}/${secret}%2F`,
    `/hooks/${topology}/${node}/%00`,
    `/hooks/${topology}/${node}/%`,
    `/hooks/${topology}/a/${secret}`,
  ]
  const answers = await Promise.all(wrong.map(async (path) => hook.deliver({ path, raw: 'x' })))
  const first = answers[0]
  expect(first).toMatchObject({
    status: 404,
    body: { detail: 'there is no such webhook', instance: '/hooks/[redacted]' },
  })
  for (const { status, text } of answers) expect([status, text]).toEqual([404, first?.text])
  for (const method of ['GET', 'PUT'])
    expect((await hook.deliver({ path: wrong[0] ?? '', method })).text).toBe(first?.text)
})

test('paths that are no address of a webhook tell nothing of what was sent', async () => {
  const hook = await openHook()
  const secret = hook.path.split('/')[4] ?? ''
  for (const path of [
    `${hook.path}/more`,
    `/hooks/${secret}`,
    `/hooks/a/${secret}`,
    `//hooks/a/b/${secret}`,
    `/HOOKS/a/b/${secret}`,
  ]) {
    const answer = await hook.deliver({ path, raw: 'x' })
    expect([path, answer.status === 404 || answer.status === 401]).toEqual([path, true])
    expect(answer.text).not.toContain(secret)
  }
  const deleted = await hook.deliver({ method: 'DELETE' })
  expect([deleted.status, deleted.headers.get('allow')]).toEqual([405, 'GET, POST, PUT'])
  expect(deleted.text).not.toContain(secret)
})

test('an address that sends too many wrong ones has to wait, and locks nobody out of the API', async () => {
  const hook = await openHook({}, { given: await openApi({ access: { failuresPerMinute: 3 } }) })
  expect((await hook.deliver({ raw: 'x' })).status).toBe(202)
  const statuses: number[] = []
  for (let n = 0; n < 4; n++) statuses.push((await hook.deliver({ path: `/hooks/shop/paid/wrong-${n}` })).status)
  expect(statuses).toEqual([404, 404, 404, 429])
  // What has worked before works on.
  expect((await hook.deliver({ raw: 'x' })).status).toBe(202)
  expect((await hook.t.send('GET', '/api/topologies', { token: 'slw_wrong' })).status).toBe(401)
})

test('methods, sizes and content types are taken as the document says', async () => {
  const hook = await openHook({ accept: { methods: ['PUT'], maxBytes: 10 } })
  const post = await hook.deliver({ raw: 'x' })
  expect([post.status, post.headers.get('allow')]).toEqual([405, 'PUT'])
  const get = await hook.deliver({ method: 'GET' })
  expect([get.status, get.headers.get('allow')]).toEqual([405, 'PUT'])
  expect((await hook.deliver({ method: 'PUT', raw: '0123456789' })).status).toBe(202)
  const large = await hook.deliver({ method: 'PUT', raw: '0123456789a' })
  expect(large).toMatchObject({ status: 413, body: { detail: 'the body is larger than 10 bytes' } })
  const odd = await hook.deliver({ method: 'PUT', raw: 'x', headers: { 'content-type': 'é' } })
  expect(odd).toMatchObject({ status: 400, body: { errors: [{ path: 'content-type' }] } })
})

test('headers that are too large to travel are refused, and those that are not carried make no difference', async () => {
  const hook = await openHook({ accept: { headers: ['x-extra'] } })
  const large = await hook.deliver({ raw: 'x', headers: { 'x-extra': 'a'.repeat(5_000) } })
  expect([large.status, large.body.errors[0]?.path]).toEqual([400, 'x-extra'])
  expect((await hook.deliver({ raw: 'x', headers: { 'x-other': 'a'.repeat(5_000) } })).status).toBe(202)
})

test.each([
  ['query:shop', '?shop=acme', {}, 'acme'],
  ['header:x-tenant', '', { 'x-tenant': 'acme' }, 'acme'],
  ['/shop/id', '', {}, '7'],
  ['fixed:acme', '?shop=other', {}, 'acme'],
])('the tenant stands at %s', async (tenant, query, headers, expected) => {
  const hook = await openHook({ accept: { tenant } })
  const json = { shop: { id: 7 } }
  expect((await hook.deliver({ query, headers, json })).status).toBe(202)
  expect((await startsOf(hook, 1))[0]?.tenant).toBe(expected)
  if (tenant.startsWith('fixed:')) return
  const none = await hook.deliver({ json: {} })
  expect(none).toMatchObject({ status: 400, body: { errors: [{ path: tenant }] } })
})

test('a tenant in the query is refused unless the document says that it stands there', async () => {
  const hook = await openHook()
  expect(await hook.deliver({ query: '?tenant=acme' })).toMatchObject({
    status: 400,
    body: { errors: [{ path: 'tenant' }] },
  })
  const allowed = await openHook({ accept: { tenant: 'query:tenant' } })
  expect((await allowed.deliver({ query: '?tenant=acme&tenant=other' })).status).toBe(400)
  expect((await allowed.deliver({ query: `?tenant=${'a'.repeat(201)}` })).status).toBe(400)
})

test('while the topology or the node is disabled or not published, senders are told to come again', async () => {
  const hook = await openHook({ verify: { scheme: 'github' }, handshake: { query: 'q' } })
  const send = () => hook.deliver({ raw: 'x', headers: github('x') })
  const change = (path: string, enabled: boolean) => hook.t.send('PATCH', path, { json: { enabled } })
  for (const path of ['/api/topologies/shop', `/api/nodes/${hook.nodeId}`]) {
    await change(path, false)
    const answer = await send()
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2'])
    // An address can be registered before it is switched on.
    expect((await hook.deliver({ method: 'GET', query: '?q=1' })).text).toBe('1')
    await change(path, true)
    expect((await send()).status).toBe(202)
  }
  const before = await storedIn(hook)
  await hook.t.post('/api/topologies/shop/unpublish')
  expect((await send()).status).toBe(503)
  expect(await storedIn(hook)).toBe(before)
})

test('without a secret nothing is taken that has to be verified', async () => {
  const hook = await openHook({ verify: { scheme: 'github' } }, { secret: null })
  expect(await hook.deliver({ raw: 'x', headers: github('x') })).toMatchObject({
    status: 503,
    body: { detail: 'the webhook "paid" has no secret yet' },
  })
})

test('a delivery whose acknowledgement is lost is told to be perhaps stored, and whether it may be sent again', async () => {
  const hook = await openHook({ verify: { scheme: 'github' } })
  const mend = loseAcknowledgements(hook.t)
  const unnamed = await hook.deliver({ raw: 'one', headers: github('one') })
  const named = await hook.deliver({ raw: 'two', headers: github('two', 'd1') })
  mend()
  expect([unnamed.status, named.status, named.headers.get('retry-after')]).toEqual([503, 503, '2'])
  expect(unnamed.body.detail).toMatch(
    /it may have, and .* it would be another run, since it has no id.*accept.deliveryId/,
  )
  expect(named.body.detail).toMatch(/it may have, and .* sent again it is that run in any case$/)
  const again = await hook.deliver({ raw: 'two', headers: github('two', 'd1') })
  expect(named.body.detail).toContain(again.body.runId)
  expect(await storedIn(hook)).toBe(2)
})
