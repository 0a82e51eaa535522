import { createServer } from 'node:http'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Ask, StrictCall, StrictLimit } from './strict.ts'

/** The strict API itself, in a process of its own: what stands still in the test's doesn't count as late here. */
const [limits, delayMs] = JSON.parse(process.argv[2] ?? '') as [readonly StrictLimit[], number]
const windows = limits.map(() => new Map<string, number[]>())
/** What the next call is told. */
let ask: Ask | null = null

const instant = (): number => performance.timeOrigin + performance.now()

const server = createServer((request, response) => {
  const at = instant()
  const asked = ask
  ask = null
  const isOver = asked === null && admit(request.headers, at)
  if (asked === null) tell({ key: keyOf(limits[0], request.headers), at, isOver })
  request.resume()
  request.on('end', () => setTimeout(() => answer(response, asked, isOver), delayMs))
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('message', (next: Ask) => (ask = next))
process.on('disconnect', () => process.exit())

const tell = (what: StrictCall | { readonly askedAt: number }): void => void process.send?.(what)

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
