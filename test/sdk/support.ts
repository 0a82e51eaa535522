import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Worker } from '../../workers/sdk/src/index.ts'

export interface CallOptions {
  readonly headers?: Record<string, string>
  readonly method?: string
  readonly signal?: AbortSignal
}

/** Calls a node as the bridge does; objects go as JSON. */
export function call(worker: Worker, node: string, body?: unknown, options: CallOptions = {}): Promise<Response> {
  const { method = 'POST', signal, headers = {} } = options
  const raw = body instanceof Uint8Array || typeof body === 'string'
  const init: RequestInit = { method, headers: { ...(raw ? {} : { 'content-type': 'application/json' }), ...headers } }
  if (body !== undefined) init.body = raw ? (body as string) : JSON.stringify(body)
  if (signal !== undefined) init.signal = signal
  return worker.fetch(new Request(`http://worker/nodes/${node}`, init))
}

export async function problemOf(reply: Response): Promise<Record<string, unknown>> {
  if (reply.headers.get('content-type') !== 'application/problem+json') throw new Error(`${reply.status} is no problem`)
  return (await reply.json()) as Record<string, unknown>
}

export interface Service {
  readonly url: string
  readonly requests: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[]
  close(): Promise<void>
}

/** An HTTP service on a real socket that records its requests and answers as the script says. */
export async function service(script: (request: IncomingMessage, response: ServerResponse) => void): Promise<Service> {
  const requests: Service['requests'] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      requests.push({ method, url, headers, body: Buffer.concat(chunks).toString() })
      script(request, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, close }
}
