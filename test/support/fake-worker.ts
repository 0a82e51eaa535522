import { createServer } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a request met. */
export interface Seen {
  readonly node: string
  readonly id: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** What the fake worker answers: a status and more, or a way to fail. */
export type Answer =
  | { status?: number; headers?: Record<string, string>; body?: string | Buffer; afterMs?: number }
  | { fail: 'hang-up' | 'garbage' | 'half' | 'never' }

export interface FakeWorker {
  readonly url: string
  readonly seen: Seen[]
  /** Requests that are open at the moment, and the most there ever were. */
  readonly open: number
  readonly mostOpen: number
  close(): Promise<void>
}

/** A worker on a real socket that answers each request as `script` says, and as `health` whoever asks for its health. */
export async function fakeWorker(
  script: (request: Seen, nth: number) => Answer | Promise<Answer>,
  port = 0,
  health: () => Answer = () => ({ status: 404 }),
): Promise<FakeWorker> {
  const seen: Seen[] = []
  const count = { open: 0, most: 0 }
  const server = createServer((request, response) => {
    if (request.method === 'GET') reply(response, health())
    else void handle(request, response, script, seen, count)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    get open() {
      return count.open
    },
    get mostOpen() {
      return count.most
    },
    close: () => closeServer(server),
  }
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  script: (request: Seen, nth: number) => Answer | Promise<Answer>,
  seen: Seen[],
  count: { open: number; most: number },
): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const one: Seen = {
    node: (request.url ?? '').split('/').at(-1) ?? '',
    id: decodeURIComponent(String(request.headers['ce-id'] ?? '')),
    headers: request.headers,
    body: Buffer.concat(chunks).toString(),
  }
  seen.push(one)
  count.most = Math.max(count.most, ++count.open)
  const answer = await script(one, seen.filter((other) => other.node === one.node && other.id === one.id).length)
  const delay = 'afterMs' in answer ? (answer.afterMs ?? 0) : 0
  setTimeout(() => {
    count.open--
    reply(response, answer)
  }, delay)
}

function reply(response: ServerResponse, answer: Answer): void {
  if (!('fail' in answer)) {
    response.writeHead(answer.status ?? 200, answer.headers ?? {})
    response.end(answer.body ?? '')
    return
  }
  if (answer.fail === 'hang-up') response.socket?.destroy()
  if (answer.fail === 'half') response.socket?.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n<<<')
  if (answer.fail === 'garbage') response.socket?.end('HTTP/1.1 two hundred, fine\r\n\r\n<<<')
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
