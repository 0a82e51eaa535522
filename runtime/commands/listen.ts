import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { Unavailable, textOf } from '../errors.ts'
import { notARequest, refuseAloud } from './refusals.ts'

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
  const listener = getRequestListener((request, env) => fetch(request, env), { errorHandler: notARequest })
  const server = createServer({ requireHostHeader: false }, (incoming, outgoing) => void listener(incoming, outgoing))
  refuseAloud(server)
  server.keepAliveTimeout = keepAliveMs
  server.headersTimeout = keepAliveMs + 5_000
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
