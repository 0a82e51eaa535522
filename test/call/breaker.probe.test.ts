import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Pool } from 'undici'
import { expect, onTestFinished, test } from 'vitest'
import { askHealth } from '../../runtime/call/breaker/probe.ts'
import { eventually } from '../support/eventually.ts'

/** A pool for a server on a real socket; `closed` says how many connections have been closed. */
async function serve(listener: RequestListener) {
  const server = createServer(listener)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const pool = new Pool(url)
  onTestFinished(async () => {
    await pool.destroy()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  let closed = 0
  server.on('connection', (socket) => socket.on('close', () => closed++))
  return { pool, url, closed: () => closed }
}

test.each([
  [200, 'good'],
  [204, 'good'],
  [302, 'absent'],
  [401, 'absent'],
  [404, 'absent'],
  [405, 'absent'],
  [501, 'absent'],
  [408, 'bad'],
  [429, 'bad'],
  [500, 'bad'],
  [503, 'bad'],
])('a /healthz that answers %i is %s', async (status, kind) => {
  const paths: (string | undefined)[] = []
  const { pool, url } = await serve((request, response) => {
    paths.push(request.url)
    response.writeHead(status, { location: `${url}/elsewhere` }).end('{}')
  })
  expect(await askHealth(pool, '/base/healthz')).toMatchObject({ kind })
  expect(paths).toEqual(['/base/healthz'])
})

test('a /healthz that never answers is bad after two seconds, and its connection is closed', async () => {
  const { pool, closed } = await serve(() => {})
  expect(await askHealth(pool, '/healthz')).toEqual({ kind: 'bad', why: '/healthz has no answer within 2000 ms' })
  await eventually('the connection is closed', () => closed() === 1)
})

test('a /healthz that sends without end is believed by its status and cut off', async () => {
  const { pool, closed } = await serve((_, response) => {
    const more = (): void => void (response.destroyed || response.write(Buffer.alloc(16_384), () => setImmediate(more)))
    more()
  })
  expect(await askHealth(pool, '/healthz')).toEqual({ kind: 'good' })
  await eventually('the connection is closed', () => closed() === 1)
})

test.each([
  ['hangs up', (request) => request.socket.destroy()],
  ['answers garbage', (request) => request.socket.end('HTTP/1.1 fine\r\n\r\n')],
  ['answers with endless headers', (_, response) => response.writeHead(200, { x: 'a'.repeat(100_000) }).end()],
] as [string, RequestListener][])('a /healthz that %s is bad', async (_, listener) => {
  const { pool } = await serve(listener)
  expect(await askHealth(pool, '/healthz')).toMatchObject({ kind: 'bad' })
})

test('nobody there means that the connection was refused', async () => {
  const pool = new Pool('http://127.0.0.1:1')
  onTestFinished(() => pool.destroy())
  expect(await askHealth(pool, '/healthz')).toMatchObject({ kind: 'refused' })
})
