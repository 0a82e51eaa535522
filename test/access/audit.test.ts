import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sql } from 'drizzle-orm'
import { expect, onTestFinished, test } from 'vitest'
import { changeOutside } from '../../runtime/api/access/audit.ts'
import type { Change } from '../../runtime/api/access/change.ts'
import { forgetOnce } from '../../runtime/api/access/retention.ts'
import { openAccess } from '../../runtime/api/api.ts'
import { Conflict, Unavailable } from '../../runtime/errors.ts'
import { insertAudit, listAudit } from '../../runtime/store/queries/audit.ts'
import type { AuditRow } from '../../runtime/store/queries/audit.ts'
import type { Store } from '../../runtime/store/store.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import type { Limited } from '../../runtime/queue/limits/told.ts'
import { chain, nodeOf, openApi, published } from '../api/open.ts'
import type { Sending, TestApi } from '../api/open.ts'
import { shop } from '../hooks/open.ts'
import { migratedStore } from '../store/open.ts'
import { allOperations, fromHere, logIn, tokenOf, withRuns } from './world.ts'

/** Changes that are in no log, and why. */
const unlogged: Readonly<Record<string, string>> = {
  previewBulk: 'changes nothing',
  checkTopology: 'changes nothing',
  runTopology: 'starts are the load itself; the run tells of each',
  receiveWebhook: 'starts are the load itself; the run tells of each',
  receiveWebhookPut: 'starts are the load itself; the run tells of each',
  startNode: 'starts are the load itself; the run tells of each',
}

interface Entry {
  readonly action: string
  readonly who: string
  readonly target: { readonly kind: string; readonly id: string; readonly name: string | null }
  readonly before: Readonly<Record<string, unknown>> | null
  readonly after: Readonly<Record<string, unknown>> | null
}

/** Newest first. */
async function log(t: TestApi, query = ''): Promise<Entry[]> {
  const answer = await t.get(`/api/audit?limit=500${query}`)
  if (answer.status !== 200) throw new Error(answer.text)
  return answer.body.items as unknown as Entry[]
}

type Deed = readonly [path: string, sending?: Sending]
interface Around {
  readonly t: TestApi
  readonly workerUrl: string
  readonly nodeId: string
  readonly tokenId: string
  readonly cookie: string
  /** Ids. */
  readonly cursor: string
  readonly watermark: string
}

const json = (value: unknown): Sending => ({ json: value })
const worker = (url: string) => ({ name: 'shop', urls: [url] })
const read = async (t: TestApi, path: string): Promise<string> => (await t.get(path)).text

const importedLine = JSON.stringify({
  ...{ id: 'i1', node: 'a', messageId: 'm', createdAt: '2026-03-01T10:00:00Z', tenant: 'eva' },
  ...{ error: { title: 'no' }, headers: {}, contentType: 'text/plain', bodyText: 'x' },
})

/** The service `geo`, for a minute. */
function askedToWait(): Limited {
  const [at, until] = [0, 60_000].map((ms) => new Date(Date.now() + ms).toISOString()) as [string, string]
  return {
    key: { kind: 'service', service: 'geo', who: null, isOwn: false },
    at,
    until,
    retryAfterMs: 60_000,
    times: 1,
  }
}

/** How each changing operation is done, in an order in which it can be; all but those of `unlogged`. */
const deeds: Readonly<Record<string, (around: Around) => Deed | Promise<Deed>>> = {
  createWorker: ({ workerUrl }) => ['/api/workers', json(worker(workerUrl))],
  replaceWorker: ({ workerUrl }) => ['/api/workers/shop', json({ urls: [workerUrl], timeoutMs: 500 })],
  refreshWorker: () => ['/api/workers/shop/refresh'],
  deleteWorker: () => ['/api/workers/shop'],
  createService: () => ['/api/services', json({ name: 'geo', limits: [{ rate: 1, per: 'second' }] })],
  replaceService: () => ['/api/services/geo', json({ limits: [] })],
  resumeService: async ({ t }) => {
    await t.queues.limits.tell('geo', askedToWait(), new AbortController().signal)
    return ['/api/services/geo/resume']
  },
  deleteService: () => ['/api/services/geo'],
  createTopology: () => ['/api/topologies', json(chain('fresh'))],
  replaceTopology: () => ['/api/topologies/fresh', json(chain('fresh', { a: { prefetch: 5 } }))],
  replaceTopologyFlow: async ({ t }) => [
    '/api/topologies/fresh/schema.json',
    json({ ...(JSON.parse(await read(t, '/api/topologies/fresh/schema.json')) as object), viewport: { zoom: 2 } }),
  ],
  replaceTopologyBpmn: async ({ t }) => [
    '/api/topologies/fresh/schema.bpmn',
    { raw: await read(t, '/api/topologies/fresh/schema.bpmn'), headers: { 'content-type': 'application/xml' } },
  ],
  changeTopology: () => ['/api/topologies/orders', json({ paused: true })],
  changeNode: ({ nodeId }) => [`/api/nodes/${nodeId}`, json({ prefetch: 7, paused: true })],
  tryNode: ({ nodeId }) => [`/api/nodes/${nodeId}/try`, json({ body: 1 })],
  setWebhookSecrets: async ({ t }) => [await hookOf(t), json({ secret: 'it signs' })],
  rotateWebhook: async ({ t }) => [`${await hookOf(t)}/rotate`, json({ graceSeconds: 60 })],
  revokeWebhook: async ({ t }) => [await hookOf(t)],
  publishTopology: () => ['/api/topologies/orders/publish'],
  republishTopology: () => ['/api/topologies/orders/republish'],
  rollbackTopology: () => ['/api/topologies/orders/rollback', json({ revision: 1 })],
  editCursor: ({ cursor }) => [`/api/cursors/${cursor}`, json({ cursor: 'c0', reason: 'again' })],
  resetCursor: ({ cursor }) => [`/api/cursors/${cursor}/reset`],
  setWatermark: () => ['/api/watermarks', json({ topology: 'pages', node: 'list', watermark: '1' })],
  editWatermark: ({ watermark }) => [`/api/watermarks/${watermark}`, json({ watermark: '2' })],
  resetWatermark: ({ watermark }) => [`/api/watermarks/${watermark}/reset`],
  rerunRun: () => ['/api/runs/orders-failed/rerun'],
  cancelRun: () => ['/api/runs/orders-running/cancel'],
  editTrash: () => ['/api/trash/orders-x1', json({ body: { a: 2 } })],
  replayTrash: () => ['/api/trash/orders-x1/replay'],
  discardTrash: () => ['/api/trash/orders-x2/discard', json({ reason: 'old' })],
  importTrash: () => [
    '/api/trash/import?topology=orders',
    { raw: importedLine, headers: { 'content-type': 'application/x-ndjson' } },
  ],
  eraseTrash: () => ['/api/trash/erase', json({ tenant: 'eva' })],
  createBulk: () => ['/api/trash/bulk', json({ action: 'discard', filter: { topology: 'orders' } })],
  pauseBulk: async ({ t }) => [`${await bulkOf(t)}/pause`],
  resumeBulk: async ({ t }) => [`${await bulkOf(t)}/resume`],
  cancelBulk: async ({ t }) => [`${await bulkOf(t)}/cancel`],
  unpublishTopology: () => ['/api/topologies/orders/unpublish'],
  deleteTopology: () => ['/api/topologies/fresh'],
  createToken: () => ['/api/tokens', json({ name: 'ci', scopes: ['read'] })],
  deleteToken: ({ tokenId }) => [`/api/tokens/${tokenId}`],
  createSession: async ({ t }) => ['/api/session', { token: null, ...json({ token: await tokenOf(t, ['run']) }) }],
  deleteSession: ({ cookie }) => ['/api/session', { token: null, headers: { ...fromHere, cookie } }],
}

/** Path of the bulk, which nobody carries out. */
const bulkOf = async (t: TestApi): Promise<string> =>
  `/api/trash/bulk/${(await t.get('/api/trash/bulk')).body.items[0]?.id}`

/** Path of the webhook of a topology of its own. */
async function hookOf(t: TestApi): Promise<string> {
  await t.post('/api/topologies', shop())
  return `/api/nodes/${(await nodeOf(t, 'shop', 'paid')).id}/webhook`
}

/** A draft with a node that reads pages. */
const paging = {
  name: 'pages',
  nodes: [
    { name: 'start', type: 'start' },
    { name: 'list', type: 'batch', worker: 'w', watermark: {} },
  ],
}

/** A worker whose manifest is another one each time. */
async function serveManifests(): Promise<string> {
  let version = 0
  const server = createServer((_, response) => {
    response.end(JSON.stringify({ protocol: 1, worker: 'shop', version: `1.0.${version++}`, nodes: [] }))
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('every operation that changes something is in the audit log, or has a reason not to be', async () => {
  const changing = allOperations().filter(({ method }) => method !== 'GET')
  expect([...Object.keys(deeds), ...Object.keys(unlogged)].toSorted()).toEqual(changing.map(({ id }) => id).toSorted())
  const t = await openApi()
  const { node, cursor, watermark } = await withRuns(t, 'orders')
  await t.post('/api/topologies', paging)
  const { body } = await t.post('/api/tokens', { name: 'gone', scopes: ['read'] })
  const { cookie } = await logIn(t, await tokenOf(t, ['read']))
  const around = { t, workerUrl: await serveManifests(), nodeId: node.id, tokenId: body.id, cookie, cursor, watermark }
  const methods = new Map(changing.map(({ id, method }) => [id, method]))
  for (const [action, deed] of Object.entries(deeds)) {
    const [path, sending] = await deed(around)
    const before = await log(t, `&action=${action}`)
    const { status, text } = await t.send(methods.get(action) ?? '', path, sending)
    expect([action, text, status < 300]).toEqual([action, text, true])
    expect([action, (await log(t, `&action=${action}`)).length > before.length]).toEqual([action, true])
  }
})

test('an entry says who changed what, when, from where and how', async () => {
  const t = await openApi()
  const { id } = await published(t, 'orders')
  const token = await tokenOf(t, ['design', 'operate'], { name: 'ann' })
  const { cookie, answer } = await logIn(t, token)
  const node = await nodeOf(t, 'orders', 'a')
  const env = { incoming: { socket: { remoteAddress: '::ffff:10.0.0.7' } } }
  const headers = { cookie, ...fromHere, 'content-type': 'application/json' }
  await t.api.request(`/api/nodes/${node.id}`, { method: 'PATCH', headers, body: '{"prefetch":9}' }, env)
  const [entry] = (await t.get('/api/audit?action=changeNode')).body.items
  const { tokenId, sessionId } = answer.body as unknown as { tokenId: string; sessionId: string }
  expect(entry).toEqual({
    id: expect.any(String) as string,
    at: expect.stringMatching(/^20.*Z$/) as string,
    ...{ who: 'ann', tokenId, sessionId, address: '10.0.0.7', action: 'changeNode', method: 'PATCH' },
    path: `/api/nodes/${node.id}`,
    topologyId: id,
    target: { kind: 'node', id: node.id, name: 'a' },
    before: { prefetch: null },
    after: { prefetch: 9 },
  })
})

test('before and after have what differs, nodes by their names', async () => {
  const t = await openApi()
  await published(t, 'orders')
  await t.send('PUT', '/api/topologies/orders', { json: chain('orders', { a: { prefetch: 5 } }) })
  await t.post('/api/topologies/orders/publish')
  await t.post('/api/topologies/orders/rollback', { revision: 1 })
  const [rolledBack, , saved, , made] = await log(t, '&topology=orders')
  expect(rolledBack).toMatchObject({ before: { revision: 2 }, after: { revision: 3, rolledBackTo: 1 } })
  expect(saved?.before).toEqual({ bridgeOutOfSync: false, document: { nodes: { a: {} } } })
  expect(saved?.after).toEqual({ bridgeOutOfSync: true, document: { nodes: { a: { prefetch: 5 } } } })
  expect(made).toMatchObject({ action: 'createTopology', before: null, after: { name: 'orders', visibility: 'draft' } })
  await t.send('DELETE', '/api/topologies/orders?force=true')
  const [deleted, stopped] = await log(t)
  expect(deleted).toMatchObject({ action: 'deleteTopology', before: { name: 'orders' }, after: null })
  expect(stopped).toMatchObject({ action: 'deleteTopology', after: { visibility: 'draft' } })
})

test('a pause is logged with its reason before and after', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const { id } = await nodeOf(t, 'orders', 'a')
  for (const paused of [true, false]) await t.send('PATCH', `/api/nodes/${id}`, { json: { paused } })
  expect(await log(t, '&action=changeNode')).toMatchObject([
    { before: { pausedReason: 'paused by admin' }, after: { pausedReason: null } },
    { before: { pausedReason: null }, after: { pausedReason: 'paused by admin' } },
  ])
})

test('what is refused, and what changes nothing, is in no log', async () => {
  const t = await openApi()
  await published(t, 'orders')
  await withRuns(t, 'shop')
  await t.post('/api/trash/shop-x1/discard')
  const before = await log(t)
  const lost = { json: chain('orders'), headers: { 'if-match': '"99"' } }
  const statuses = [
    await t.send('PUT', '/api/topologies/orders', lost),
    await t.post('/api/topologies', chain('orders')),
    await t.post('/api/topologies/orders/publish'),
    await t.send('DELETE', '/api/workers/w'),
    await t.post('/api/trash/shop-x1/replay'),
    await t.post('/api/tokens', { name: 'x', scopes: ['root'] }),
    await t.send('POST', '/api/session', { token: null, json: { token: 'wrong' } }),
  ].map(({ status }) => status)
  expect(statuses).toEqual([412, 409, 200, 409, 409, 400, 401])
  expect(await log(t)).toEqual(before)
})

test('a change whose log cannot be written is not made', async () => {
  const t = await openApi()
  await published(t, 'orders')
  await t.store.query((db) => db.execute(sql`alter table audit rename to elsewhere`))
  const node = await nodeOf(t, 'orders', 'a')
  expect((await t.post('/api/services', { name: 'geo', limits: [] })).status).toBe(500)
  expect(
    (await t.send('PUT', '/api/topologies/orders', { json: chain('orders', { a: { prefetch: 9 } }) })).status,
  ).toBe(500)
  expect((await t.send('PATCH', `/api/nodes/${node.id}`, { json: { paused: true } })).status).toBe(500)
  expect((await t.get('/api/services/geo')).status).toBe(404)
  expect(await nodeOf(t, 'orders', 'a')).toMatchObject({ prefetch: 1, paused: false })
})

const change: Change = { kind: 'trash', id: 'x', name: null, topologyId: null, before: {}, after: {} }
const row = {
  who: 'ann',
  tokenId: 't1',
  sessionId: null,
  address: null,
  action: 'replayTrash',
  method: 'POST',
  path: '/',
}
const rowOf = (id: string, more: Partial<AuditRow> = {}) => ({
  ...{ id, ...row, topologyId: null, kind: 'trash' as const, targetId: 'x', targetName: null, before: {}, after: {} },
  ...more,
})

test('a change of the queues whose commit Postgres loses is logged a moment later, once', async () => {
  const store = await migratedStore()
  const losing = (isStored: boolean): Store => ({
    ...store,
    async transaction(work) {
      const lost = new Unavailable('postgres', 'the connection was lost')
      await store.transaction(async (inside) => {
        await work(inside)
        if (!isStored) throw lost
      })
      throw lost
    },
  })
  const audit = (inside: Store, _: Change, id = '') => insertAudit(inside, rowOf(id))
  let made = 0
  const work = () => Promise.resolve(void made++)
  for (const isStored of [true, false])
    await changeOutside({ store: losing(isStored), log: silentLog, audit }, change, work)
  expect([made, (await listAudit(store, {}, 10, null)).length]).toEqual([2, 2])
  const refused = () => Promise.reject(new Conflict('settled already'))
  await expect(changeOutside({ store, log: silentLog, audit }, change, refused)).rejects.toThrow('settled already')
  expect(await listAudit(store, {}, 10, null)).toHaveLength(2)
})

test('entries stay as they were written, and go only by age', async () => {
  const store = await migratedStore()
  await insertAudit(store, rowOf('new'))
  const old = sql`insert into audit (id, at, who, action, method, path, kind, target_id)
    select 'old' || n, now() - interval '31 days', 'ann', 'a', 'POST', '/', 'run', 'x' from generate_series(1, 5001) n`
  await store.query((db) => db.execute(old))
  for (const statement of [`update audit set who = 'bob'`, `delete from audit where id = 'new'`, 'truncate audit'])
    await expect(store.query((db) => db.execute(sql.raw(statement)))).rejects.toMatchObject({
      cause: { message: 'the audit log is append only' },
    })
  const limits = { trustedProxies: [], failuresPerMinute: 1, sessionIdleMs: 1_000, sessionMaxMs: 1_000 }
  const deps = { store, access: openAccess(limits, { tell: () => undefined, onTold: () => undefined }), log: silentLog }
  for (const [days, left] of [
    [0, 5002],
    [32, 5002],
    [30, 1],
  ] as const) {
    await forgetOnce(deps, { auditDays: days, runsKeepDays: 0 })
    const rows = await store.query((db) => db.execute(sql`select count(*)::int as n from audit`))
    expect([days, rows[0]?.n]).toEqual([days, left])
  }
})

test('the log is filtered by topology, who, action and time, and read page by page', async () => {
  const t = await openApi()
  const { id } = await published(t, 'orders')
  const token = await tokenOf(t, ['design'], { name: 'ann' })
  for (const name of ['a', 'b', 'c']) await t.send('POST', '/api/services', { token, json: { name, limits: [] } })
  const actions = async (query: string) => (await log(t, query)).map(({ action, target }) => `${action} ${target.name}`)
  expect(await actions(`&topology=${id}`)).toEqual(['publishTopology orders', 'createTopology orders'])
  expect(await actions('&topology=orders&action=createTopology')).toEqual(['createTopology orders'])
  expect(await actions('&who=ann')).toEqual(['createService c', 'createService b', 'createService a'])
  const { items } = (await t.get('/api/audit?who=ann&limit=2')).body
  const [newest] = items as unknown as { at: string; tokenId: string }[]
  expect(await actions(`&who=${newest?.tokenId}&until=${newest?.at}`)).not.toContain('createService c')
  expect(await actions('&since=2999-01-01T00:00:00Z')).toEqual([])
  const first = (await t.get('/api/audit?who=ann&limit=2')).body
  const second = (await t.get(`/api/audit?who=ann&limit=2&after=${first.next}`)).body
  expect([first.items.length, second.items.length, second.next]).toEqual([2, 1, null])
})

test.each(['limit=0', 'after=AAAA', 'since=yesterday', 'who=%00', 'action=%00', `topology=${'x'.repeat(201)}`])(
  'GET /api/audit?%s is a 400',
  async (query) => {
    const t = await openApi()
    expect((await t.get(`/api/audit?${query}`)).status).toBe(400)
  },
)
