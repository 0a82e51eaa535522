import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { getRequestListener } from '@hono/node-server'
import { sql } from 'drizzle-orm'
import { expect, onTestFinished, test } from 'vitest'
import type { Scope } from '../../runtime/api/deps.ts'
import { openStore } from '../../runtime/store/store.ts'
import { adminToken, chain, openApi } from '../api/open.ts'
import type { TestApi } from '../api/open.ts'
import { freshDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { fromHere, logIn, tokenOf } from './world.ts'

/** An event stream, read all the time; `isOver` when the engine has ended it. */
async function watch(t: TestApi, headers: Record<string, string>, path = '/api/events') {
  const gone = new AbortController()
  onTestFinished(() => gone.abort())
  const response = await t.api.request(path, { headers, signal: gone.signal })
  expect(response.status).toBe(200)
  const watching = { isOver: false }
  void response.text().then(() => (watching.isOver = true))
  return watching
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const over = (what: string, watching: { isOver: boolean }) =>
  eventually(what, () => watching.isOver, { timeoutMs: 6_000 })
const scopes: Scope[] = ['read']

test('an open stream ends when its token is revoked, at this control or another, and others go on', async () => {
  const url = await freshDatabase()
  const [here, there] = [await openApi({ store: openStore(url, 4) }), await openApi({ store: openStore(url, 4) })]
  const token = await tokenOf(here, scopes, { name: 'gone' })
  const watching = [await watch(here, bearer(token)), await watch(there, bearer(token))] as const
  const kept = await watch(there, bearer(adminToken))
  const { items } = (await here.get('/api/tokens')).body
  expect((await here.send('DELETE', `/api/tokens/${items[0]?.id}`)).status).toBe(204)
  await over('the stream ends where the token was revoked', watching[0])
  await over('and at the other control', watching[1])
  expect(kept.isOver).toBe(false)
})

test('an open stream ends when its token expires, also while Postgres is away', async () => {
  const t = await openApi()
  const expiresAt = new Date(Date.now() + 700)
  const token = await tokenOf(t, scopes, { expiresAt })
  const [expiring, kept] = [await watch(t, bearer(token)), await watch(t, bearer(adminToken))]
  const long = await watch(t, bearer(await tokenOf(t, scopes)))
  await t.store.close()
  await over('the stream ends', expiring)
  expect([kept.isOver, long.isOver]).toEqual([false, false])
})

test('an open stream ends when its token expires, also while Postgres answers nothing', async () => {
  const url = await freshDatabase()
  const t = await openApi({ store: openStore(url, 4) })
  const other = openStore(url, 1)
  onTestFinished(() => other.close())
  const expiring = await watch(t, bearer(await tokenOf(t, scopes, { expiresAt: new Date(Date.now() + 2_500) })))
  await other.transaction(async (inside) => {
    await inside.query((db) => db.execute(sql`lock table tokens in access exclusive mode`))
    await over('the stream ends', expiring)
  })
})

test('the connection of a client that does not read is closed when its token is revoked', async () => {
  const t = await openApi()
  const listener = getRequestListener(t.api.fetch)
  const server = createServer((request, response) => void listener(request, response))
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const token = await tokenOf(t, scopes, { name: 'gone' })
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  socket.on('error', () => {})
  socket.write(`GET /api/events?kinds=pause HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer ${token}\r\n\r\n`)
  await once(socket, 'data')
  socket.pause()
  for (let n = 0; n < 300; n++) t.queues.events.emit({ kind: 'pause', nodeId: `n${n}`, reason: 'x'.repeat(50_000) })
  const open = () => promisify(server.getConnections.bind(server))()
  expect(await open()).toBe(1)
  const { items } = (await t.get('/api/tokens')).body
  await t.send('DELETE', `/api/tokens/${items[0]?.id}`)
  await eventually('its connection is closed', async () => (await open()) === 0, { timeoutMs: 8_000 })
})

test('an open stream of a login ends with its logout, when nobody uses it, and at its greatest age', async () => {
  const t = await openApi({ access: { sessionIdleMs: 1_500, sessionMaxMs: 60_000 } })
  const short = await openApi({ access: { sessionMaxMs: 700 } })
  const [out, idle] = [await logIn(t, adminToken), await logIn(t, adminToken)]
  const old = await logIn(short, await tokenOf(short, scopes))
  const loggedOut = await watch(t, { cookie: out.cookie })
  const unused = await watch(t, { cookie: idle.cookie })
  const aged = await watch(short, { cookie: old.cookie })
  await t.send('DELETE', '/api/session', { token: null, headers: { cookie: out.cookie, ...fromHere } })
  await Promise.all([over('logged out', loggedOut), over('not used', unused), over('at its age', aged)])
})

test('a login that is used keeps its stream, and a token of one topology loses it with the topology', async () => {
  const t = await openApi({ access: { sessionIdleMs: 1_000 } })
  const { id } = (await t.post('/api/topologies', chain('orders'))).body
  const { cookie } = await logIn(t, adminToken)
  const used = await watch(t, { cookie })
  const token = await tokenOf(t, scopes, { topologyId: id })
  const restricted = await watch(t, bearer(token), '/api/topologies/orders/events')
  const until = Date.now() + 1_500
  expect((await t.send('DELETE', '/api/topologies/orders')).status).toBe(204)
  await eventually('longer than it may be unused', async () => {
    expect((await t.send('GET', '/api/session', { token: null, headers: { cookie } })).status).toBe(200)
    return Date.now() > until
  })
  await over('the stream of a topology that is gone', restricted)
  expect(used.isOver).toBe(false)
})
