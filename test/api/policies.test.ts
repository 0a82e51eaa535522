import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { chain, nodeOf, openApi, published } from './open.ts'
import type { TestApi } from './open.ts'

async function patch(t: TestApi, name: string, json: unknown) {
  const { id } = await nodeOf(t, 'orders', name)
  return t.send('PATCH', `/api/nodes/${id}`, { json })
}

/** A worker `m` whose manifest gives its node `a` these defaults. */
async function withManifest(t: TestApi, defaults: unknown) {
  const manifest = { protocol: 1, worker: 'm', nodes: [{ name: 'a', type: 'custom', defaults }] }
  const server = createServer((_request, response) => response.end(JSON.stringify(manifest)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const urls = [`http://127.0.0.1:${(server.address() as AddressInfo).port}`]
  return (await t.post('/api/workers', { name: 'm', urls })).body
}

test('every value of a policy is set by PATCH, shown as stored, and published by a republish', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const retry = { attempts: 3, backoff: 'fixed', baseMs: 10, maxMs: 20, on: ['default', 'status:4xx'], maxAgeMs: 9_000 }
  const values = { timeoutMs: 700, retry, inPlaceMaxMs: 5_000, onFail: 'block' }
  expect((await patch(t, 'a', values)).body).toMatchObject({
    ...values,
    published: {
      revision: 1,
      timeoutMs: 30_000,
      inPlaceMaxMs: 120_000,
      onFail: 'skip',
      retry: { attempts: 10, on: ['default'] },
    },
  })
  await t.post('/api/topologies/orders/republish')
  expect(await nodeOf(t, 'orders', 'a')).toMatchObject({ ...values, published: { ...values, revision: 2 } })
  const { body } = await t.get('/api/topologies/orders')
  expect(body.document.nodes[1]).toMatchObject(values)
})

test('null takes a value, or one field of the policy, back to what the document said, and to the default without one', async () => {
  const t = await openApi()
  await published(t, 'orders', { a: { timeoutMs: 400, retry: { attempts: 4, baseMs: 40 } } })
  await patch(t, 'a', { timeoutMs: 500, onFail: 'block', retry: { attempts: 5, maxMs: 500 } })
  expect(await nodeOf(t, 'orders', 'a')).toMatchObject({ retry: { attempts: 5, baseMs: 40, maxMs: 500 } })
  await patch(t, 'a', { retry: { attempts: null } })
  expect(await nodeOf(t, 'orders', 'a')).toMatchObject({ retry: { attempts: 4, baseMs: 40, maxMs: 500 } })
  await patch(t, 'a', { timeoutMs: null, onFail: null, retry: null })
  const reset = { timeoutMs: 400, onFail: 'skip', retry: { attempts: 4, baseMs: 40 } }
  expect(await nodeOf(t, 'orders', 'a')).toMatchObject(reset)
  const { body } = await t.get('/api/topologies/orders')
  expect(body.document.nodes[1]).toEqual({ name: 'a', type: 'custom', worker: 'w', timeoutMs: 400, retry: reset.retry })
  await t.post('/api/topologies/orders/republish')
  expect(await nodeOf(t, 'orders', 'a')).toMatchObject({ published: { timeoutMs: 400, onFail: 'skip' } })
})

test('a document that names a value wins over what was set before, one that leaves it out keeps it', async () => {
  const t = await openApi()
  await t.post('/api/topologies', chain('orders'))
  await patch(t, 'a', { inPlaceMaxMs: 5_000, onFail: 'block' })
  await t.send('PUT', '/api/topologies/orders', { json: chain('orders', { a: { onFail: 'skip' } }) })
  expect(await nodeOf(t, 'orders', 'a')).toMatchObject({ inPlaceMaxMs: 5_000, onFail: 'skip' })
})

test.each([
  [{ timeoutMs: 99 }, 'timeoutMs'],
  [{ timeoutMs: 86_400_001 }, 'timeoutMs'],
  [{ inPlaceMaxMs: 999 }, 'inPlaceMaxMs'],
  [{ onFail: 'stop' }, 'onFail'],
  [{ retry: { attempts: 101 } }, 'retry.attempts'],
  [{ retry: { on: ['5xx'] } }, 'retry.on[0]'],
  [{ retry: { on: ['status:504-500'] } }, 'retry.on[0]'],
  [{ retry: { on: ['status:200'] } }, 'retry.on[0]'],
  [{ retry: { on: [] } }, 'retry.on'],
  [{ retry: { baseMs: 10, maxMs: 9 } }, 'retry.maxMs'],
  [{ prefetch: 2, onFail: 'block' }, 'onFail'],
  [{ retry: { tries: 1 } }, 'retry'],
])('%j is refused and changes nothing', async (json, path) => {
  const t = await openApi()
  await t.post('/api/topologies', chain('orders'))
  expect((await patch(t, 'a', json)).body).toMatchObject({ status: 400, errors: [{ path }] })
  expect((await t.get('/api/topologies/orders')).body.bridgeOutOfSync).toBe(false)
})

test('a node that blocks keeps prefetch 1, and one with more does not block, in a draft neither', async () => {
  const t = await openApi()
  await published(t, 'orders', { b: { prefetch: 3 } })
  await patch(t, 'a', { onFail: 'block' })
  const detail = expect.stringContaining('onFail: block needs prefetch 1 or partitions') as string
  expect((await patch(t, 'a', { prefetch: 4 })).body).toMatchObject({
    status: 400,
    detail,
    errors: [{ path: 'prefetch' }],
  })
  expect((await patch(t, 'b', { onFail: 'block' })).body).toMatchObject({ errors: [{ path: 'onFail' }] })
  expect((await patch(t, 'a', { prefetch: 4, onFail: 'skip' })).status).toBe(200)
  await t.send('PUT', '/api/topologies/orders', { json: chain('orders', { b: { prefetch: 3, onFail: 'block' } }) })
  const { body } = await t.post('/api/topologies/orders/publish')
  expect(body).toMatchObject({ status: 400, errors: [{ path: 'nodes[2].onFail', message: detail }] })
})

test.each([100, 86_400_000])('a time-out of %i ms is taken', async (timeoutMs) => {
  const t = await openApi()
  await published(t, 'orders', { b: { timeoutMs } })
  await patch(t, 'a', { timeoutMs })
  await t.post('/api/topologies/orders/republish')
  for (const name of ['a', 'b']) expect(await nodeOf(t, 'orders', name)).toMatchObject({ published: { timeoutMs } })
})

test('defaults of a manifest hold for what nobody else says; those that can not be used are reported and ignored', async () => {
  const t = await openApi()
  const defaults = { prefetch: 50, timeoutMs: 900, onFail: 'block', retry: { attempts: 2, on: ['never'], baseMs: 30 } }
  const worker = await withManifest(t, defaults)
  expect(worker).toMatchObject({
    manifestFaults: [{ path: 'nodes[0].defaults.retry.on' }, { path: 'nodes[0].defaults.prefetch' }],
  })
  await published(t, 'orders', { a: { worker: 'm', retry: { attempts: 7 } } })
  const inForce = { prefetch: 1, timeoutMs: 900, onFail: 'block', retry: { attempts: 7, baseMs: 30, on: ['default'] } }
  expect(await nodeOf(t, 'orders', 'a')).toMatchObject({ timeoutMs: 900, onFail: 'block', published: inForce })
  await patch(t, 'a', { timeoutMs: 800, onFail: 'skip' })
  await t.post('/api/topologies/orders/republish')
  const changed = { ...inForce, timeoutMs: 800, onFail: 'skip' }
  expect(await nodeOf(t, 'orders', 'a')).toMatchObject({ published: changed })
  expect((await t.get('/api/topologies/orders')).body.bridgeOutOfSync).toBe(false)
})

test('a start node has none of a policy', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const { body } = await patch(t, 'start', { inPlaceMaxMs: 5_000, onFail: 'skip' })
  expect(body).toMatchObject({ status: 400, errors: [{ path: 'inPlaceMaxMs' }, { path: 'onFail' }] })
  expect(await nodeOf(t, 'orders', 'start')).toMatchObject({ onFail: null, published: { retry: null } })
})
