import { STATUS_CODES } from 'node:http'
import type { Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { RequestError } from '@hono/node-server'
import { mayTakeLong } from '../api/api.ts'

/**
 * What never becomes a request, because Node's HTTP server refuses it first, is told why as everything else is: by
 * `application/problem+json`. Node itself closes without a word, or with a status and nothing else.
 */
export function refuseAloud(server: Server): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === timedOut && mayTakeLong(socket)) return
    const { status, detail } = reasonOf(error)
    end(socket, status, detail)
  })
  server.on('connect', (_request, socket) => end(socket, 405, 'this is no proxy: CONNECT is not taken'))
  server.on('checkExpectation', (_request, response: ServerResponse) => {
    const body = problem(417, 'the only Expect that is met is 100-continue')
    response.writeHead(417, { 'content-type': problemType, connection: 'close' }).end(body)
  })
}

/** An answer for a request whose address or Host makes no URL; who handles requests answers for all else that is thrown. */
export function notARequest(error: unknown): Response {
  const known = error instanceof RequestError
  const [status, detail] = known ? [400, `the request has no address: ${error.message}`] : [500, 'The engine failed.']
  const headers = { 'content-type': problemType, connection: 'close' }
  return new Response(problem(status, detail), { status, headers })
}

const timedOut = 'ERR_HTTP_REQUEST_TIMEOUT'
const problemType = 'application/problem+json'

function reasonOf({ code = '', message }: NodeJS.ErrnoException): { status: number; detail: string } {
  if (code === 'HPE_HEADER_OVERFLOW')
    return { status: 431, detail: 'the address and the headers together are too large' }
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return { status: 413, detail: 'the chunk extensions are too large' }
  if (code === timedOut) return { status: 408, detail: 'the request did not arrive in time' }
  return { status: 400, detail: `this is no HTTP request: ${message.replace(/^Parse Error: /, '')}` }
}

function problem(status: number, detail: string): string {
  return JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail, instance: '/' })
}

function end(socket: Duplex, status: number, detail: string): void {
  if (!socket.writable) return void socket.destroy()
  const body = problem(status, detail)
  const headers = `Content-Type: ${problemType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close`
  socket.on('error', () => socket.destroy())
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}\r\n${headers}\r\n\r\n${body}`, () =>
    socket.destroy(),
  )
}
