import { expect, test } from 'vitest'
import { beat, chain, openApi, published } from './open.ts'

const difference = (revision: number | string, to?: string | number) =>
  `/api/topologies/orders/revisions/${revision}/difference${to === undefined ? '' : `?to=${to}`}`

test('revisions are compared with each other, with the newest, and with the draft as a publish would put it in force', async () => {
  const t = await openApi()
  await published(t, 'orders', { a: { prefetch: 4 } })
  await t.send('PUT', '/api/topologies/orders', { json: chain('orders', { a: { prefetch: 6 } }) })
  await t.post('/api/topologies/orders/publish')
  const changed = [{ name: 'a', change: 'changed', values: [{ path: 'prefetch', before: 4, after: 6 }] }]
  const same = { values: [], edges: [], reordered: [] }
  expect((await t.get(difference(1, 2))).body).toEqual({ from: 1, to: 2, ...same, nodes: changed })
  expect((await t.get(difference(1))).body).toMatchObject({ from: 1, to: 2, nodes: changed })
  expect((await t.get(difference(2, 'draft'))).body).toEqual({ from: 2, to: null, ...same, nodes: [] })
  const half = chain('orders', { a: { prefetch: 6 } })
  await t.send('PUT', '/api/topologies/orders', {
    json: { ...half, nodes: half.nodes.slice(0, 2), edges: half.edges.slice(0, 1) },
  })
  expect((await t.get(difference(2, 'draft'))).body).toMatchObject({
    nodes: [{ name: 'b', change: 'removed' }],
    edges: [{ from: 'a', to: 'b', change: 'removed' }],
  })
})

test('a draft with faults is no revision: they are told instead', async () => {
  const t = await openApi()
  await published(t, 'orders')
  await t.send('PUT', '/api/topologies/orders', { json: { ...chain('orders'), edges: [] } })
  const answer = await t.get(difference(1, 'draft'))
  expect(answer.status).toBe(400)
  expect(answer.body.errors.length).toBeGreaterThan(0)
})

test.each([
  [difference(9), 404],
  [difference(1, 9), 404],
  [difference(1, 'drift'), 400],
  [difference(1, '0'), 400],
  [difference(1, '-1'), 400],
  [difference(1, '99999999999'), 400],
  [difference('x'), 400],
  ['/api/topologies/nothing/revisions/1/difference', 404],
  ['/api/topologies/nothing/applied', 404],
  ['/api/topologies/orders/applied?waitMs=20001', 400],
  ['/api/topologies/orders/applied?waitMs=x', 400],
])('GET %s is a %i', async (path, status) => {
  const t = await openApi()
  await published(t, 'orders')
  const answer = await t.get(path)
  expect(answer.status).toBe(status)
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
})

test('which bridges go by the revision in force is told at once, or when all do', async () => {
  const t = await openApi()
  const { id } = await published(t, 'orders')
  await beat(t, 'quick', { revisions: { [id]: 1 } })
  await beat(t, 'slow')
  expect((await t.get('/api/topologies/orders/applied')).body).toEqual({
    revision: 1,
    applied: ['quick'],
    missing: ['slow'],
  })
  const waiting = t.get('/api/topologies/orders/applied?waitMs=5000')
  await beat(t, 'slow', { revisions: { [id]: 1 } })
  expect((await waiting).body).toMatchObject({ missing: [] })
  await t.post('/api/topologies/orders/unpublish')
  expect((await t.get('/api/topologies/orders/applied')).body).toMatchObject({ revision: null, applied: [] })
})

test('the JSON Schema of a topology needs no token, and may be kept for an hour', async () => {
  const t = await openApi()
  const answer = await t.send('GET', '/api/schemas/topology.json', { token: null })
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-type')).toBe('application/schema+json')
  expect(answer.headers.get('cache-control')).toBe('public, max-age=3600')
  expect(answer.body).toMatchObject({ $schema: 'http://json-schema.org/draft-07/schema#', title: 'Sluiceway topology' })
})

test('what is compared needs the scope read', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const { token } = (await t.post('/api/tokens', { name: 'runner', scopes: ['run'] })).body
  for (const path of [difference(1), '/api/topologies/orders/applied'])
    expect((await t.send('GET', path, { token })).status).toBe(403)
})
