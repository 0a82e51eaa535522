import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { createAdaptorServer } from '@hono/node-server'
import { Unavailable, textOf } from '../errors.ts'

/** Answers requests, such as a Hono app. `env` holds Node's own request and response. */
export type Fetch = (request: Request, env?: object) => Response | Promise<Response>

export interface Listening {
  /** With loopback for "every address". */
  readonly url: string
  readonly port: number
  /** Hands requests to `fetch` from now on; until then they are answered with 503. */
  serve(fetch: Fetch): void
  /** Takes no more requests, waits for those under way (at most 2 s), and closes. */
  close(): Promise<void>
}

export interface ListenOptions {
  readonly port: number
  readonly host: string
  /** How a person chooses another port, such as `--port (SLUICE_PORT)`. */
  readonly chosenBy: string
}

const graceMs = 2_000
/** Longer than clients keep an idle connection, so that it is they who close it. */
const keepAliveMs = 75_000

/** Takes the port. Throws `Unavailable` when it is in use or may not be used. */
export async function listen({ port, host, chosenBy }: ListenOptions): Promise<Listening> {
  let fetch: Fetch = starting
  const server = createAdaptorServer({ fetch: (request, env) => fetch(request, env) }) as Server
  server.keepAliveTimeout = keepAliveMs
  server.headersTimeout = keepAliveMs + 5_000
  server.on('clientError', refuse)
  try {
    server.listen(port, host)
    await once(server, 'listening')
  } catch (error) {
    throw new Unavailable('port', `port ${port} of ${host} ${whyNot(error)}: choose another one with ${chosenBy}`, {
      cause: error,
    })
  }
  const taken = (server.address() as AddressInfo).port
  return {
    url: `http://${hostInUrl(host)}:${taken}`,
    port: taken,
    serve: (next) => void (fetch = next),
    close: () => close(server),
  }
}

function whyNot(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') return 'is in use'
  if (code === 'EACCES') return 'may not be used by this user'
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return 'is not on this machine'
  return `can't be listened on (${textOf(error)})`
}

/** What Node's parser turns down never becomes a request: answered here, as every other fault is. */
function refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
  // The other side is gone, or has an answer already.
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const [status, title, detail] = refusals[error.code ?? ''] ?? notHttp
  const body = JSON.stringify({ type: 'about:blank', title, status, detail })
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

type Refusal = readonly [status: number, title: string, detail: string]

const notHttp: Refusal = [400, 'Bad Request', 'the request is not HTTP/1.1']
const refusals: Readonly<Record<string, Refusal>> = {
  HPE_INVALID_METHOD: [400, 'Bad Request', 'there is no such HTTP method'],
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large', 'the headers are larger than 16 KiB'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'the request did not come whole in time'],
}

/** Alive, not ready yet. */
function starting(request: Request): Response {
  if (new URL(request.url).pathname === '/healthz') return new Response('ok\n')
  const problem = { type: 'about:blank', title: 'Service Unavailable', status: 503, detail: 'the engine is starting' }
  const headers = { 'content-type': 'application/problem+json', 'retry-after': '1' }
  return new Response(JSON.stringify(problem), { status: 503, headers })
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return
  const closed = once(server, 'close')
  server.close()
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), graceMs)
  await closed
  clearTimeout(timer)
}

function hostInUrl(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}
