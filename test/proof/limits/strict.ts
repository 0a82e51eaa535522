import { createServer } from 'node:http'
import type { IncomingHttpHeaders, Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** So many calls in any period, counted as strictly as can be: by the instants at which requests have come in. */
export interface StrictLimit {
  readonly rate: number
  readonly periodMs: number
  /** Which calls are counted together; null: this one isn't counted. */
  readonly keyOf: (headers: IncomingHttpHeaders) => string | null
}

export interface StrictApi {
  readonly url: string
  /** Instants of the calls that were let in, in milliseconds, by key of the first limit. */
  readonly calls: ReadonlyMap<string, readonly number[]>
  readonly rejected: number
  /** Calls that were let in between two instants, of all keys. */
  between(from: number, to: number): number
  /** Resolves when so many calls were let in. */
  until(count: number): Promise<void>
  readonly open: { readonly now: number; readonly most: number }
  close(): Promise<void>
}

/** A worker in front of an API that answers 429 to every call over its limits. */
export async function strictApi(limits: readonly StrictLimit[], delayMs = 0): Promise<StrictApi> {
  const windows = limits.map(() => new Map<string, number[]>())
  const calls = new Map<string, number[]>()
  const open = { now: 0, most: 0 }
  const waiting: { readonly count: number; readonly resolve: () => void }[] = []
  let [rejected, admitted] = [0, 0]
  const server = createServer((request, response) => {
    const now = performance.now()
    open.most = Math.max(open.most, ++open.now)
    const isOver = admit(windows, limits, request.headers, now)
    if (isOver) rejected++
    else {
      const key = limits[0]?.keyOf(request.headers) ?? ''
      const list = calls.get(key) ?? []
      list.push(now)
      calls.set(key, list)
      admitted++
      for (const one of waiting) if (admitted >= one.count) one.resolve()
    }
    request.resume()
    request.on('end', () =>
      setTimeout(() => {
        open.now--
        response.writeHead(isOver ? 429 : 204).end()
      }, delayMs),
    )
  })
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    open,
    get rejected() {
      return rejected
    },
    between: (from, to) =>
      [...calls.values()].reduce((sum, list) => sum + list.filter((at) => at >= from && at < to).length, 0),
    until: (count) => new Promise((resolve) => (admitted >= count ? resolve() : void waiting.push({ count, resolve }))),
    close: () => closeServer(server),
  }
}

/** True: one of the limits is over. A call that is rejected counts for none. */
function admit(
  windows: readonly Map<string, number[]>[],
  limits: readonly StrictLimit[],
  headers: IncomingHttpHeaders,
  now: number,
): boolean {
  const lists = limits.map(({ keyOf, periodMs }, index) => {
    const key = keyOf(headers)
    if (key === null) return null
    const window = windows[index]
    const list = (window?.get(key) ?? []).filter((at) => at > now - periodMs)
    window?.set(key, list)
    return list
  })
  if (lists.some((list, index) => list !== null && list.length >= (limits[index]?.rate ?? 0))) return true
  for (const list of lists) list?.push(now)
  return false
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
