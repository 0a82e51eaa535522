import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { Fail, RateLimited, Retry, worker, type Call } from '../../workers/sdk/src/index.ts'
import { call, problemOf } from './support.ts'

const make = (options: { onError?: (error: unknown) => void } = {}) =>
  worker({ name: 'shop', version: '1.4.2', onError: () => {}, ...options })

/** A worker whose one node, `look`, hands its call out. */
function looking() {
  const calls: Call[] = []
  return { calls, shop: make().custom('look', (received) => void calls.push(received)) }
}

describe('paths', () => {
  const shop = make().custom('echo', ({ body }) => body as unknown)

  test('a node is called by POST at /nodes/{name}, wherever the worker is mounted', async () => {
    const mounted = new Request('http://worker/api/shop/nodes/echo?x=1', { method: 'POST', body: 'hi' })
    expect((await call(shop, 'echo', { a: 1 })).status).toBe(200)
    expect((await shop.fetch(mounted)).status).toBe(200)
  })

  test('an unknown node is 404 without a problem, which the bridge takes for not deployed yet', async () => {
    const reply = await call(shop, 'other', {})
    expect(reply.status).toBe(404)
    expect(reply.headers.get('content-type')).toMatch('text/plain')
    expect(await reply.text()).toBe('Worker shop has no node other.\n')
  })

  test.each(['__proto__', 'constructor', '../echo', 'echo/', '%65cho', ''])('%s is no node', async (name) => {
    const request = new Request('http://worker/', { method: 'POST' })
    Object.defineProperty(request, 'url', { value: `http://worker/nodes/${name}` })
    expect((await shop.fetch(request)).status).toBe(404)
  })

  test('any method but POST is 405 at a node', async () => {
    const reply = await call(shop, 'echo', undefined, { method: 'GET' })
    expect([reply.status, reply.headers.get('allow')]).toEqual([405, 'POST'])
  })

  test('healthz answers 200, and nothing else lives beside the nodes', async () => {
    expect((await shop.fetch(new Request('http://worker/healthz'))).status).toBe(200)
    expect((await shop.fetch(new Request('http://worker/healthz', { method: 'HEAD' }))).status).toBe(200)
    expect((await shop.fetch(new Request('http://worker/healthz', { method: 'DELETE' }))).status).toBe(405)
    expect((await shop.fetch(new Request('http://worker/'))).status).toBe(404)
  })
})

describe('the manifest', () => {
  test('says what each node is, with JSON Schema where it can be had', async () => {
    const shop = make()
      .batch('orders', { service: 'shopify', timeoutMs: 1000, retry: { attempts: 3 } }, () => ({ records: [] }))
      .connector('store', { input: z.object({ id: z.number() }), prefetch: 5 }, () => {})
      .custom('sum', { output: { type: 'number' }, settings: z.string().transform(Number), title: 'Sum' }, () => 1)
    const reply = await shop.fetch(new Request('http://worker/.well-known/sluice-worker'))
    const { nodes, ...rest } = (await reply.json()) as { nodes: Record<string, unknown>[] }
    expect(rest).toEqual({ protocol: 1, worker: 'shop', version: '1.4.2' })
    expect(nodes[0]).toEqual({
      name: 'orders',
      type: 'batch',
      path: '/nodes/orders',
      service: 'shopify',
      defaults: { timeoutMs: 1000, retry: { attempts: 3 } },
    })
    expect(nodes[1]).toMatchObject({ input: { type: 'object', required: ['id'] }, defaults: { prefetch: 5 } })
    expect(nodes[2]).toMatchObject({ output: { type: 'number' }, title: 'Sum' })
  })

  test('leaves out a schema that JSON Schema cannot say', () => {
    const shop = make().custom('sum', { input: z.custom<() => void>((value) => typeof value === 'function') }, () => 1)
    expect(shop.manifest().nodes[0]?.input).toBeUndefined()
  })
})

describe('definitions', () => {
  test.each([
    ['a bad worker name', () => worker({ name: 'My Shop', version: '1' }), /name My Shop must fit/],
    ['a bad node name', () => make().custom('a/b', () => 1), /node name a\/b must fit/],
    [
      'the same node twice',
      () =>
        make()
          .custom('a', () => 1)
          .batch('a', () => undefined),
      /two nodes named a/,
    ],
    ['a prefetch of 21', () => make().custom('a', { prefetch: 21 }, () => 1), /prefetch is 21/],
    ['an empty secret', () => worker({ name: 'a', version: '1', secret: '' }), /secret is empty/],
    ['a secret that is not base64', () => worker({ name: 'a', version: '1', secret: 'whsec_$' }), /not base64/],
  ])('%s is refused when it is defined', (_, define, message) => {
    expect(define).toThrow(message)
  })
})

describe('a call', () => {
  test('reads everything that the bridge says', async () => {
    const { calls, shop } = looking()
    const headers = {
      'ce-id': 'm1%40x',
      'ce-correlationid': 'run1',
      'ce-partitionkey': 'k%20%C3%A9',
      'sluice-node': 'look-eu',
      'sluice-topology': 'cities;rev=3',
      'sluice-attempt': '2;max=10',
      'sluice-page': '4',
      'sluice-cursor': 'a%25b',
      'sluice-watermark': '2024-01-01 00:00',
      'sluice-followers': 'a, b',
      'sluice-settings': Buffer.from('{"größe":1}').toString('base64url'),
      'sluice-tenant': '%C5%BDi%C5%BEkov',
      'sluice-limit-key': '%C3%BA%C4%8Det',
      'sluice-sequence': '77',
      'sluice-deadline': '2099-01-01T00:00:00.000Z',
      'idempotency-key': 'm1@look-eu#4',
      'x-shop': 'K%C3%B6ln',
      'content-type': 'application/json; charset=utf-8',
    }
    await call(shop, 'look', '{"a":1}', { headers })
    expect(calls[0]).toMatchObject({
      body: { a: 1 },
      text: '{"a":1}',
      id: 'm1@x',
      run: 'run1',
      node: 'look-eu',
      topology: 'cities',
      attempt: 2,
      page: 4,
      cursor: 'a%b',
      watermark: '2024-01-01 00:00',
      followers: ['a', 'b'],
      settings: { größe: 1 },
      tenant: 'Žižkov',
      limitKey: 'účet',
      partitionKey: 'k é',
      deadline: new Date('2099-01-01T00:00:00Z'),
      idempotencyKey: 'm1@look-eu#4',
      sequence: 77,
    })
    expect(calls[0]?.headers).toMatchObject({ 'x-shop': 'Köln', 'content-type': 'application/json; charset=utf-8' })
  })

  test('made by hand, without any header of the bridge, still works', async () => {
    const { calls, shop } = looking()
    await call(shop, 'look', new Uint8Array([1, 2]))
    const [received] = calls
    expect(received).toMatchObject({ attempt: 1, page: 0, cursor: null, tenant: null, deadline: null, settings: {} })
    expect(received?.body).toEqual(new Uint8Array([1, 2]))
    expect(received?.idempotencyKey).toBe(`${received?.id}@look`)
  })

  test.each([
    ['application/vnd.shop+json', '[1]', [1]],
    ['text/csv', 'a;b', 'a;b'],
    ['application/json', '', undefined],
    ['application/octet-stream', 'x', new Uint8Array([120])],
  ])('with content type %s and body "%s" has the body %j', async (contentType, body, expected) => {
    const { calls, shop } = looking()
    await call(shop, 'look', body, { headers: { 'content-type': contentType } })
    expect(calls[0]?.body).toEqual(expected)
  })

  test('a percent sign that encodes nothing stays as it is', async () => {
    const { calls, shop } = looking()
    await call(shop, 'look', {}, { headers: { 'x-a': '100% %E9 %C3%A9' } })
    expect(calls[0]?.headers['x-a']).toBe('100% %E9 é')
  })

  test('aborts its signal when the deadline passes, and then answers 504', async () => {
    const shop = make().custom('wait', async ({ signal }) => {
      await new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error))
      })
    })
    const deadline = new Date(Date.now() + 30).toISOString()
    const reply = await call(shop, 'wait', {}, { headers: { 'sluice-deadline': deadline } })
    expect(reply.status).toBe(504)
  })

  test('aborts its signal when the bridge hangs up', async () => {
    const { calls, shop } = looking()
    const bridge = new AbortController()
    await call(shop, 'look', {}, { signal: bridge.signal })
    const signal = calls[0]?.signal
    bridge.abort()
    expect(signal?.aborted).toBe(true)
  })

  test('whose deadline is past already is not cut off: the clocks differ', async () => {
    const { calls, shop } = looking()
    await call(shop, 'look', {}, { headers: { 'sluice-deadline': '2001-01-01T00:00:00Z' } })
    expect(calls[0]?.signal.aborted).toBe(false)
  })
})

describe('input that cannot be read', () => {
  const shop = make().custom('echo', ({ body }) => body as unknown)

  test.each([
    ['malformed JSON', '{"a":'],
    ['JSON that is not UTF-8', new Uint8Array([0x22, 0xff, 0x22])],
  ])('%s is 400 and never retried', async (_, body) => {
    const reply = await call(shop, 'echo', body, { headers: { 'content-type': 'application/json' } })
    expect([reply.status, reply.headers.get('sluice-retry')]).toEqual([400, '0'])
    expect(await problemOf(reply)).toMatchObject({ title: 'Malformed body', status: 400 })
  })

  test('a body over 8 MiB is 413, also when no length is announced', async () => {
    const announced = await call(shop, 'echo', new Uint8Array(8 * 1024 * 1024 + 1), {
      headers: { 'content-length': String(8 * 1024 * 1024 + 1) },
    })
    const streamed = new Request('http://worker/nodes/echo', {
      method: 'POST',
      duplex: 'half',
      body: new Blob([new Uint8Array(8 * 1024 * 1024 + 1)]).stream(),
    })
    expect([announced.status, (await shop.fetch(streamed)).status]).toEqual([413, 413])
  })

  test('a body of exactly 8 MiB is read', async () => {
    const reply = await call(shop, 'echo', new Uint8Array(8 * 1024 * 1024))
    expect((await reply.arrayBuffer()).byteLength).toBe(8 * 1024 * 1024)
  })

  test('settings that are no JSON are 400', async () => {
    const reply = await call(shop, 'echo', {}, { headers: { 'sluice-settings': 'e30x' } })
    expect((await problemOf(reply))['title']).toBe('Malformed settings')
  })
})

describe('schemas', () => {
  const Order = z.object({ id: z.number(), lines: z.array(z.object({ amount: z.number().positive() })) })
  const shop = make()
    .custom('order', { input: Order, settings: z.object({ vat: z.number().default(21) }) }, ({ body, settings }) => ({
      id: body.id,
      vat: settings.vat,
    }))
    .custom('plain', { input: { type: 'object', required: ['id'] } }, () => 'taken')

  test('a body that does not fit is 422 with every fault and its path', async () => {
    const reply = await call(shop, 'order', { id: 'x', lines: [{ amount: 1 }, { amount: -1 }] })
    const problem = await problemOf(reply)
    expect([reply.status, problem['title']]).toEqual([422, 'Invalid body'])
    expect((problem['errors'] as { path: string }[]).map(({ path }) => path)).toEqual(['id', 'lines[1].amount'])
  })

  test('a body that fits reaches the handler, typed; settings get their defaults', async () => {
    expect(await (await call(shop, 'order', { id: 1, lines: [] })).json()).toEqual({ id: 1, vat: 21 })
  })

  test('settings that do not fit are 422', async () => {
    const settings = Buffer.from('{"vat":"x"}').toString('base64url')
    const reply = await call(shop, 'order', { id: 1, lines: [] }, { headers: { 'sluice-settings': settings } })
    expect((await problemOf(reply))['title']).toBe('Invalid settings')
  })

  test('a plain JSON Schema is shown but not checked', async () => {
    expect(await (await call(shop, 'plain', {})).text()).toBe('taken')
  })
})

describe('what a handler throws', () => {
  const throwing = (error: unknown, onError = () => {}) =>
    make({ onError }).custom('fail', () => {
      throw error
    })

  test.each([
    [new Retry('later'), 500, { 'sluice-retry': '1', 'retry-after': null }],
    [new Retry('later', { afterMs: 1200 }), 500, { 'sluice-retry': '1', 'retry-after': '2' }],
    [new Fail('never'), 422, { 'sluice-retry': '0' }],
    [new Fail('gone', { status: 404 }), 404, { 'sluice-retry': '0' }],
    [new Fail('no access', { status: 401 }), 422, { 'sluice-retry': '0' }],
    [new Fail('odd', { status: 200 }), 422, { 'sluice-retry': '0' }],
    [new RateLimited({ afterMs: 5000 }), 429, { 'retry-after': '5' }],
    [new RateLimited(), 429, { 'retry-after': null }],
    [new RangeError('oops'), 500, { 'sluice-retry': null }],
    ['a string', 500, { 'sluice-retry': null }],
  ])('%s is answered with %d', async (error, status, headers) => {
    const reply = await call(throwing(error), 'fail', {})
    const named = Object.keys(headers).map((name) => [name, reply.headers.get(name)])
    expect([reply.status, Object.fromEntries(named)]).toEqual([status, headers])
    expect((await problemOf(reply))['status']).toBe(status)
  })

  test('an unexpected error shows its message but never its stack, which only onError gets', async () => {
    const seen: unknown[] = []
    const error = new TypeError('x is not a function')
    const reply = await call(
      throwing(error, (...told: unknown[]) => void seen.push(told[0])),
      'fail',
      {},
    )
    const text = await reply.text()
    expect(JSON.parse(text)).toEqual({ type: 'about:blank', title: 'TypeError', status: 500, detail: error.message })
    expect([text.includes('.ts:'), seen]).toEqual([false, [error]])
  })

  test('a decided failure is not an unexpected one', async () => {
    const seen: unknown[] = []
    await call(
      throwing(new Fail('never'), (...told: unknown[]) => void seen.push(told)),
      'fail',
      {},
    )
    expect(seen).toEqual([])
  })

  test('title, type, errors and further members reach the problem', async () => {
    const error = new Fail('order 12 has no customer', {
      title: 'No customer',
      type: 'https://example.com/no-customer',
      errors: [{ path: 'customer', message: 'missing' }],
      more: { order: 12, status: 200 },
    })
    expect(await problemOf(await call(throwing(error), 'fail', {}))).toEqual({
      type: 'https://example.com/no-customer',
      title: 'No customer',
      status: 422,
      detail: 'order 12 has no customer',
      errors: [{ path: 'customer', message: 'missing' }],
      order: 12,
    })
  })
})
