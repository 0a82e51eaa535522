import { sql } from 'drizzle-orm'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { openBridge } from '../../runtime/bridge/bridge.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { eventually } from '../support/eventually.ts'
import { fakeWorker } from '../support/fake-worker.ts'
import { documents } from '../topology/files/arbitrary.ts'
import { chain, nodeOf, openApi, published, secretKey } from './open.ts'
import type { TestApi } from './open.ts'

interface Checked {
  readonly errors: readonly { readonly path: string; readonly message: string }[]
  readonly difference: Record<string, unknown> | null
  readonly changes: Record<string, unknown> | null
  readonly leaving: readonly unknown[]
}

const path = '/api/topologies/orders/check'
const same = { values: [], nodes: [], edges: [], reordered: [] }

async function check(t: TestApi, document: unknown): Promise<Checked> {
  const answer = await t.post(path, document)
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`)
  return answer.body as unknown as Checked
}

/** What saving and then publishing it is refused for. */
async function refusals(t: TestApi, document: unknown): Promise<Checked['errors']> {
  const saved = await t.send('PUT', '/api/topologies/orders', { json: document })
  if (saved.status !== 200) return saved.body.errors
  const answer = await t.post('/api/topologies/orders/publish')
  return answer.status === 200 ? [] : answer.body.errors
}

const stored = async (t: TestApi): Promise<string> => {
  const rows = await t.store.query((db) =>
    db.execute(sql`select (select json_agg(t) from topologies t) as t, (select json_agg(n order by n.id) from nodes n) as n,
      (select count(*) from revisions) as r, (select count(*) from audit) as a`),
  )
  return JSON.stringify(rows[0])
}

test('a document that can be published has no errors, and says what it would change of what is in force and of the draft', async () => {
  const t = await openApi()
  await published(t, 'orders', { a: { prefetch: 4 } })
  expect(await check(t, chain('orders', { a: { prefetch: 4 } }))).toEqual({
    errors: [],
    difference: { from: 1, to: null, ...same },
    changes: same,
    leaving: [],
  })
  await t.send('PUT', '/api/topologies/orders', { json: chain('orders', { a: { prefetch: 6 } }) })
  const { difference, changes } = await check(t, chain('orders', { a: { prefetch: 8 } }))
  const nodes = (before: number) => [{ name: 'a', change: 'changed', values: [{ path: 'prefetch', before, after: 8 }] }]
  expect(difference).toMatchObject({ from: 1, to: null, nodes: nodes(4) })
  expect(changes).toMatchObject({ nodes: nodes(6) })
  // What a document leaves out stays as it is stored, so it is no difference to the draft.
  expect(await check(t, chain('orders'))).toMatchObject({
    difference: { nodes: nodes(4).map((n) => ({ ...n, values: [{ path: 'prefetch', before: 4, after: 6 }] })) },
    changes: same,
  })
})

test('nothing was published: there is nothing to differ from', async () => {
  const t = await openApi()
  await t.post('/api/workers', { name: 'w', urls: ['http://127.0.0.1:1'] })
  await t.post('/api/topologies', { name: 'orders', nodes: [], edges: [] })
  const answer = await t.post(path, chain('orders'))
  expect(answer.body).toMatchObject({ errors: [], difference: null, leaving: [] })
  expect(answer.headers.get('etag')).toBe((await t.get('/api/topologies/orders')).headers.get('etag'))
})

const cron = { name: 'often', type: 'cron', cron: '61 * * * *' }
const faulty: readonly (readonly [string, (t: TestApi) => unknown])[] = [
  ['a worker and a service that are not there', () => chain('orders', { a: { worker: 'v' }, b: { service: 'none' } })],
  ['an edge to nowhere', () => ({ ...chain('orders'), edges: [{ from: 'start', to: 'gone' }] })],
  [
    'a node without a worker',
    () => ({ ...chain('orders'), nodes: [...chain('orders').nodes, { name: 'x', type: 'custom' }] }),
  ],
  ['a node that nothing reaches', () => ({ ...chain('orders'), edges: [] })],
  ['a prefetch out of range', () => chain('orders', { a: { prefetch: 99 } })],
  ['a key that nobody knows', () => chain('orders', { a: { prefech: 2 } })],
  [
    'names that are there twice',
    () => ({ ...chain('orders'), nodes: [...chain('orders').nodes, { name: 'a', type: 'custom', worker: 'w' }] }),
  ],
  ['a schedule that never fires', () => ({ ...chain('orders'), nodes: [...chain('orders').nodes, cron] })],
  [
    'a value that is stored and contradicts what the document says',
    async (t) => {
      const { id } = await nodeOf(t, 'orders', 'a')
      await t.send('PATCH', `/api/nodes/${id}`, { json: { prefetch: 9 } })
      return chain('orders', { a: { partitions: 4 } })
    },
  ],
  [
    'a cost for which the service never has room',
    async (t) => {
      await t.post('/api/services', { name: 'slow', limits: [{ rate: 2, per: 'minute' }] })
      return chain('orders', { a: { service: 'slow', limitCost: 5 } })
    },
  ],
  [
    'a worker of another dialect',
    async (t) => {
      await t.post('/api/workers', { name: 'old', urls: ['http://127.0.0.1:1'], dialect: 'orchesty' })
      return chain('orders', { a: { worker: 'old' } })
    },
  ],
  ['nothing but a name', () => ({ name: 'orders', nodes: [], edges: [] })],
]

test.each(faulty)('%s: told as a save or a publish tells it', async (_, documentOf) => {
  const t = await openApi()
  await published(t, 'orders')
  const document = await documentOf(t)
  const { errors } = await check(t, document)
  expect(errors).toEqual(await refusals(t, document))
})

test('whatever a document says, its errors are those of a save and a publish', async () => {
  const t = await openApi()
  await published(t, 'orders')
  await fc.assert(
    fc.asyncProperty(documents, async (any) => {
      const document = { ...any, name: 'orders' }
      const { errors, changes } = await check(t, document)
      expect(changes).not.toBe(null)
      expect(errors).toEqual(await refusals(t, document))
    }),
    { numRuns: 25 },
  )
})

test('the difference is told with faults, too, as long as a plan can be made of the document', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const unknown = await check(t, chain('orders', { a: { worker: 'v' } }))
  expect(unknown.errors).toHaveLength(1)
  expect(unknown.difference).toMatchObject({
    nodes: [{ name: 'a', values: [{ path: 'worker', before: 'w', after: 'v' }] }],
  })
  const lost = await check(t, { ...chain('orders'), edges: [{ from: 'start', to: 'gone' }] })
  expect(lost).toMatchObject({ difference: null, changes: { edges: expect.any(Array) as unknown } })
  expect(await check(t, chain('orders', { a: { prefetch: 99 } }))).toMatchObject({ difference: null, changes: null })
})

test('nodes that would go while messages are on their way are told with what lies there, as the publish tells it', async () => {
  const t = await openApi()
  const held: (() => void)[] = []
  const w = await fakeWorker(async ({ node }) => {
    if (node === 'b') await new Promise<void>((resolve) => held.push(resolve))
    return node === 'a' ? { body: '1', headers: { 'content-type': 'application/json' } } : { status: 204 }
  })
  onTestFinished(() => w.close())
  onTestFinished(() => held.forEach((release) => release()))
  await t.post('/api/workers', { name: 'w', urls: [w.url] })
  await t.post('/api/topologies', chain('orders'))
  await t.post('/api/topologies/orders/publish')
  const half = { ...chain('orders'), nodes: chain('orders').nodes.slice(0, 2), edges: [{ from: 'start', to: 'a' }] }
  expect((await check(t, half)).leaving).toEqual([])
  const bridge = await openBridge({ queues: t.queues, secretKey, graceMs: 1_000, highWater: 10_000, log: silentLog })
  onTestFinished(() => bridge.close())
  for (let i = 0; i < 3; i++) await t.post('/api/topologies/orders/run', { body: i })
  await eventually('two wait at b, and one is there', async () => {
    const [leaver] = (await check(t, half)).leaving
    expect(leaver).toEqual({ node: 'b', waiting: 2, inFlight: 1 })
  })
  await t.send('PUT', '/api/topologies/orders', { json: half })
  expect((await t.post('/api/topologies/orders/publish')).body).toMatchObject({
    status: 409,
    detail: expect.stringContaining('b (3)') as string,
  })
  await t.post('/api/topologies/orders/publish?inFlight=drain')
  expect((await check(t, half)).leaving).toEqual([])
})

test('nothing is stored, and nobody is told', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const before = await stored(t)
  for (const document of [
    chain('orders', { a: { prefetch: 9 } }),
    chain('renamed'),
    { name: 'orders', nodes: [], edges: [] },
  ])
    await check(t, document)
  expect(await stored(t)).toBe(before)
})

const deep = (levels: number): unknown => (levels === 0 ? 1 : { x: deep(levels - 1) })
const hostile: readonly (readonly [string, string, number])[] = [
  ['no JSON', '{"name"', 400],
  ['a list', '[]', 400],
  ['nothing', '', 400],
  ['an empty object', '{}', 400],
  ['another document', '{"items": []}', 400],
  ['nodes that are a text', '{"name": "orders", "nodes": "all", "edges": []}', 400],
  ['too much', JSON.stringify({ ...chain('orders'), description: 'x'.repeat(9 * 1024 * 1024) }), 413],
  ['what is too deep for JSON', JSON.stringify({ ...chain('orders'), settings: deep(300) }), 400],
  ['a NUL', JSON.stringify({ ...chain('orders'), description: 'a\u0000b' }), 400],
]

test.each(hostile)('%s is a problem, and nothing else', async (_, raw, status) => {
  const t = await openApi()
  await published(t, 'orders')
  const answer = await t.send('POST', path, { raw, headers: { 'content-type': 'application/json' } })
  expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'application/problem+json'])
})

test.each([
  [
    'a name of a prototype',
    '{"name":"orders","nodes":[{"name":"a","type":"start","__proto__":{"x":1}}],"edges":[]}',
    'nodes[0].__proto__',
  ],
  [
    'what is too deep for a document',
    JSON.stringify({ ...chain('orders', { a: { settings: deep(40) } }) }),
    'nodes[1].settings.x',
  ],
  [
    'more nodes than there may be',
    JSON.stringify({
      ...chain('orders'),
      nodes: Array.from({ length: 5_000 }, (_, n) => ({ name: `n${n}`, type: 'start' })),
    }),
    'nodes',
  ],
  [
    'more values than are read',
    JSON.stringify({ ...chain('orders'), edges: Array.from({ length: 60_000 }, () => ({ from: 'a', to: 'b' })) }),
    '',
  ],
])('%s is an error with its place, as a save tells it', async (_, raw, place) => {
  const t = await openApi()
  await published(t, 'orders')
  const headers = { 'content-type': 'application/json' }
  const answer = await t.send('POST', path, { raw, headers })
  const { errors, changes } = answer.body as unknown as Checked
  expect([answer.status, changes, errors[0]?.path]).toEqual([200, null, place])
  expect((await t.send('PUT', '/api/topologies/orders', { raw, headers })).body.errors[0]).toEqual(errors[0])
})

test('it takes a topology that is there, and needs the scope read', async () => {
  const t = await openApi()
  await published(t, 'orders')
  expect((await t.post('/api/topologies/nothing/check', chain('nothing'))).status).toBe(404)
  expect((await t.post(`${path}?to=draft`, chain('orders'))).status).toBe(400)
  const token = async (scope: string) => (await t.post('/api/tokens', { name: scope, scopes: [scope] })).body.token
  expect((await t.send('POST', path, { json: chain('orders'), token: await token('run') })).status).toBe(403)
  expect((await t.send('POST', path, { json: chain('orders'), token: await token('read') })).status).toBe(200)
})
