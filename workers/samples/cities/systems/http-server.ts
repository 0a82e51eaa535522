import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface HttpServer {
  readonly url: string
  close(): Promise<void>
}

type Handle = (url: URL, response: ServerResponse, request: IncomingMessage) => void

/** Serves on a port of loopback; 0 takes a free one. */
export async function listen(port: number, handle: Handle): Promise<HttpServer> {
  const server: Server = createServer((request, response) => {
    request.resume()
    const target = `http://localhost${request.url ?? '/'}`
    if (URL.canParse(target)) handle(new URL(target), response, request)
    else sendProblem(response, 400, 'Bad request', 'The path is no path.')
  })
  server.keepAliveTimeout = 75_000
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const close = async () => {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}

/** Answers with JSON. */
export function send(response: ServerResponse, status: number, body: unknown, type = 'application/json'): void {
  const text = JSON.stringify(body)
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) }).end(text)
}

/** Answers with a problem (RFC 9457). */
export function sendProblem(response: ServerResponse, status: number, title: string, detail: string): void {
  send(response, status, { type: 'about:blank', title, status, detail }, 'application/problem+json')
}
