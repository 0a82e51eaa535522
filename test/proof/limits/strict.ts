import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** So many calls in any period, counted as strictly as can be: by the instants at which requests have come in. */
export interface StrictLimit {
  readonly rate: number
  readonly periodMs: number
  /** The header whose values are counted each by itself; without it all calls are counted together. */
  readonly by?: string
}

/** A call, as the API tells of it. */
export interface StrictCall {
  /** By the first limit. */
  readonly key: string
  /** Milliseconds of the epoch. */
  readonly at: number
  readonly isOver: boolean
}

/** How the API is called. */
export interface StrictWays {
  /** How long a call takes, in milliseconds. */
  readonly delayMs: number
  /** A connection takes so long to open, and is closed after each call; null: it stays open. */
  readonly connectMs: number | null
}

/** The key of the API, and what those who call it by https must trust. */
export const tlsFile = (name: 'key' | 'cert'): string => fileURLToPath(new URL(`./tls/${name}.pem`, import.meta.url))

/** What one call is told with 429, whatever the limits are; `retryAfter` null: not for how long. */
export interface Ask {
  readonly retryAfter: string | null
}

export interface StrictApi {
  readonly url: string
  /** Instants of the calls that were let in, by key of the first limit. */
  readonly calls: ReadonlyMap<string, readonly number[]>
  readonly rejected: number
  /** Of all calls that were let in. */
  instants(): readonly number[]
  /** Calls that were let in between two instants, of a key or of all. */
  between(from: number, to: number, key?: string): number
  /** Resolves when so many calls were let in, of a key or of all. */
  until(count: number, key?: string): Promise<void>
  /** The next call is told to wait. Resolves with the instant when that was sent. */
  ask(ask: Ask): Promise<number>
  close(): Promise<void>
}

/** Now, as `StrictCall` tells it. */
export const instant = (): number => performance.timeOrigin + performance.now()

/** A worker in front of an API that answers 429 to every call over its limits. */
export async function strictApi(limits: readonly StrictLimit[], ways: StrictWays): Promise<StrictApi> {
  const path = new URL('./strict-server.ts', import.meta.url)
  const child = fork(path, [JSON.stringify([limits, ways])], { execArgv: ['--import', 'tsx'] })
  const [port] = (await once(child, 'message')) as [number]
  const calls = new Map<string, number[]>()
  const waiting = new Set<() => void>()
  let [admitted, rejected] = [0, 0]
  let asked = (_at: number): void => undefined
  child.on('message', (told: StrictCall | { readonly askedAt: number }) => {
    if ('askedAt' in told) return asked(told.askedAt)
    const { key, at, isOver } = told
    if (isOver) return void rejected++
    admitted++
    if (calls.get(key)?.push(at) === undefined) calls.set(key, [at])
    for (const look of waiting) look()
  })
  const timesOf = (key?: string): readonly number[] =>
    key === undefined ? [...calls.values()].flat() : (calls.get(key) ?? [])
  return {
    url: `${ways.connectMs === null ? 'http' : 'https'}://127.0.0.1:${port}`,
    calls,
    get rejected() {
      return rejected
    },
    instants: () => timesOf(),
    between: (from, to, key) => timesOf(key).filter((at) => at >= from && at < to).length,
    until: (count, key) =>
      new Promise((resolve) => {
        const look = (): void => {
          if ((key === undefined ? admitted : timesOf(key).length) < count) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
    ask(ask) {
      const sent = new Promise<number>((resolve) => (asked = resolve))
      child.send(ask)
      return sent
    },
    async close() {
      child.disconnect()
      await once(child, 'exit')
    },
  }
}
