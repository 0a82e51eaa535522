import { expect, test } from 'vitest'
import { bpmn, flow } from '../topology/editors/samples.ts'
import { chain, nodeOf, openApi } from './open.ts'
import type { TestApi } from './open.ts'

const path = (kind: string) => `/api/topologies/orders/schema.${kind}`
const xml = { 'content-type': 'application/xml' }

async function opened(): Promise<TestApi> {
  const t = await openApi()
  await t.post('/api/workers', { name: 'shop', urls: ['http://shop:8080'] })
  await t.post('/api/workers', { name: 'warehouse', urls: ['https://warehouse/v1'] })
  await t.post('/api/topologies', { name: 'orders', description: 'all', nodes: [] })
  return t
}

test('BPMN that was put is the draft, and comes back as it was put', async () => {
  const t = await opened()
  const answer = await t.send('PUT', path('bpmn'), { raw: bpmn, headers: xml })
  expect(answer.body).toMatchObject({ name: 'orders', description: 'all', warnings: [{ path: 'bpmn:event[Event_1]' }] })
  expect(answer.body.document.nodes).toMatchObject([
    { type: 'cron' },
    { worker: 'shop' },
    { prefetch: 5 },
    { name: 'store-2' },
  ])
  expect(await nodeOf(t, 'orders', 'store')).toMatchObject({ prefetch: 5, retry: { attempts: 4, baseMs: 30_000 } })
  const read = await t.get(path('bpmn'))
  expect(read.headers.get('content-type')).toBe('application/xml; charset=utf-8')
  expect(read.headers.get('etag')).toBe(answer.headers.get('etag'))
  expect(read.text).toBe(bpmn)
})

test('a payload of the flow editor that was put is the draft, and comes back as it was put', async () => {
  const t = await opened()
  const answer = await t.send('PUT', path('json'), { json: flow })
  expect(answer.body.document).toMatchObject({
    nodes: [{}, { cron: '0 2 * * *' }, { type: 'batch' }, {}],
    edges: [{}, {}, {}],
  })
  const read = await t.get(path('json'))
  expect(read.headers.get('content-type')).toMatch('application/json')
  expect(read.body).toEqual(flow)
})

test('a node keeps its id from editor to editor', async () => {
  const t = await opened()
  await t.send('PUT', path('bpmn'), { raw: bpmn, headers: xml })
  const before = await nodeOf(t, 'orders', 'store-2')
  const payload = (await t.get(path('json'))).body
  expect((await t.send('PUT', path('json'), { json: payload })).body).toMatchObject({ warnings: [] })
  expect(await nodeOf(t, 'orders', 'store-2')).toEqual(before)
})

test('a topology that no older editor ever saw can be read by each of them', async () => {
  const t = await opened()
  await t.post('/api/topologies', chain('plain', { a: { prefetch: 3 } }))
  expect((await t.get('/api/topologies/plain/schema.bpmn')).text).toContain('name="a" pipes:pipesType="custom"')
  expect((await t.get('/api/topologies/plain/schema.json')).body).toMatchObject({
    nodes: [{ shape: 'circle', name: 'start' }, { action: { name: 'a', worker: 'w' }, prefetch: 3 }, {}],
    connections: [{ from: 'Event_start', to: 'Activity_a' }, {}],
  })
})

test('a document with faults is refused with all of them, and the draft stays', async () => {
  const t = await opened()
  await t.send('PUT', path('bpmn'), { raw: bpmn, headers: xml })
  const wrong = bpmn.replace('Prefetch="5"', 'Prefetch="50"').replace('targetRef="Activity_3"', 'targetRef="gone"')
  const answer = await t.send('PUT', path('bpmn'), { raw: wrong, headers: xml })
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect(answer.body).toMatchObject({ status: 400, detail: 'schema.bpmn has 2 faults' })
  expect(answer.body.errors.map((error) => error.path)).toEqual([
    'bpmn:task[Activity_2]/@pipes:rabbitPrefetch',
    'bpmn:sequenceFlow[Flow_3]/@targetRef',
  ])
  const twice = { nodes: [...flow.nodes, flow.nodes[0]], connections: [{ from: 'e1', to: 'x' }] }
  const { body } = await t.send('PUT', path('json'), { json: twice })
  expect(body.errors.map((error) => error.path)).toEqual(['nodes[5].id', 'connections[0].to'])
  expect((await t.get(path('bpmn'))).text).toBe(bpmn)
})

test.each<[string, string | Uint8Array, string, number]>([
  ['nothing', '', 'application/xml', 400],
  ['broken XML', '<bpmn:definitions>', 'application/xml', 400],
  ['entities that multiply', '<!DOCTYPE a [<!ENTITY a "aaaa">]><a>&a;</a>', 'text/xml', 400],
  ['bytes that are no UTF-8', Uint8Array.from([0x3c, 0xe9, 0x3e]), 'application/xml', 400],
  ['a NUL', '<bpmn:definitions>\0</bpmn:definitions>', 'application/xml', 400],
  ['a NUL in disguise', bpmn.replace('name="store"', 'name="&#0;"'), 'application/xml', 400],
  ['half of an emoji', bpmn.replace('name="store"', 'name="&#xd83d;"'), 'application/xml', 400],
  ['two megabytes', bpmn + ' '.repeat(2 * 1024 * 1024), 'application/xml', 400],
  ['nine megabytes', ' '.repeat(9 * 1024 * 1024), 'application/xml', 413],
  ['JSON', '{}', 'application/json', 415],
  ['a form', 'a=b', 'application/x-www-form-urlencoded', 415],
])('BPMN that is %s is a problem', async (_, raw, type, status) => {
  const t = await opened()
  const answer = await t.send('PUT', path('bpmn'), { raw, headers: { 'content-type': type } })
  expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'application/problem+json'])
  expect(answer.text).not.toContain('    at ')
})

test('a save that goes by an old read is refused', async () => {
  const t = await opened()
  const etag = (await t.get(path('bpmn'))).headers.get('etag') ?? ''
  const put = () => t.send('PUT', path('bpmn'), { raw: bpmn, headers: { ...xml, 'if-match': etag } })
  expect((await put()).status).toBe(200)
  expect((await put()).status).toBe(412)
  const json = { json: flow, headers: { 'if-match': etag } }
  expect((await t.send('PUT', path('json'), json)).status).toBe(412)
})

test('reading takes the scope read, saving takes design; a topology that is not there is a 404', async () => {
  const t = await opened()
  const { token } = (await t.post('/api/tokens', { name: 'viewer', scopes: ['read', 'operate'] })).body
  for (const [kind, sending] of [
    ['bpmn', { raw: bpmn, headers: xml }],
    ['json', { json: flow }],
  ] as const) {
    expect((await t.send('GET', path(kind), { token })).status).toBe(200)
    expect((await t.send('PUT', path(kind), { ...sending, token })).status).toBe(403)
    expect((await t.get(`/api/topologies/nope/schema.${kind}`)).status).toBe(404)
    expect((await t.send('PUT', `/api/topologies/nope/schema.${kind}`, sending)).status).toBe(404)
  }
})

test('what was read can be published once its workers are there', async () => {
  const t = await opened()
  const nodes = [flow.nodes[0], flow.nodes[2], flow.nodes[3]]
  await t.send('PUT', path('json'), { json: { nodes, connections: [flow.connections[0], flow.connections[2]] } })
  expect((await t.post('/api/topologies/orders/publish')).body).toMatchObject({ visibility: 'public', revision: 1 })
  expect((await t.send('DELETE', '/api/topologies/orders?force=true')).status).toBe(202)
})

test('a dry run answers what would be saved and what has no counterpart, and saves nothing', async () => {
  const t = await opened()
  const before = await t.get('/api/topologies/orders')
  const sent = [
    ['bpmn', { raw: bpmn, headers: xml }],
    ['json', { json: flow }],
  ] as const
  for (const [kind, sending] of sent) {
    const dry = await t.send('PUT', `${path(kind)}?dryRun=true`, sending)
    expect([dry.status, dry.headers.get('etag')]).toEqual([200, before.headers.get('etag')])
    expect((await t.get('/api/topologies/orders')).text).toBe(before.text)
    // Another one, of the same beginnings.
    const other = await opened()
    const saved = await other.send('PUT', path(kind), sending)
    expect({ ...dry.body, id: '', updatedAt: '', createdAt: '' }).toEqual({
      ...saved.body,
      id: '',
      updatedAt: '',
      createdAt: '',
    })
  }
  const checked = await t.post('/api/topologies/orders/check?drawn=true', chain('orders', { a: { service: 'erp' } }))
  expect(checked.body.errors.map(({ path }) => path)).not.toContain('nodes[1].service')
  expect((await t.send('PUT', `${path('json')}?dryRun=true`, { json: { nodes: 1 } })).status).toBe(400)
  expect((await t.send('PUT', `${path('json')}?dryRun=1`, { json: flow })).status).toBe(400)
  expect((await t.get('/api/audit?action=replaceTopologyBpmn')).body.items).toEqual([])
})
