import { afterEach, describe, expect, test } from 'vitest'
import { worker, type Call } from '../../workers/sdk/src/index.ts'
import { nodeFetch } from '../../workers/sdk/src/node.ts'
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

describe('nodeFetch', () => {
  test.each([
    ['text', 'gé', 'gé'],
    ['bytes', new Uint8Array([104, 105]), 'hi'],
    ['a form', new URLSearchParams({ a: 'b' }), 'a=b'],
    ['a stream', new Blob(['streamed']).stream(), 'streamed'],
  ])('sends %s as fetch does', async (_, body, heard) => {
    const { url, requests } = await serving((__, response) => response.end('ok'))
    const response = await nodeFetch(url, { method: 'POST', body, headers: { 'x-a': '1' }, duplex: 'half' })
    expect([response.ok, await response.text()]).toEqual([true, 'ok'])
    expect(requests[0]).toMatchObject({ method: 'POST', body: heard, headers: { 'x-a': '1' } })
  })

  test('takes any form of headers, and gives those of the response', async () => {
    const { url, requests } = await serving((_, response) => {
      response.writeHead(201, { 'x-b': ['1', '2'], connection: 'keep-alive' }).end('{"a":[1]}')
    })
    const response = await nodeFetch(url, { headers: new Headers({ 'x-a': '1' }) })
    expect(requests[0]?.headers['x-a']).toBe('1')
    expect([response.status, response.headers.get('x-b'), response.headers.has('connection')]).toEqual([
      201,
      '1, 2',
      false,
    ])
    expect(await response.json()).toEqual({ a: [1] })
  })

  test.each([204, 304])('a response with status %d has no body', async (status) => {
    const { url } = await serving((_, response) => response.writeHead(status).end())
    const response = await nodeFetch(url, {})
    expect([response.status, await response.text()]).toEqual([status, ''])
  })

  test('follows redirects', async () => {
    const { url } = await serving((request, response) => {
      if (request.url === '/to') response.end('there')
      else response.writeHead(302, { location: '/to' }).end()
    })
    expect(await (await nodeFetch(`${url}/from`, {})).text()).toBe('there')
  })

  test('keeps its connections', async () => {
    const ports = new Set<number | undefined>()
    const { url } = await serving((request, response) => {
      ports.add(request.socket.remotePort)
      response.end()
    })
    for (let count = 0; count < 3; count += 1) await (await nodeFetch(url, {})).text()
    expect(ports.size).toBe(1)
  })

  const replyOf = (baseUrl: string, headers: Record<string, string> = {}) => {
    const shop = worker({ name: 'shop', version: '1', baseUrl, fetch: nodeFetch, onError: () => {} })
    return call(
      shop.connector('n', ({ http }: Call) => http.get('/').json()),
      'n',
      {},
      { headers },
    )
  }

  test('fails as fetch does: too slow, hung up, broken off, down', async () => {
    const deadline = { 'sluice-deadline': new Date(Date.now() + 50).toISOString() }
    const slow = await serving(() => {})
    expect((await problemOf(await replyOf(slow.url, deadline)))['title']).toBe('Service too slow')
    const hangUp = await serving((request) => request.socket.destroy())
    const breakOff = await serving((request, response) => {
      response.writeHead(200, { 'content-length': '10' })
      response.write('{"a"', () => request.socket.destroy())
    })
    const down = await serving(() => {})
    await down.close()
    for (const { url } of [hangUp, breakOff, down]) {
      expect((await problemOf(await replyOf(url)))['title']).toBe('Service unreachable')
    }
  })
})
