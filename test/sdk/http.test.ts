import { afterEach, describe, expect, test } from 'vitest'
import { worker, type Call } from '../../workers/sdk/src/index.ts'
import { call, problemOf, service, type Service } from './support.ts'

const open: Service[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})

async function serving(...script: Parameters<typeof service>): Promise<Service> {
  const started = await service(...script)
  open.push(started)
  return started
}

/** The reply of a node whose handler is `handle`. */
function replyOf(baseUrl: string, handle: (received: Call) => unknown, headers: Record<string, string> = {}) {
  const shop = worker({ name: 'shop', version: '1', baseUrl, onError: () => {} }).connector('n', handle)
  return call(shop, 'n', { in: 1 }, { headers })
}

/** A service that always answers the same. */
const answering = (status: number, headers: Record<string, string> = {}, body = '') =>
  serving((_, response) => response.writeHead(status, headers).end(body))

describe('http', () => {
  test('hands on key and trace, joins base and query, sends JSON, reads JSON', async () => {
    const { url, requests } = await answering(200, {}, '{"id":7}')
    const handle = ({ http }: Call) => http.post('/orders', { a: 'é' }, { query: { q: 'x y', none: null } }).json()
    const reply = await replyOf(`${url}/api/`, handle, { 'idempotency-key': 'm@n', traceparent: '00-1-2-01' })
    expect(await reply.json()).toEqual({ id: 7 })
    expect(requests[0]).toMatchObject({ method: 'POST', url: '/api/orders?q=x+y', body: '{"a":"é"}' })
    expect(requests[0]?.headers).toMatchObject({
      'idempotency-key': 'm@n',
      traceparent: '00-1-2-01',
      'content-type': 'application/json',
    })
  })

  test('sends text, bytes and forms as they are, and own headers win', async () => {
    const { url, requests } = await answering(200)
    const handle = async ({ http }: Call) => {
      await http.put('/a', 'text', { headers: { 'Content-Type': 'text/csv', 'Idempotency-Key': 'own' } })
      await http.patch(`${url}/b?x=1`, new Uint8Array([104]), { query: { y: 2 } })
      await http.post('c', new URLSearchParams({ a: '1' }))
      await http.delete('/d')
    }
    expect((await replyOf(url, handle)).status).toBe(204)
    expect(
      requests.map(({ method, url: path, body, headers }) => [method, path, body, headers['content-type']]),
    ).toEqual([
      ['PUT', '/a', 'text', 'text/csv'],
      ['PATCH', '/b?x=1&y=2', 'h', 'application/octet-stream'],
      ['POST', '/c', 'a=1', 'application/x-www-form-urlencoded;charset=UTF-8'],
      ['DELETE', '/d', '', undefined],
    ])
    expect(requests[0]?.headers['idempotency-key']).toBe('own')
  })

  test('gives text, bytes and the response itself', async () => {
    const { url } = await answering(200, { etag: 'e' }, 'hi')
    const reply = await replyOf(url, async ({ http }) => {
      const [text, bytes, response] = [await http.get('/').text(), await http.get('/').bytes(), await http.get('/')]
      return { text, bytes: [...bytes], etag: response.headers.get('etag') }
    })
    expect(await reply.json()).toEqual({ text: 'hi', bytes: [104, 105], etag: 'e' })
  })

  test.each([
    [429, { 'retry-after': '3' }, 429, { 'retry-after': '3' }],
    [429, {}, 429, { 'retry-after': null }],
    [500, {}, 502, { 'sluice-retry': '1' }],
    [503, { 'retry-after': '2' }, 502, { 'sluice-retry': '1', 'retry-after': '2' }],
    [408, {}, 502, { 'sluice-retry': '1' }],
    [425, {}, 502, { 'sluice-retry': '1' }],
    [400, {}, 400, { 'sluice-retry': '0' }],
    [401, { 'sluice-signature': 'refused' }, 422, { 'sluice-retry': '0', 'sluice-signature': null }],
    [403, {}, 403, { 'sluice-retry': '0' }],
    [404, {}, 404, { 'sluice-retry': '0' }],
    [409, {}, 422, { 'sluice-retry': '0' }],
  ])('a service that answers %d %j becomes our %d', async (status, headers, ours, ourHeaders) => {
    const { url } = await answering(status, headers)
    const reply = await replyOf(url, ({ http }) => http.get('/x?token=secret').json())
    const named = Object.keys(ourHeaders).map((name) => [name, reply.headers.get(name)])
    expect([reply.status, Object.fromEntries(named)]).toEqual([ours, ourHeaders])
    const problem = await problemOf(reply)
    expect(problem).toMatchObject({ status: ours, upstream: { status, request: 'GET /x' } })
    expect(problem['detail']).toMatch(`GET /x answered ${status}`)
  })

  test("the service's own problem is carried on", async () => {
    const own = { type: 'urn:gone', title: 'Place no longer exists', detail: 'Old Town is gone', status: 422 }
    const { url } = await answering(422, { 'content-type': 'application/problem+json' }, JSON.stringify(own))
    expect(await problemOf(await replyOf(url, ({ http }) => http.get('/')))).toMatchObject(own)
  })

  test.each(['null', '[', '"text"', '{"title":5}'])('a problem that is %s changes no verdict', async (body) => {
    const { url } = await answering(422, { 'content-type': 'application/json' }, body)
    expect((await replyOf(url, ({ http }) => http.get('/'))).status).toBe(422)
  })

  test('a status that is allowed is an answer', async () => {
    const { url } = await answering(404)
    const handle = async ({ http }: Call) => (await http.get('/', { allow: [404] })).status
    expect(await (await replyOf(url, handle)).json()).toBe(404)
  })

  test('a service that is down, hangs up, breaks off or sends broken JSON is tried again', async () => {
    const hangUp = await serving((request) => request.socket.destroy())
    const breakOff = await serving((request, response) => {
      response.writeHead(200, { 'content-length': '10' })
      response.write('{"a"', () => request.socket.destroy())
    })
    const broken = await answering(200, {}, '<html>')
    const down = await answering(200)
    await down.close()
    for (const { url } of [hangUp, breakOff, broken, down]) {
      const reply = await replyOf(url, ({ http }) => http.get('/').json())
      expect([reply.status, reply.headers.get('sluice-retry')]).toEqual([502, '1'])
    }
  })

  test('a service that is too slow is given up at the deadline', async () => {
    const { url } = await serving(() => {})
    const deadline = new Date(Date.now() + 50).toISOString()
    const reply = await replyOf(url, ({ http }) => http.get('/').json(), { 'sluice-deadline': deadline })
    expect([reply.status, (await problemOf(reply))['title']]).toEqual([504, 'Service too slow'])
  })

  test('a path without a base URL is the author’s mistake', async () => {
    const shop = worker({ name: 'shop', version: '1', onError: () => {} }).connector('n', ({ http }) => http.get('/x'))
    expect((await problemOf(await call(shop, 'n', {})))['detail']).toMatch('worker() has no baseUrl')
  })
})
