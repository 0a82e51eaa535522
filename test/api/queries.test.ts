import { expect, test } from 'vitest'
import { openApi, published } from './open.ts'

test('a query parameter that a route does not have is refused by name, also where it takes none', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const misspelt = await t.post('/api/topologies/orders/publish?inflight=drain', {})
  expect(misspelt.body).toMatchObject({
    status: 400,
    errors: [{ path: 'inflight', message: 'there is no such query parameter; expected inFlight' }],
  })
  for (const [method, path] of [
    ['GET', '/api/topologies?foo=1'],
    ['GET', '/api/topologies/orders?limit=5'],
    ['POST', '/api/topologies/orders/run?split=records'],
    ['POST', '/start/orders/start?tenant=ann&splitt=records'],
    ['GET', '/api/status?x'],
    ['GET', '/metrics?name=up'],
  ] as const)
    expect([path, (await t.send(method, path, method === 'POST' ? { json: {} } : {})).status]).toEqual([path, 400])
  expect((await t.get('/api/topologies?limit=5')).status).toBe(200)
  expect((await t.get('/nowhere?x=1')).status).toBe(404)
})

test('a body where a route takes none is refused, since what it says would not be done; an empty object says nothing', async () => {
  const t = await openApi()
  await published(t, 'orders')
  await t.post('/api/services', { name: 'geo', limits: [] })
  for (const path of ['/api/services/geo/resume', '/api/workers/w/refresh', '/api/topologies/orders/publish']) {
    const { status, body } = await t.post(path, { tenant: 'acme' })
    expect([path, status]).toEqual([path, 400])
    expect(body).toMatchObject({ detail: expect.stringContaining('this takes no body') as string })
  }
  expect((await t.post('/api/services/geo/resume', {})).body).toEqual({ ended: 0 })
})

test('probes and open pages take any query, as load balancers add some', async () => {
  const t = await openApi()
  for (const path of ['/healthz', '/readyz', '/api/openapi.json', '/api/docs', '/api/schemas/topology.json'])
    for (const method of ['GET', 'HEAD'])
      expect([path, (await t.api.request(`${path}?probe=1&_`, { method })).status]).not.toEqual([path, 400])
  expect((await t.send('GET', '/healthz?probe=1', { token: null })).status).toBe(200)
})

test.each(['0000-01-01T00:00:00Z', '0001-01-01T00:00:00%2B01:00', '9999-12-31T23:59:59-01:00'])(
  'the time %s, which Postgres can not hold, is refused',
  async (time) => {
    const t = await openApi()
    for (const path of ['runs?since', 'trash?since', 'trash/groups?until', 'audit?since', 'audit?until'])
      expect([path, (await t.get(`/api/${path}=${time}`)).status]).toEqual([path, 400])
    const expiresAt = decodeURIComponent(time)
    expect((await t.post('/api/tokens', { name: 'x', scopes: ['read'], expiresAt })).status).toBe(400)
  },
)
