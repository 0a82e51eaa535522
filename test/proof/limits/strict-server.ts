import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server as NetServer } from 'node:net'
import { tlsFile } from './strict.ts'
import type { Ask, StrictCall, StrictLimit, StrictWays } from './strict.ts'

/** The strict API itself, in a process of its own: what stands still in the test's doesn't count as late here. */
const [limits, ways] = JSON.parse(process.argv[2] ?? '') as [readonly StrictLimit[], StrictWays]
const { delayMs, connectMs } = ways
const windows = limits.map(() => new Map<string, number[]>())
/** What the next call is told. */
let ask: Ask | null = null

const instant = (): number => performance.timeOrigin + performance.now()

function take(request: IncomingMessage, response: ServerResponse): void {
  const at = instant()
  const asked = ask
  ask = null
  const isOver = asked === null && admit(request.headers, at)
  if (asked === null) tell({ key: keyOf(limits[0], request.headers), at, isOver })
  request.resume()
  request.on('end', () => setTimeout(() => answer(response, asked, isOver), delayMs))
}

/** Its connections are encrypted, take so long to open, and are closed after each call. */
async function slowServer(openMs: number): Promise<NetServer> {
  const files = { key: readFileSync(tlsFile('key')), cert: readFileSync(tlsFile('cert')) }
  const inner = createTlsServer(files, (request, response) => take(request, response.setHeader('connection', 'close')))
  const innerPort = await portOf(inner)
  return createServer((client) => {
    const upstream = connect(innerPort, '127.0.0.1')
    client.on('error', () => upstream.destroy()).on('close', () => upstream.destroy())
    upstream.on('error', () => client.destroy()).pipe(client)
    setTimeout(() => client.pipe(upstream), openMs)
  })
}

function server(): Server {
  const plain = createHttpServer(take)
  plain.keepAliveTimeout = 60_000
  return plain
}

async function portOf(one: NetServer): Promise<number> {
  one.listen(0, '127.0.0.1')
  await once(one, 'listening')
  return (one.address() as AddressInfo).port
}

const opened = connectMs === null ? server() : await slowServer(connectMs)
process.send?.(await portOf(opened))
process.on('message', (next: Ask) => (ask = next))
process.on('disconnect', () => process.exit())

function tell(what: StrictCall | { readonly askedAt: number }): void {
  process.send?.(what)
}

function answer(response: ServerResponse, asked: Ask | null, isOver: boolean): void {
  if (asked === null) return void response.writeHead(isOver ? 429 : 204).end()
  const { retryAfter } = asked
  response.writeHead(429, retryAfter === null ? {} : { 'retry-after': retryAfter }).end()
  tell({ askedAt: instant() })
}

function keyOf(limit: StrictLimit | undefined, headers: IncomingHttpHeaders): string {
  return limit?.by === undefined ? '' : String(headers[limit.by])
}

/** True: one of the limits is over. A call that is rejected counts for none. */
function admit(headers: IncomingHttpHeaders, now: number): boolean {
  const lists = limits.map((limit, index) => {
    const key = keyOf(limit, headers)
    const list = (windows[index]?.get(key) ?? []).filter((at) => at > now - limit.periodMs)
    windows[index]?.set(key, list)
    return list
  })
  if (lists.some((list, index) => list.length >= (limits[index]?.rate ?? 0))) return true
  for (const list of lists) list.push(now)
  return false
}
