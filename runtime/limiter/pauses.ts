import { Stopped } from '../errors.ts'
import { supersedes } from '../queue/limits/told.ts'
import type { Limited, LimitKey } from '../queue/limits/told.ts'

interface Pause {
  readonly limited: Limited
  /** By the server's clock. */
  readonly until: number
}

/** Two requests to wait that end so near to each other are one. */
const sameMs = 50
const backOffMaxMs = 300_000
/** For how long it is known that a key was limited, after it was. */
const keptMs = 86_400_000

/** What services asked for with 429. */
export class Pauses {
  readonly #now: () => number
  readonly #pauses = new Map<string, Pause>()
  readonly #sleeping = new Set<() => void>()

  /** @param now the server's clock */
  constructor(now: () => number) {
    this.#now = now
  }

  /** `limited` null: forgotten. What asks for less than another bridge was asked for changes nothing. */
  set(id: string, limited: Limited | null): void {
    const before = this.until(id)
    if (limited === null) this.#pauses.delete(id)
    else if (supersedes(limited, this.#pauses.get(id)?.limited))
      this.#pauses.set(id, { limited, until: Date.parse(limited.until) })
    if (this.until(id) !== before) this.wake()
  }

  /** No calls before; 0: it never asked. */
  until(id: string): number {
    return this.#pauses.get(id)?.until ?? 0
  }

  /** The latest of these keys. */
  latest<K extends { readonly id: string }>(keys: readonly K[]): { readonly key: K; readonly until: number } | null {
    let latest: { readonly key: K; readonly until: number } | null = null
    if (this.#pauses.size === 0) return latest
    for (const key of keys) {
      const until = this.until(key.id)
      if (until > (latest?.until ?? 0)) latest = { key, until }
    }
    return latest
  }

  /**
   * The service asks now: null when that is known already, since calls that were open together are told the same. Without a Retry-After each
   * wait that follows another such one is twice as long.
   */
  asked(id: string, key: LimitKey, delayMs: number, retryAfterMs: number | null): Limited | null {
    const now = this.#now()
    const known = this.#pauses.get(id)
    const until = now + (retryAfterMs === null ? grownMs(delayMs, known?.limited, now) : delayMs)
    if (known !== undefined && known.until >= until - sameMs) return null
    const [untilText, at] = [new Date(until).toISOString(), new Date(now).toISOString()]
    return { key, until: untilText, at, retryAfterMs, times: (known?.limited.times ?? 0) + 1 }
  }

  /** Ends early when anything changes. Rejects with `Stopped` when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer)
        this.#sleeping.delete(end)
        signal.removeEventListener('abort', end)
        if (signal.aborted) reject(new Stopped('waiting for a limit ended'))
        else resolve()
      }
      const timer = setTimeout(end, Math.min(ms, 2_147_483_647))
      this.#sleeping.add(end)
      signal.addEventListener('abort', end, { once: true })
    })
  }

  wake(): void {
    for (const wake of [...this.#sleeping]) wake()
  }

  forgetOld(): void {
    for (const [id, { until }] of this.#pauses) if (until < this.#now() - keptMs) this.#pauses.delete(id)
  }
}

function grownMs(delayMs: number, before: Limited | undefined, now: number): number {
  // What a service asked for says nothing of how long to wait when it asks for nothing.
  if (before === undefined || before.retryAfterMs !== null) return delayMs
  const [at, until] = [Date.parse(before.at), Date.parse(before.until)]
  // What is told while it lasts is told to calls that were open before.
  const isAgain = now >= until && now - until < Math.max(until - at, sameMs)
  return isAgain ? Math.min(Math.max(delayMs, 2 * (until - at)), backOffMaxMs) : delayMs
}
