import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { listen } from '../../runtime/commands/listen.ts'
import type { Listening } from '../../runtime/commands/listen.ts'
import { eventually } from '../support/eventually.ts'
import { adminToken, openApi } from './open.ts'

/** The API on a socket, so that what isn't even HTTP can be sent to it. */
async function opened(): Promise<Listening> {
  const { api } = await openApi()
  const listening = await listen({ port: 0, host: '127.0.0.1', chosenBy: 'the test' })
  onTestFinished(() => listening.close())
  listening.serve((request, env) => api.fetch(request, env))
  return listening
}

function dial({ port }: Listening): Socket {
  const socket = connect(port, '127.0.0.1')
  // A server that has answered closes while we still write.
  socket.on('error', () => {})
  onTestFinished(() => void socket.destroy())
  return socket
}

interface Told {
  readonly status: number
  readonly type: string | undefined
  readonly detail: string
}

/** What the first answer on a connection says. */
async function answerTo(listening: Listening, bytes: string): Promise<Told> {
  const socket = dial(listening)
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')))
  socket.write(Buffer.from(bytes, 'latin1'))
  const json = await eventually('an answer', () => /\{.*\}/s.exec(text)?.[0] ?? false)
  const type = /^content-type: (.*)\r$/im.exec(text)?.[1]
  const { detail } = JSON.parse(json) as { detail: string }
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]), type, detail }
}

const token = `Authorization: Bearer ${adminToken}\r\n`
const head = (line: string, more = ''): string => `${line} HTTP/1.1\r\nHost: here\r\n${token}${more}\r\n`
const post = (more: string, body = ''): string =>
  `${head('POST /api/topologies', `Content-Type: application/json\r\n${more}`)}${body}`

test.each<[string, string, number]>([
  ['a method that nobody knows', head('BREW /api/topologies'), 400],
  ['TRACE', head('TRACE /api/topologies'), 405],
  ['QUERY', head('QUERY /api/topologies'), 405],
  ['CONNECT', head('CONNECT elsewhere:443'), 405],
  ['OPTIONS of everything', head('OPTIONS *'), 400],
  ['a path out of the root', head('GET /api/topologies/%2e%2e/%2e%2e/etc/passwd'), 404],
  ['a path with plain dots', head('GET /api/../../etc/passwd'), 404],
  ['a path with encoded slashes', head('GET /api/topologies/..%2f..%2fetc%2fpasswd'), 404],
  ['a path with backslashes', head('GET /api\\..\\x'), 400],
  ['double slashes', head('GET //api//topologies'), 404],
  ['a path that could be a host', head('GET //elsewhere/api/topologies'), 404],
  ['an encoded NUL', head('GET /api/runs/%00'), 404],
  ['a NUL', head('GET /api/runs/\0'), 400],
  ['bytes that are no UTF-8', head('GET /api/runs/\xff\xfe'), 400],
  ['encoded bytes that are no UTF-8', head('GET /api/runs/%ff%fe'), 404],
  ['a path of 14 kB', head(`GET /api/runs/${'a'.repeat(14_000)}`), 404],
  ['a path of 60 kB', head(`GET /api/runs/${'a'.repeat(60_000)}`), 431],
  ['a header of 70 kB', head('GET /api/runs', `x-a: ${'a'.repeat(70_000)}\r\n`), 431],
  ['1500 headers', head('GET /api/runs', 'x-abcdefgh: 12345678\r\n'.repeat(1_500)), 431],
  ['a header that is broken into', head('GET /api/runs', 'x-a: a\rx-b: b\r\n'), 400],
  ['a header without a name', head('GET /api/runs', ': a\r\n'), 400],
  ['no Host', 'GET /healthz HTTP/1.1\r\n\r\n', 400],
  ['a Host that is none', 'GET /healthz HTTP/1.1\r\nHost: a b/c?d\r\n\r\n', 400],
  ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ['a negative length', post('Content-Length: -5\r\n'), 400],
  ['a length that is too long to count', post('Content-Length: 99999999999999999999\r\n'), 400],
  ['two ways to say how long it is', post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'), 400],
  ['a chunk without a size', post('Transfer-Encoding: chunked\r\n', 'zz\r\n'), 400],
  ['a terabyte that is announced', post('Content-Length: 999999999999\r\n', '{'), 413],
  ['a compressed body', post('Content-Encoding: gzip\r\nContent-Length: 2\r\n', '{}'), 415],
  ['an unmet expectation', post('Expect: 200-maybe\r\nContent-Length: 2\r\n', '{}'), 417],
  ['no token', 'GET /api/runs HTTP/1.1\r\nHost: here\r\nAuthorization:\r\n\r\n', 401],
  [
    'a token of 14 kB',
    `GET /api/runs HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer ${'a'.repeat(14_000)}\r\n\r\n`,
    401,
  ],
])('%s is refused with a reason, as a problem', async (_, bytes, status) => {
  const listening = await opened()
  expect(await answerTo(listening, bytes)).toEqual({
    status,
    type: 'application/problem+json',
    detail: expect.stringMatching(/\w+ \w+/) as string,
  })
  expect((await fetch(`${listening.url}/healthz`)).status).toBe(200)
})

test('hundreds of requests that are never finished keep nobody else waiting, and end with the server', async () => {
  const listening = await opened()
  const halves = Array.from({ length: 300 }, (_, n) => {
    const socket = dial(listening)
    socket.write(n % 2 === 0 ? 'GET /api/runs HTTP/1.1\r\nHost: he' : post('Content-Length: 1000\r\n', '{"name":'))
    return socket
  })
  await eventually('all are connected', () => halves.every(({ pending }) => !pending))
  for (let n = 0; n < 20; n++) {
    const begun = performance.now()
    const headers = { authorization: `Bearer ${adminToken}` }
    expect((await fetch(`${listening.url}/api/topologies`, { headers })).status).toBe(200)
    expect(performance.now() - begun).toBeLessThan(2_000)
  }
  await listening.close()
  await eventually('all are closed', () => halves.every(({ destroyed }) => destroyed))
})

test('a body that comes byte by byte is read, and one that breaks off changes nothing', async () => {
  const listening = await opened()
  const body = '{"name":"slow","nodes":[]}'
  const slow = dial(listening)
  slow.write(post(`Content-Length: ${body.length}\r\n`))
  for (const byte of body) {
    slow.write(byte)
    await delay(1)
  }
  const broken = dial(listening)
  broken.write(post('Content-Length: 1000\r\n', '{"name":"broken","nodes":[]}'), () => broken.destroy())
  await eventually('it is sent and broken off', () => broken.destroyed)
  const headers = { authorization: `Bearer ${adminToken}` }
  const names = await eventually('the slow one is there', async () => {
    const { items } = (await (await fetch(`${listening.url}/api/topologies`, { headers })).json()) as {
      items: { name: string }[]
    }
    return items.length > 0 && items.map(({ name }) => name)
  })
  expect(names).toEqual(['slow'])
})
