import { createAdaptorServer } from '@hono/node-server'
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export { nodeFetch } from './node-fetch.ts'

export interface ServeOptions {
  /** Default 8080; 0 takes a free one. */
  readonly port?: number
  /** Default `127.0.0.1`; `0.0.0.0` or `::` to be reached from other machines. */
  readonly host?: string
}

/** A worker that listens. */
export interface Serving {
  readonly url: string
  readonly port: number
  /** Takes no more calls, waits for those under way (at most `graceMs`, default 10 s), and closes. Twice is harmless. */
  close(graceMs?: number): Promise<void>
}

// Longer than HTTP clients keep an idle connection, so that it is the client who closes it: no call meets a closed one.
const keepAliveMs = 75_000
const idleCheckMs = 50

/** Serves a fetch handler, such as a worker, on Node. Rejects when the port is taken. */
export async function serve(
  handler: { readonly fetch: (request: Request) => Response | Promise<Response> },
  { port = 8080, host = '127.0.0.1' }: ServeOptions = {},
): Promise<Serving> {
  const server = createAdaptorServer({ fetch: (request) => handler.fetch(request) }) as Server
  server.keepAliveTimeout = keepAliveMs
  server.headersTimeout = keepAliveMs + 5000
  server.listen(port, host)
  await listening(server, port, host)
  const taken = (server.address() as AddressInfo).port
  let closed: Promise<void> | undefined
  return {
    url: `http://${urlHost(host)}:${taken}`,
    port: taken,
    close: (graceMs = 10_000) => (closed ??= close(server, graceMs)),
  }
}

async function listening(server: Server, port: number, host: string): Promise<void> {
  try {
    await once(server, 'listening')
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const reason = code === 'EADDRINUSE' ? 'it is in use; give another port, or 0 for a free one' : message
    throw new Error(`can't listen on port ${port} of ${host}: ${reason}`, { cause })
  }
}

async function close(server: Server, graceMs: number): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  // Connections are kept alive after their last reply, and Node closes only those that are idle right now.
  const idle = setInterval(() => server.closeIdleConnections(), idleCheckMs)
  const grace = setTimeout(() => server.closeAllConnections(), graceMs)
  await closed
  clearInterval(idle)
  clearTimeout(grace)
}

/** An address that can be called: loopback for "every address", brackets around IPv6. */
function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}
