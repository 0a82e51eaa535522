import { expect, test } from 'vitest'
import { chain, nodeOf, openApi, published } from './open.ts'

test('a topology is created as a draft and read by id and by name', async () => {
  const t = await openApi()
  const made = await t.post('/api/topologies', {
    ...chain('orders'),
    description: 'all of them',
    labels: { team: 'shop' },
  })
  expect(made.status).toBe(201)
  expect(made.headers.get('location')).toBe(`/api/topologies/${made.body.id}`)
  expect(made.body).toMatchObject({
    name: 'orders',
    description: 'all of them',
    labels: { team: 'shop' },
    visibility: 'draft',
    enabled: true,
    bridgeOutOfSync: false,
    revision: 0,
  })
  expect(made.body.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  expect((await t.get(`/api/topologies/${made.body.id}`)).body).toEqual(made.body)
  expect((await t.get('/api/topologies/orders')).body).toEqual(made.body)
})

test('a name that is taken is a conflict', async () => {
  const t = await openApi()
  await t.post('/api/topologies', chain('orders'))
  const again = await t.post('/api/topologies', chain('orders'))
  expect(again.status).toBe(409)
  expect(again.body).toMatchObject({ title: 'Conflict', detail: 'there is a topology named "orders" already' })
  await t.post('/api/topologies', chain('other'))
  expect((await t.send('PUT', '/api/topologies/other', { json: chain('orders') })).status).toBe(409)
})

test('a document with faults is refused with all of them', async () => {
  const t = await openApi()
  const nodes = [
    { name: 'A B', type: 'custom' },
    { name: 'x', type: 'magic' },
    { name: 'y', type: 'start', prefetch: 2 },
  ]
  const answer = await t.post('/api/topologies', { name: 'orders', nodes, edges: [] })
  expect(answer.status).toBe(400)
  const paths = answer.body.errors.map((error) => error.path)
  expect(paths).toEqual(expect.arrayContaining(['nodes[0].name', 'nodes[1].type', 'nodes[2].prefetch']))
  expect((await t.get('/api/topologies/orders')).status).toBe(404)
})

test('two nodes of one name are refused when they are saved', async () => {
  const t = await openApi()
  const twice = { name: 'a', type: 'custom', worker: 'w' }
  const answer = await t.post('/api/topologies', { name: 'orders', nodes: [twice, twice] })
  expect(answer.body).toMatchObject({ status: 400, errors: [{ path: 'nodes[1].name' }] })
})

test('topologies are listed by name, page by page', async () => {
  const t = await openApi()
  for (const name of ['c', 'a', 'b']) await t.post('/api/topologies', chain(name))
  const first = await t.get('/api/topologies?limit=2')
  expect(first.body.items.map((item) => item.name)).toEqual(['a', 'b'])
  const second = await t.get(`/api/topologies?limit=2&after=${first.body.next}`)
  expect(second.body).toMatchObject({ items: [{ name: 'c' }], next: null })
})

test('a save keeps ids of nodes by name, and stored values that the document leaves out', async () => {
  const t = await openApi()
  await t.post('/api/topologies', chain('orders', { a: { prefetch: 3 } }))
  const a = await nodeOf(t, 'orders', 'a')
  expect(a).toMatchObject({ prefetch: 3, worker: 'w', enabled: true, paused: false, followers: [{ name: 'b' }] })
  expect(await nodeOf(t, 'orders', 'start')).toMatchObject({ prefetch: null, type: 'start' })
  await t.send('PATCH', `/api/nodes/${a.id}`, { json: { prefetch: 7 } })
  await t.send('PUT', '/api/topologies/orders', { json: chain('orders') })
  expect(await nodeOf(t, 'orders', 'a')).toMatchObject({ id: a.id, prefetch: 7 })
  await t.send('PUT', '/api/topologies/orders', { json: chain('orders', { a: { prefetch: 2 } }) })
  expect(await nodeOf(t, 'orders', 'a')).toMatchObject({ id: a.id, prefetch: 2 })
})

test('the document says what is stored', async () => {
  const t = await openApi()
  await t.post('/api/topologies', chain('orders'))
  const a = await nodeOf(t, 'orders', 'a')
  await t.send('PATCH', `/api/nodes/${a.id}`, { json: { prefetch: 7, timeoutMs: 5_000, retry: { attempts: 3 } } })
  const { body } = await t.get('/api/topologies/orders')
  expect(body.document.nodes[1]).toMatchObject({ prefetch: 7, timeoutMs: 5_000, retry: { attempts: 3 } })
  expect(body.bridgeOutOfSync).toBe(true)
})

test('a change that goes by an old read is refused, one without If-Match wins', async () => {
  const t = await openApi()
  const etag = (await t.post('/api/topologies', chain('orders'))).headers.get('etag') ?? ''
  const change = (tag: string) =>
    t.send('PATCH', '/api/topologies/orders', { json: { description: tag }, headers: { 'if-match': tag } })
  expect((await change(etag)).status).toBe(200)
  expect((await change(etag)).body).toMatchObject({ status: 412, title: 'Precondition Failed' })
  expect((await change('*')).status).toBe(200)
  expect((await change('yesterday')).status).toBe(400)
  const put = { json: chain('orders'), headers: { 'if-match': etag } }
  expect((await t.send('PUT', '/api/topologies/orders', put)).status).toBe(412)
})

test('a patch changes what it names, in the draft, too', async () => {
  const t = await openApi()
  await t.post('/api/topologies', { ...chain('orders'), description: 'old', labels: { a: '1' } })
  const { body } = await t.send('PATCH', '/api/topologies/orders', {
    json: { enabled: false, description: null, labels: { b: '2' } },
  })
  expect(body).toMatchObject({ enabled: false, paused: false, description: null, labels: { b: '2' } })
  expect(body.document).toMatchObject({ labels: { b: '2' } })
  expect(body.document).not.toHaveProperty('description')
})

test('a draft is deleted at once, a published topology or one with messages on their way only with force', async () => {
  const t = await openApi()
  await t.post('/api/topologies', chain('draft'))
  expect((await t.send('DELETE', '/api/topologies/draft')).status).toBe(204)
  expect((await t.get('/api/topologies/draft')).status).toBe(404)
  await published(t, 'busy')
  expect((await t.send('DELETE', '/api/topologies/busy')).status).toBe(409)
  await t.post('/api/topologies/busy/run', { body: 1 })
  await t.post('/api/topologies/busy/unpublish')
  const refused = await t.send('DELETE', '/api/topologies/busy')
  expect(refused.body).toMatchObject({
    status: 409,
    detail: expect.stringContaining('1 messages on their way') as string,
  })
  expect((await t.get('/api/topologies/busy')).body.visibility).toBe('draft')
  await t.post('/api/topologies', chain('idle'))
  await t.post('/api/topologies/idle/publish')
  expect((await t.send('DELETE', '/api/topologies/idle?force=true')).status).toBe(202)
  expect((await t.get('/api/topologies/idle')).status).toBe(404)
})

test('a name that is the id of another topology is refused, at creation and later', async () => {
  const t = await openApi()
  const { id } = (await t.post('/api/topologies', chain('orders'))).body
  const taken = { status: 409, detail: `"${id}" is the id of another topology: choose another name` }
  expect((await t.post('/api/topologies', chain(id))).body).toMatchObject(taken)
  await t.post('/api/topologies', chain('other'))
  expect((await t.send('PUT', '/api/topologies/other', { json: chain(id) })).body).toMatchObject(taken)
  expect((await t.send('PUT', '/api/topologies/orders', { json: chain(id) })).status).toBe(200)
})

test('a change to what is there already changes no ETag, and is in no log', async () => {
  const t = await openApi()
  await t.post('/api/topologies', chain('orders', { a: { prefetch: 5 } }))
  const node = await nodeOf(t, 'orders', 'a')
  // Naming a value marks the topology, whatever was there; so it is marked before.
  await t.send('PATCH', `/api/nodes/${node.id}`, { json: { prefetch: 5 } })
  await t.send('PATCH', '/api/topologies/orders', { json: { paused: true, labels: { team: 'shop' } } })
  const before = await t.get('/api/topologies/orders')
  const entries = (await t.get('/api/audit')).body.items.length
  const nodeTag = (await t.get(`/api/nodes/${node.id}`)).headers.get('etag')
  for (const json of [{}, { enabled: true }, { paused: true }, { description: null }, { labels: { team: 'shop' } }])
    expect((await t.send('PATCH', '/api/topologies/orders', { json })).status).toBe(200)
  await t.send('PUT', '/api/topologies/orders', { json: before.body.document })
  for (const json of [{}, { prefetch: 5 }]) await t.send('PATCH', `/api/nodes/${node.id}`, { json })
  expect((await t.get('/api/topologies/orders')).headers.get('etag')).toBe(before.headers.get('etag'))
  expect((await t.get(`/api/nodes/${node.id}`)).headers.get('etag')).toBe(nodeTag)
  expect((await t.get('/api/audit')).body.items).toHaveLength(entries)
  const stale = { json: { prefetch: 5 }, headers: { 'if-match': '"0"' } }
  expect((await t.send('PATCH', `/api/nodes/${node.id}`, stale)).status).toBe(412)
})

test('naming a value of a node that is stored already marks the topology, once, and the audit log says so', async () => {
  const t = await openApi()
  await t.post('/api/topologies', chain('orders', { a: { prefetch: 5 } }))
  const node = await nodeOf(t, 'orders', 'a')
  const entries = async () => (await t.get('/api/audit?action=changeNode')).body.items
  await t.send('PATCH', `/api/nodes/${node.id}`, { json: {} })
  expect((await t.get('/api/topologies/orders')).body.bridgeOutOfSync).toBe(false)
  for (let i = 0; i < 2; i++) await t.send('PATCH', `/api/nodes/${node.id}`, { json: { prefetch: 5 } })
  expect((await t.get('/api/topologies/orders')).body.bridgeOutOfSync).toBe(true)
  expect(await entries()).toMatchObject([{ before: { bridgeOutOfSync: false }, after: { bridgeOutOfSync: true } }])
})

test('however many faults a body has, it is answered at once, with how many there are and the first of them', async () => {
  const t = await openApi()
  await t.post('/api/topologies', chain('orders'))
  const labels = Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`l${n}`, n]))
  const { status, body } = await t.send('PATCH', '/api/topologies/orders', { json: { labels } })
  expect([status, body.errors.length]).toEqual([400, 200])
  expect(body.detail).toMatch(/has 10000[01] faults/)
})

test('a topology with more than 64 labels is refused', async () => {
  const t = await openApi()
  const labels = Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`l${n}`, 'x']))
  expect((await t.post('/api/topologies', { ...chain('orders'), labels })).status).toBe(400)
  await t.post('/api/topologies', chain('orders'))
  const answer = await t.send('PATCH', '/api/topologies/orders', { json: { labels } })
  expect(answer.body.errors).toMatchObject([{ path: 'labels', message: 'a topology has at most 64 labels' }])
})
