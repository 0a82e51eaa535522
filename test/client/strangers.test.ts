import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import { createServer as createSocketServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { expect, onTestFinished, test } from 'vitest'
import { inside } from '../cli/inside.ts'

const http = (listener: RequestListener) => createServer(listener)
const json = (status: number, body: unknown, type = 'application/json') =>
  http((_, response) => response.writeHead(status, { 'content-type': type }).end(JSON.stringify(body)))

/** What is not an engine: its server, the scheme to reach it by, and what is said of it. */
const strangers: [string, () => Server, string, RegExp][] = [
  [
    'a page',
    () => http((_, response) => response.setHeader('content-type', 'text/html').end('<p>hi')),
    'http',
    /doesn't answer as an engine does/,
  ],
  [
    'a page that is not found',
    () => http((_, response) => response.writeHead(404).end('<p>no')),
    'http',
    /doesn't answer as an engine does/,
  ],
  ['another JSON API', () => json(200, { hello: 'world' }), 'http', /doesn't answer as an engine does/],
  [
    'an API with lists of its own',
    () => json(200, { items: [{ a: 1 }], next: null }),
    'http',
    /doesn't answer as an engine does/,
  ],
  ['an API with errors of its own', () => json(404, { error: 'no' }), 'http', /doesn't answer as an engine does/],
  [
    'a problem that is none',
    () => json(500, [], 'application/problem+json'),
    'http',
    /doesn't answer as an engine does/,
  ],
  [
    'a problem with no JSON',
    () => http((_, response) => response.writeHead(500, { 'content-type': 'application/problem+json' }).end('<')),
    'http',
    /doesn't answer as an engine does/,
  ],
  ['nothing', () => http((_, response) => response.writeHead(204).end()), 'http', /doesn't answer as an engine does/],
  [
    'itself, for ever',
    () => http((request, response) => response.writeHead(302, { location: request.url ?? '/' }).end()),
    'http',
    /can't be reached \(redirect/,
  ],
  [
    'garbage',
    () => createSocketServer((socket) => socket.on('error', () => undefined).end('SSH-2.0-OpenSSH_9.2\r\n')),
    'http',
    /can't be reached \(/,
  ],
  [
    'silence',
    () => createSocketServer((socket) => socket.on('error', () => undefined).destroy()),
    'http',
    /can't be reached \(/,
  ],
  ['TLS where http is asked for', () => createTlsServer({}), 'http', /can't be reached \(/],
  ['http where TLS is asked for', () => json(200, {}), 'https', /can't be reached \(.*it may speak http/],
]

test.each(strangers)('a command that is pointed at %s says so in one line', async (_, make, scheme, text) => {
  const server = make()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const url = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`
  for (const command of [['get', 'topologies'], ['get', 'status'], ['run', 'orders'], ['events']]) {
    const { code, stdout, stderr } = await inside([...command, '--url', url, '--token', 'x'])
    expect(stderr.trimEnd()).toMatch(text)
    expect([code, stdout, stderr.trimEnd().split('\n')]).toEqual([1, '', [expect.stringContaining(url) as string]])
  }
})
