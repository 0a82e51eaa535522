import { expect, test } from 'vitest'
import { chain, openApi } from '../api/open.ts'
import { tokenOf } from './world.ts'

test.each([
  ['a time that is over', { expiresAt: '2020-01-01T00:00:00Z' }, /^expiresAt: expected a time to come; it is 20/],
  ['no time', { expiresAt: 'tomorrow' }, /expected a time such as 2027-01-01T00:00:00Z/],
  ['a time without a zone', { expiresAt: '2999-01-01T00:00:00' }, /expected a time such as/],
  ['no scopes', { scopes: [] }, /scopes/],
  ['a scope that there is not', { scopes: ['root'] }, /scopes\[0\]/],
  ['more scopes than there are', { scopes: Array.from({ length: 7 }, () => 'read') }, /scopes/],
  ['no name', { name: '' }, /name/],
  ['a long name', { name: 'x'.repeat(101) }, /name/],
  ['the name of the admin token', { name: 'admin' }, /^name: "admin" is the name of SLUICE_ADMIN_TOKEN/],
  ['what only the engine sets', { hash: 'x' }, /hash/],
])('a token with %s is refused', async (_, more, why) => {
  const t = await openApi()
  const answer = await t.post('/api/tokens', { name: 'ci', scopes: ['read'], ...more })
  expect(answer.body).toMatchObject({ status: 400, detail: expect.stringMatching(why) as string })
  expect(answer.body.errors).toHaveLength(1)
  expect((await t.get('/api/tokens')).body.items).toEqual([])
})

test('a token of a topology that is not there is a 404, and one of a deleted topology is gone', async () => {
  const t = await openApi()
  const body = { name: 'ci', scopes: ['read'], topology: 'orders' }
  expect((await t.post('/api/tokens', body)).status).toBe(404)
  await t.post('/api/topologies', chain('orders'))
  const { token, id } = (await t.post('/api/tokens', body)).body
  expect((await t.send('GET', '/api/topologies/orders', { token })).status).toBe(200)
  await t.send('DELETE', '/api/topologies/orders')
  expect((await t.send('GET', '/api/session', { token })).status).toBe(401)
  expect((await t.get(`/api/tokens/${id}`)).status).toBe(404)
})

test('a token is shown without its text, with its last use, page by page', async () => {
  const t = await openApi()
  const made = await t.post('/api/tokens', { name: 'ci', scopes: ['read', 'read'], expiresAt: '2999-01-01T00:00:00Z' })
  expect(made.headers.get('location')).toBe(`/api/tokens/${made.body.id}`)
  expect(made.headers.get('cache-control')).toBe('no-store')
  const { token, ...shown } = made.body
  expect((await t.get(`/api/tokens/${shown.id}`)).body).toEqual({ ...shown, scopes: ['read'], lastUsedAt: null })
  await t.send('GET', '/api/topologies', { token })
  expect((await t.get(`/api/tokens/${shown.id}`)).body.lastUsedAt).toMatch(/^20.*Z$/)
  await tokenOf(t, ['run'])
  const first = (await t.get('/api/tokens?limit=1')).body
  const second = (await t.get(`/api/tokens?limit=1&after=${first.next}`)).body
  expect([first.items.length, second.items.length, second.next]).toEqual([1, 1, null])
  expect(first.items[0]?.id).not.toBe(second.items[0]?.id)
})

test('only admin makes tokens, of all topologies', async () => {
  const t = await openApi()
  const { id } = (await t.post('/api/topologies', chain('orders'))).body
  const some = await tokenOf(t, ['read', 'payload', 'run', 'operate', 'design'])
  const ofOne = await tokenOf(t, ['admin'], { topologyId: id })
  for (const token of [some, ofOne])
    expect((await t.send('POST', '/api/tokens', { token, json: { name: 'more', scopes: ['admin'] } })).status).toBe(403)
})

test('a token may revoke itself', async () => {
  const t = await openApi()
  const { token, id } = (await t.post('/api/tokens', { name: 'ci', scopes: ['admin'] })).body
  expect((await t.send('DELETE', `/api/tokens/${id}`, { token })).status).toBe(204)
  expect((await t.send('GET', '/api/tokens', { token })).status).toBe(401)
  const [entry] = (await t.get('/api/audit?action=deleteToken')).body.items
  expect(entry).toMatchObject({ who: 'ci', tokenId: id, target: { kind: 'token', id }, after: null })
})
