import { describe, expect, test } from 'vitest'
import { decodeHeaderValue } from '../../runtime/protocol/header-values.ts'
import { readOutputs } from '../../runtime/protocol/outputs.ts'
import { end, many, message, pass, route, worker } from '../../workers/sdk/src/index.ts'
import { call, problemOf, service } from './support.ts'

/** The reply of a node whose handler returns `result`. */
function replyOf(result: unknown, type: 'custom' | 'batch' = 'custom'): Promise<Response> {
  const shop = worker({ name: 'shop', version: '1', onError: () => {} })
  return call(type === 'batch' ? shop.batch('n', () => result as never) : shop.custom('n', () => result), 'n', {})
}

describe('what a handler returns', () => {
  test.each([
    [{ a: 'é' }, 'application/json', '{"a":"é"}'],
    [[1, 2], 'application/json', '[1,2]'],
    [null, 'application/json', 'null'],
    [0, 'application/json', '0'],
    ['text', 'text/plain; charset=utf-8', 'text'],
    [new Uint8Array([104, 105]), 'application/octet-stream', 'hi'],
    [message('<a/>', { contentType: 'application/xml' }), 'application/xml', '<a/>'],
  ])('%j goes out as %s', async (result, contentType, body) => {
    const reply = await replyOf(result)
    expect([reply.status, reply.headers.get('content-type'), await reply.text()]).toEqual([200, contentType, body])
  })

  test('nothing means 204: done, nothing to forward', async () => {
    expect((await replyOf(undefined)).status).toBe(204)
  })

  test('a Promise is awaited', async () => {
    expect(await (await replyOf(Promise.resolve({ a: 1 }))).json()).toEqual({ a: 1 })
  })

  test('a Response is answered as it is', async () => {
    const reply = await replyOf(new Response('x', { status: 202, headers: { 'sluice-route': 'a' } }))
    expect([reply.status, reply.headers.get('sluice-route'), await reply.text()]).toEqual([202, 'a', 'x'])
  })

  test.each([() => 1, Symbol('x'), 10n])('a %s is no body: 500', async (result) => {
    expect((await replyOf(result)).status).toBe(500)
  })

  test('route, key, tenant and user headers travel beside the body, encoded', async () => {
    const reply = await replyOf(
      route(
        ['a', 'b'],
        { n: 1 },
        { partitionKey: 'klíč 1', tenant: '50%', limitKey: 'účet', limitCost: 5, headers: { 'X-Name': 'Žižkov\r\nx' } },
      ),
    )
    const read = (name: string) => decodeHeaderValue(reply.headers.get(name) ?? '')
    expect(reply.headers.get('sluice-route')).toBe('a, b')
    expect([read('sluice-limit-key'), read('sluice-limit-cost')]).toEqual(['účet', '5'])
    expect([read('ce-partitionkey'), read('sluice-tenant'), read('x-name')]).toEqual(['klíč 1', '50%', 'Žižkov\r\nx'])
  })

  test('a header that is not named x-… is refused', async () => {
    const problem = await problemOf(await replyOf(message({}, { headers: { 'sluice-route': 'a' } })))
    expect(problem['detail']).toMatch('named x-')
  })

  test('what a call has cost is told also where nothing goes on, and a cost that cannot be is refused', async () => {
    expect((await replyOf(end({ limitCost: 0 }))).headers.get('sluice-limit-cost')).toBe('0')
    expect((await replyOf({ records: [1], limitCost: 3 }, 'batch')).headers.get('sluice-limit-cost')).toBe('3')
    for (const limitCost of [-1, 1.5, 10_001, NaN]) expect((await replyOf(pass({ limitCost }))).status).toBe(500)
  })

  test('pass and end have no body', async () => {
    const passed = await replyOf(pass({ route: 'a' }))
    expect([passed.headers.get('sluice-pass'), passed.headers.get('sluice-route')]).toEqual(['1', 'a'])
    const ended = await replyOf(end())
    expect([ended.status, ended.headers.get('sluice-end')]).toEqual([204, '1'])
  })
})

describe('many outputs', () => {
  test('are read back by the engine, each with its own route, key and tenant', async () => {
    const big = new Uint8Array(100_000).fill(200)
    const reply = await replyOf(
      many(
        [{ a: 1 }, message('č', { route: 'x', partitionKey: 'k', tenant: 't', limitKey: 'l' }), message(big), null],
        {
          headers: { 'x-a': '1' },
        },
      ),
    )
    const contentType = reply.headers.get('content-type') ?? ''
    expect([contentType, reply.headers.get('x-a')]).toEqual(['application/cloudevents-batch+json', '1'])
    const outputs = readOutputs(new Uint8Array(await reply.arrayBuffer()), contentType, { kind: 'events' })
    if (outputs.kind === 'malformed') throw new Error(outputs.detail)
    const read = [...outputs].map(({ body, ...rest }) => ({ ...rest, body: Buffer.from(body) }))
    const plain = { route: null, key: null, tenant: null, limitKey: null }
    expect(read).toEqual([
      { ...plain, contentType: 'application/json', body: Buffer.from('{"a":1}') },
      {
        contentType: 'text/plain; charset=utf-8',
        route: ['x'],
        key: 'k',
        tenant: 't',
        limitKey: 'l',
        body: Buffer.from('č'),
      },
      { ...plain, contentType: 'application/octet-stream', body: Buffer.from(big) },
      { ...plain, contentType: 'application/json', body: Buffer.from('null') },
    ])
  })

  test.each([
    ['pass()', many([pass()])],
    ['headers of its own', many([message({}, { headers: { 'x-a': '1' } })])],
    ['a cost of its own', many([message({}, { limitCost: 2 })])],
    ['no body', many([undefined])],
  ])('one with %s is refused', async (_, result) => {
    expect((await replyOf(result)).status).toBe(500)
  })
})

describe('a page of a batch node', () => {
  test('is one message per record, with the cursor that asks for the next page', async () => {
    const page = { records: [{ a: 1 }], cursor: 500, watermark: '2024 é', progress: '350/1200' }
    const reply = await replyOf(page, 'batch')
    const headers = ['sluice-emit', 'sluice-cursor', 'sluice-watermark', 'sluice-progress']
    expect(headers.map((name) => reply.headers.get(name))).toEqual(['records', '500', '2024%20%C3%A9', '350/1200'])
    expect(await reply.json()).toEqual([{ a: 1 }])
  })

  test.each([
    ['page', 'page'],
    [{ chunks: 100 }, 'chunks=100'],
  ])('with emit %j says %s', async (emit, header) => {
    expect((await replyOf({ records: [], emit }, 'batch')).headers.get('sluice-emit')).toBe(header)
  })

  test.each([null, undefined, ''])('with the cursor %j is the last one', async (cursor) => {
    expect((await replyOf({ records: [], cursor }, 'batch')).headers.has('sluice-cursor')).toBe(false)
  })

  test('with options on a record goes out as events and keeps its cursor', async () => {
    const reply = await replyOf({ records: [message({ a: 1 }, { partitionKey: 'k' })], cursor: 'c' }, 'batch')
    expect(await reply.json()).toMatchObject([{ data: { a: 1 }, partitionkey: 'k' }])
    expect([reply.headers.get('sluice-cursor'), reply.headers.has('sluice-emit')]).toEqual(['c', false])
  })

  test('may be nothing at all', async () => {
    expect((await replyOf(undefined, 'batch')).status).toBe(204)
  })

  test.each([null, [1], 'x', { items: [] }])('is not %j', async (result) => {
    expect((await problemOf(await replyOf(result, 'batch')))['detail']).toMatch('a batch handler returns')
  })
})

describe('a Response of another service', () => {
  test('with status 401 never becomes our own 401', async () => {
    const reply = await replyOf(new Response('no', { status: 401, headers: { 'sluice-signature': 'refused' } }))
    expect([reply.status, reply.headers.has('sluice-signature')]).toEqual([422, false])
  })

  test('is relayed without what held for its encoded body only', async () => {
    const { url, close } = await service((_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain', 'content-encoding': 'identity', 'set-cookie': 'a=1' })
      response.end('hello')
    })
    const reply = await replyOf(fetch(url))
    expect([...reply.headers.keys()].filter((name) => name !== 'date')).toEqual(['content-type'])
    expect(await reply.text()).toBe('hello')
    await close()
  })
})
