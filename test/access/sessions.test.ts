import { expect, test } from 'vitest'
import { createApi } from '../../runtime/api/api.ts'
import { findSession } from '../../runtime/store/queries/sessions.ts'
import { sql } from 'drizzle-orm'
import { adminToken, chain, openApi } from '../api/open.ts'
import type { TestApi } from '../api/open.ts'
import { eventually } from '../support/eventually.ts'
import { fromHere, logIn, tokenOf } from './world.ts'

const whoAmI = (t: TestApi, cookie: string) => t.send('GET', '/api/session', { token: null, headers: { cookie } })
const statusOf = async (t: TestApi, cookie: string) => (await whoAmI(t, cookie)).status

/** Creates a service by the cookie; answers the status. */
let services = 0
async function change(t: TestApi, cookie: string, headers: Record<string, string>): Promise<number> {
  const json = { name: `s${services++}`, limits: [] }
  return (await t.send('POST', '/api/services', { token: null, json, headers: { cookie, ...headers } })).status
}

test('a token buys a cookie that no script can read and no other site makes a browser send', async () => {
  const t = await openApi()
  const { answer, cookie } = await logIn(t, adminToken)
  expect(answer.status).toBe(201)
  expect(answer.headers.get('set-cookie')).toMatch(
    /^sluice_session=slws_[\w-]{43}; Max-Age=7200; Path=\/; HttpOnly; SameSite=Strict$/,
  )
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expect(answer.text).not.toContain('slws_')
  const who = await whoAmI(t, cookie)
  const { expiresAt, ...rest } = who.body as unknown as Record<string, string>
  const sessionId = expect.any(String) as string
  expect(rest).toEqual({ name: 'admin', scopes: ['admin'], topology: null, topologyId: null, tokenId: null, sessionId })
  expect(Math.abs(Date.parse(expiresAt ?? '') - Date.now() - 3_600_000)).toBeLessThan(30_000)
  expect(who.headers.get('cache-control')).toBe('no-store')
  const stored = await t.store.query((db) => db.execute(sql`select * from sessions`))
  expect(JSON.stringify(stored)).not.toContain(cookie.slice('sluice_session='.length))
})

test('who a token is can be asked with the token itself', async () => {
  const t = await openApi()
  const { id } = (await t.post('/api/topologies', chain('orders'))).body
  const expiresAt = new Date(Date.now() + 60_000)
  const token = await tokenOf(t, ['read', 'run'], { name: 'ci', topologyId: id, expiresAt })
  expect((await t.send('GET', '/api/session', { token })).body).toMatchObject({
    ...{ name: 'ci', scopes: ['read', 'run'], topology: 'orders', topologyId: id, sessionId: null },
    expiresAt: expiresAt.toISOString(),
  })
  expect(await t.send('DELETE', '/api/session', { token })).toMatchObject({ status: 409 })
})

test('over https, as a trusted proxy says, the cookie is Secure and for this host alone', async () => {
  const t = await openApi({ access: { trustedProxies: ['10.0.0.0/8'] } })
  const send = (remoteAddress: string, headers: Record<string, string>, method = 'POST') => {
    const init = { method, headers: { 'content-type': 'application/json', ...headers } }
    const body = method === 'POST' ? { body: JSON.stringify({ token: adminToken }) } : {}
    return t.api.request('/api/session', { ...init, ...body }, { incoming: { socket: { remoteAddress } } })
  }
  const https = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'sluice.example' }
  const secure = (await send('10.1.2.3', https)).headers.get('set-cookie') ?? ''
  expect(secure).toMatch(/^__Host-sluice_session=\S+; Max-Age=7200; Path=\/; HttpOnly; Secure; SameSite=Strict$/)
  const cookie = secure.split(';')[0] ?? ''
  expect((await send('10.1.2.3', { ...https, cookie }, 'GET')).status).toBe(200)
  // A cookie that didn't come over https isn't taken there.
  expect((await send('10.1.2.3', { ...https, cookie: cookie.replace('__Host-', '') }, 'GET')).status).toBe(401)
  expect((await send('192.168.0.1', https)).headers.get('set-cookie')).toMatch(/^sluice_session=/)
  const origin = { cookie, ...https, 'sluice-csrf': '1', origin: 'https://sluice.example' }
  expect((await send('10.1.2.3', { ...origin, origin: 'http://sluice.example' }, 'DELETE')).status).toBe(403)
  expect((await send('10.1.2.3', origin, 'DELETE')).status).toBe(204)
})

test.each<[string, Record<string, string>, number]>([
  ['a browser that says same-origin', { 'sec-fetch-site': 'same-origin' }, 201],
  ['the origin by which it was reached', { origin: 'http://localhost' }, 201],
  ['that origin with its default port', { origin: 'http://localhost:80' }, 201],
  ['neither', {}, 403],
  ['another site', { 'sec-fetch-site': 'cross-site', origin: 'http://localhost' }, 403],
  ['another host of the site', { 'sec-fetch-site': 'same-site' }, 403],
  ['no page at all', { 'sec-fetch-site': 'none' }, 403],
  ['another origin', { origin: 'http://evil.example' }, 403],
  ['another port', { origin: 'http://localhost:8485' }, 403],
  ['another scheme', { origin: 'https://localhost' }, 403],
  ['a sandbox', { origin: 'null' }, 403],
  ['nonsense', { origin: 'http://[' }, 403],
  ['no origin at all', { origin: '' }, 403],
])('a change by cookie with %s is a matter of where it comes from', async (_, headers, status) => {
  const t = await openApi()
  const { cookie } = await logIn(t, adminToken)
  expect(await change(t, cookie, { 'sluice-csrf': '1', ...headers })).toBe(status)
  expect(await change(t, cookie, { 'sluice-csrf': '0', ...headers })).toBe(403)
  expect(await change(t, cookie, headers)).toBe(403)
  // A token that is sent is no cookie that a browser adds.
  const json = { name: `s${services++}`, limits: [] }
  expect((await t.send('POST', '/api/services', { json, headers: { cookie, ...headers } })).status).toBe(201)
})

test('a page of another origin cannot log a browser in', async () => {
  const t = await openApi()
  expect((await logIn(t, adminToken, { 'sec-fetch-site': 'cross-site' })).answer.status).toBe(403)
  expect((await logIn(t, adminToken, { origin: 'http://evil.example' })).answer.status).toBe(403)
  expect((await logIn(t, adminToken, fromHere)).answer.status).toBe(201)
  const form = { raw: `{"token":"${adminToken}"}`, headers: { 'content-type': 'text/plain' }, token: null }
  expect((await t.send('POST', '/api/session', form)).status).toBe(415)
})

test('a logout ends the session, and a new login the one before', async () => {
  const t = await openApi()
  const { cookie } = await logIn(t, adminToken)
  const { cookie: second } = await logIn(t, adminToken, { cookie })
  expect([await statusOf(t, cookie), await statusOf(t, second)]).toEqual([401, 200])
  const out = await t.send('DELETE', '/api/session', { token: null, headers: { cookie: second, ...fromHere } })
  expect([out.status, out.headers.get('set-cookie')]).toEqual([
    204,
    expect.stringMatching(/^sluice_session=; Max-Age=0;/),
  ])
  const after = await whoAmI(t, second)
  expect([after.status, after.headers.get('set-cookie')]).toEqual([401, expect.stringContaining('Max-Age=0')])
})

test('a session ends with its token, when that is revoked and when it expires', async () => {
  const t = await openApi()
  const expiresAt = new Date(Date.now() + 400)
  const short = await logIn(t, await tokenOf(t, ['read'], { expiresAt }))
  const revoked = await logIn(t, await tokenOf(t, ['read'], { name: 'gone' }))
  expect((short.answer.body as unknown as { expiresAt: string }).expiresAt).toBe(expiresAt.toISOString())
  const { items } = (await t.get('/api/tokens')).body
  await t.send('DELETE', `/api/tokens/${items.find(({ name }) => name === 'gone')?.id}`)
  expect(await statusOf(t, revoked.cookie)).toBe(401)
  await eventually('the token expires', async () => (await statusOf(t, short.cookie)) === 401)
})

test('a session ends when it is not used, and in the end however much it is used', async () => {
  const idle = await openApi({ access: { sessionIdleMs: 500 } })
  const [kept, left] = [await logIn(idle, adminToken), await logIn(idle, adminToken)]
  const until = Date.now() + 900
  await eventually('it is used for longer than it may rest', async () => {
    expect(await statusOf(idle, kept.cookie)).toBe(200)
    return Date.now() > until
  })
  expect(await statusOf(idle, left.cookie)).toBe(401)
  const short = await openApi({ access: { sessionMaxMs: 300 } })
  const { cookie } = await logIn(short, adminToken)
  await eventually('it ends', async () => (await statusOf(short, cookie)) === 401)
})

test('a session of the admin token ends when the engine has another one', async () => {
  const t = await openApi()
  const { cookie } = await logIn(t, adminToken)
  const text = cookie.slice('sluice_session='.length)
  expect(await findSession(t.store, text, { idleMs: 60_000, adminToken })).not.toBeNull()
  expect(await findSession(t.store, text, { idleMs: 60_000, adminToken: 'another-token-of-16' })).toBeNull()
})

test('what a session is, and what a token is, are not taken for each other', async () => {
  const t = await openApi()
  const token = await tokenOf(t, ['admin'])
  const { cookie } = await logIn(t, token)
  const text = cookie.slice('sluice_session='.length)
  expect((await t.send('GET', '/api/tokens', { token: text })).status).toBe(401)
  expect(await statusOf(t, `sluice_session=${token}`)).toBe(401)
  expect(await statusOf(t, `sluice_session=${adminToken}`)).toBe(401)
})

test.each([
  ['no token', {}, 400],
  ['a number', { token: 5 }, 400],
  ['an empty one', { token: '' }, 400],
  ['a huge one', { token: 'x'.repeat(501) }, 400],
  ['one in a list', { token: [adminToken] }, 400],
  ['more than a token', { token: adminToken, scopes: ['admin'] }, 400],
  ['a wrong one', { token: 'slw_wrong' }, 401],
  ['one with a NUL', { token: 'slw_\u0000' }, 400],
])('a login with %s is refused, and says nothing of what was sent', async (_, json, status) => {
  const t = await openApi()
  const answer = await t.send('POST', '/api/session', { token: null, json })
  expect([answer.status, answer.headers.get('set-cookie')]).toEqual([status, null])
  expect(answer.text).not.toContain(adminToken)
})

test.each(['sluice_session', 'sluice_session=', 'sluice_session=%00', `sluice_session=${'x'.repeat(5_000)}`, ';;;='])(
  'the cookie %s lets nobody in',
  async (cookie) => {
    const t = await openApi()
    expect(await statusOf(t, cookie)).toBe(401)
  },
)

test('the description of the API needs no settings', async () => {
  const api = createApi({ version: '1', consoleFolder: null } as Parameters<typeof createApi>[0])
  expect((await api.request('/api/openapi.json', { headers: { cookie: 'sluice_session=x' } })).status).toBe(200)
})
