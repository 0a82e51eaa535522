import { vi } from 'vitest'
import type { FlightDeps } from '../../runtime/limiter/flights/flights.ts'
import { Flights } from '../../runtime/limiter/flights/flights.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import type { MemoryCells } from './cells.ts'

/** The limiter's clock is the server's, not that of a bridge. */
export const epoch = 1_795_000_000_000

export const serverNow = (): number => performance.now() + epoch

/** By a clock that only goes on when all that is due is done. */
export async function clocked<T>(run: () => Promise<T>): Promise<T> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'] })
  try {
    return await run()
  } finally {
    vi.useRealTimers()
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Each bridge's calls in flight of one key, which tell each other of changes within a millisecond. */
export function bridgesOf(count: number, max: number, cells: MemoryCells, more: Partial<FlightDeps> = {}): Flights[] {
  const key = { kind: 'service', service: 'shop', who: null, isOwn: false } as const
  const all: Flights[] = []
  for (let n = 0; n < count; n++) {
    const poke = (): void => void setTimeout(() => all.forEach((one, to) => to !== n && one.poked()), 1)
    const deps = { bridgeId: String(n), cells, now: serverNow, poke, log: silentLog, ...more }
    all.push(new Flights('k', key, max, deps))
  }
  return all
}
