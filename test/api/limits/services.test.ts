import { describe, expect, test } from 'vitest'
import { whileHeld } from '../held.ts'
import { chain, nodeOf, openApi, published } from '../open.ts'
import { lockService } from '../../../runtime/store/queries/services.ts'

const perSecond = { rate: 10, per: 'second' }

const faults: [what: string, values: Record<string, unknown>, path: string, why: RegExp][] = [
  ['a rate of nothing', { limits: [{ rate: 0, per: 'second' }] }, 'limits[0].rate', /1/],
  ['a rate below nothing', { limits: [{ rate: -1, per: 'day' }] }, 'limits[0].rate', /1/],
  ['half a request', { limits: [{ rate: 0.5, per: 'day' }] }, 'limits[0].rate', /integer|whole/i],
  ['more than anybody takes', { limits: [{ rate: 1e9, per: 'day' }] }, 'limits[0].rate', /1000000/],
  ['a rate beyond all whole numbers', { limits: [{ rate: 1e300, per: 'day' }] }, 'limits[0].rate', /at most 1000000$/],
  ['a rate as far below', { limits: [{ rate: -1e300, per: 'day' }] }, 'limits[0].rate', /at least 1$/],
  ['a rate as text', { limits: [{ rate: '10', per: 'day' }] }, 'limits[0].rate', /number/i],
  ['another period', { limits: [{ rate: 1, per: 'year' }] }, 'limits[0].per', /second/],
  ['a burst of nothing', { limits: [{ ...perSecond, burst: 0 }] }, 'limits[0].burst', /1/],
  ['another scope', { limits: [{ ...perSecond, scope: 'world' }] }, 'limits[0].scope', /tenant/],
  ['a misspelt field', { limits: [{ ...perSecond, brust: 2 }] }, 'limits[0]', /brust/],
  ['eleven limits', { limits: Array.from({ length: 11 }, () => perSecond) }, 'limits', /10/],
  ['limits that are no list', { limits: perSecond }, 'limits', /array|list/i],
  ['the same limit twice', { limits: [perSecond, { rate: 5, per: 'second' }] }, 'limits[1]', /two limits per second/],
  [
    'more in a second than in a day',
    {
      limits: [
        { rate: 40, per: 'second' },
        { rate: 10, per: 'day' },
      ],
    },
    'limits[1]',
    /40 per second can never be reached with 10 per day; lower the first or raise the second/,
  ],
  [
    'more for each tenant than for all',
    { limits: [perSecond, { rate: 20, per: 'second', scope: 'tenant' }] },
    'limits[1]',
    /20 per second and tenant can never be reached with 10 per second/,
  ],
  [
    'more at once than in a minute',
    {
      limits: [
        { ...perSecond, burst: 101 },
        { rate: 100, per: 'minute' },
      ],
    },
    'limits[1]',
    /a burst of 101 of 10 per second can never come with 100 per minute; lower the burst to 100, or raise the second/,
  ],
  [
    'more at once of a tenant than of all, declared before it',
    {
      limits: [
        { rate: 20, per: 'minute', burst: 5 },
        { rate: 2, per: 'second', burst: 25, scope: 'tenant' },
      ],
    },
    'limits[1]',
    /a burst of 25 of 2 per second and tenant can never come with 20 per minute; lower the burst to 24/,
  ],
  ['no call in flight', { maxInFlight: 0 }, 'maxInFlight', /1/],
  ['calls in flight without end', { maxInFlight: 1e6 }, 'maxInFlight', /10000/],
  ['a scope of no calls in flight', { inFlightScope: 'tenant' }, 'inFlightScope', /give maxInFlight/],
]

const strangeNames = ['', 'Shop', 'a/b', '../x', 'ünï', 'a b', 'a.b', '*', '>', 'x'.repeat(64), 'a\u0000', '$KV']

describe('a service is stored as it can be kept', () => {
  test('with ten limits, for all and for each tenant', async () => {
    const t = await openApi()
    const limits = (['second', 'minute', 'hour', 'day'] as const).flatMap((per, n) => [
      { rate: 100 * (n + 1), per, scope: 'global' },
      { rate: 10 * (n + 1), per, scope: 'tenant', burst: 3 },
    ])
    const made = await t.post('/api/services', { name: 'shop', limits, maxInFlight: 3, inFlightScope: 'tenant' })
    expect(made).toMatchObject({ status: 201, body: { limits, maxInFlight: 3, inFlightScope: 'tenant' } })
    expect((await t.queues.config.config.get('service.shop'))?.json()).toMatchObject({
      limits,
      inFlightScope: 'tenant',
    })
    expect((await t.send('PUT', '/api/services/shop', { json: { limits } })).body).toMatchObject({
      maxInFlight: null,
      inFlightScope: 'global',
    })
    expect((await t.send('PUT', '/api/services/shop', { json: { limits: [], inFlightScope: 'global' } })).status).toBe(
      200,
    )
  })

  test('or refused: each fault with its place, and how to mend it', async () => {
    const t = await openApi()
    for (const [what, values, path, why] of faults) {
      const answer = await t.post('/api/services', { name: 'shop', ...values })
      expect(answer.status, what).toBe(400)
      expect(answer.body.errors, what).toMatchObject([{ path, message: expect.stringMatching(why) as string }])
    }
    expect((await t.get('/api/services')).body.items).toEqual([])
  })

  test('under a name that can stand in a path and in a subject', async () => {
    const t = await openApi()
    for (const name of strangeNames) {
      const answer = await t.post('/api/services', { name, limits: [perSecond] })
      expect(answer.body, name).toMatchObject({ status: 400, errors: [{ path: 'name' }] })
      const path = `/api/services/${encodeURIComponent(name)}/state`
      expect([400, 404], name).toContain((await t.get(path)).status)
    }
  })
})

describe('a call that counts as more than a limit ever has room for', () => {
  const dear = (limitCost: number) => chain('orders', { a: { service: 'geo', limitCost }, b: { limitCost: 2 } })

  test('is a fault at the publish, as is a cost without a service', async () => {
    const t = await openApi()
    await t.post('/api/services', { name: 'geo', limits: [perSecond, { rate: 20, per: 'minute', scope: 'tenant' }] })
    await t.post('/api/workers', { name: 'w', urls: ['http://127.0.0.1:1'] })
    await t.post('/api/topologies', dear(11))
    const refused = await t.post('/api/topologies/orders/publish')
    expect(refused.status).toBe(400)
    expect(refused.body.errors).toMatchObject([
      {
        path: 'nodes[1].limitCost',
        message:
          'a call of a counts as 11, and 10 per second of service geo never has room for that; lower limitCost to 10, or raise the limit',
      },
      { path: 'nodes[2].limitCost', message: expect.stringContaining('b has no service') as string },
    ])
    await t.send('PUT', '/api/services/geo', { json: { limits: [{ ...perSecond, burst: 11 }] } })
    expect((await t.post('/api/topologies/orders/publish')).body.errors).toMatchObject([{ path: 'nodes[2].limitCost' }])
  })

  test('is a conflict when the service is changed, or an older revision comes back, and names the node', async () => {
    const t = await openApi()
    await t.post('/api/services', { name: 'geo', limits: [perSecond] })
    await published(t, 'orders', { a: { service: 'geo', limitCost: 10 } })
    expect(await nodeOf(t, 'orders', 'a')).toMatchObject({ service: 'geo', limitCost: 10 })
    const less = { limits: [{ rate: 9, per: 'second' }] }
    const refused = await t.send('PUT', '/api/services/geo', { json: less })
    expect(refused.body).toMatchObject({
      status: 409,
      detail:
        '9 per second never has room for a call of published nodes of the service "geo": orders/a (limitCost 10); raise the limit, or publish these nodes with a limitCost of at most 9 first',
    })
    expect((await t.get('/api/services/geo')).body).toMatchObject({ limits: [perSecond] })
    await t.send('PUT', '/api/topologies/orders', { json: chain('orders', { a: { service: 'geo' } }) })
    await t.post('/api/topologies/orders/publish')
    expect((await t.send('PUT', '/api/services/geo', { json: less })).status).toBe(200)
    const back = await t.post('/api/topologies/orders/rollback', { revision: 1 })
    expect(back.body).toMatchObject({ status: 409, detail: expect.stringContaining('9 per second') as string })
  })
})

describe('a service in use stays', () => {
  test('while a published node or a draft names it; who uses it is said', async () => {
    const t = await openApi()
    for (const name of ['geo', 'erp']) await t.post('/api/services', { name, limits: [perSecond] })
    await published(t, 'orders', { a: { service: 'geo' }, b: { service: 'geo', limitCost: 3 } })
    await t.post('/api/topologies', chain('sketch', { b: { service: 'erp' } }))
    const users = 'nodes use the service "geo": orders/a, orders/b; take it from these nodes first'
    expect((await t.send('DELETE', '/api/services/geo')).body).toMatchObject({ status: 409, detail: users })
    expect((await t.send('DELETE', '/api/services/erp')).body.detail).toContain('sketch/b (draft)')
    // What is published goes by the service until another graph is.
    await t.send('PUT', '/api/topologies/orders', { json: chain('orders') })
    expect((await t.send('DELETE', '/api/services/geo')).status).toBe(409)
    await t.post('/api/topologies/orders/publish')
    expect((await t.send('DELETE', '/api/services/geo')).status).toBe(204)
    await t.send('DELETE', '/api/topologies/sketch')
    expect((await t.send('DELETE', '/api/services/erp')).status).toBe(204)
    expect(await t.queues.control.told()).toMatchObject({ services: new Map() })
  })

  test('of very many users some are named', async () => {
    const t = await openApi()
    await t.post('/api/services', { name: 'geo', limits: [] })
    const nodes = Array.from({ length: 30 }, (_, n) => ({ name: `n${n}`, type: 'custom', worker: 'w', service: 'geo' }))
    await t.post('/api/topologies', { name: 'many', nodes, edges: [] })
    const { detail } = (await t.send('DELETE', '/api/services/geo')).body
    expect(detail).toContain('many/n19 (draft) and more')
    expect(detail).not.toContain('n20')
  })

  test('also for a publish that waits until somebody has changed it', async () => {
    const t = await openApi()
    await t.post('/api/services', { name: 'geo', limits: [] })
    await t.post('/api/workers', { name: 'w', urls: ['http://127.0.0.1:1'] })
    await t.post('/api/topologies', chain('orders', { a: { service: 'geo' } }))
    const answer = await whileHeld(
      t.store,
      (inside) => lockService(inside, 'geo'),
      () => t.post('/api/topologies/orders/publish'),
    )
    expect(answer.status).toBe(200)
    expect((await t.send('DELETE', '/api/services/geo')).status).toBe(409)
  })
})

describe('a topology that names a service that is not there', () => {
  test('can be saved, but not published, until there is one', async () => {
    const t = await openApi()
    await t.post('/api/workers', { name: 'w', urls: ['http://127.0.0.1:1'] })
    await t.post('/api/services', { name: 'geo', limits: [] })
    expect((await t.post('/api/topologies', chain('orders', { a: { service: 'goe' } }))).status).toBe(201)
    const refused = await t.post('/api/topologies/orders/publish')
    const message = 'there is no service "goe" (did you mean "geo"?)'
    expect(refused.body).toMatchObject({
      status: 400,
      errors: [{ path: 'nodes[1].service', message: expect.stringContaining(message) as string }],
    })
    await t.post('/api/services', { name: 'goe', limits: [] })
    expect((await t.post('/api/topologies/orders/publish')).status).toBe(200)
  })

  test('is not brought back by a rollback', async () => {
    const t = await openApi()
    await t.post('/api/services', { name: 'geo', limits: [] })
    await published(t, 'orders', { a: { service: 'geo' } })
    await t.send('PUT', '/api/topologies/orders', { json: chain('orders') })
    await t.post('/api/topologies/orders/publish')
    await t.send('DELETE', '/api/services/geo')
    const back = await t.post('/api/topologies/orders/rollback', { revision: 1 })
    expect(back.body).toMatchObject({
      status: 409,
      detail: expect.stringContaining('no service "geo" any more') as string,
    })
  })
})
