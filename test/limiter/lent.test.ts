import { describe, expect, test, vi } from 'vitest'
import { openLimiter } from '../../runtime/limiter/limiter.ts'
import type { Limiter } from '../../runtime/limiter/limiter.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { memoryCells } from './cells.ts'
import { clocked, pause, serverNow } from './clocked.ts'

const service = 'shop'

/** Bridges that tell each other within a millisecond, and write within two. */
function limitersOf(count: number): Limiter[] {
  const cells = memoryCells()
  cells.hold = () => pause(2)
  const all: Limiter[] = []
  const nothing = (): undefined => undefined
  for (let n = 0; n < count; n++) {
    const poke = (id: string): void => void setTimeout(() => all.forEach((one, to) => to !== n && one.poked(id)), 1)
    const around = { bridges: () => count, tell: () => Promise.resolve(), release: nothing, log: silentLog }
    all.push(openLimiter({ bridgeId: String(n), cells, now: serverNow, poke, ...around }))
  }
  return all
}

/** What of the rate of each of so many tenants is used, each of which always has two calls to make at each bridge. */
function usedOf(tenants: number, { bridges, max, callMs }: { bridges: number; max: number; callMs: number }) {
  return clocked(async () => {
    const limiters = limitersOf(bridges)
    const limits = [{ rate: 2, per: 'second', burst: 1, scope: 'tenant' }] as const
    const calls = Array.from({ length: tenants }, () => 0)
    let [open, mostOpen] = [0, 0]
    const make = async (limiter: Limiter, n: number): Promise<void> => {
      const call = { nodeId: 'n', service, who: String(n), cost: 1, mayLeave: false, timesAway: 0 }
      const asked = { ...call, prefetch: 100, behind: 0 }
      for (;;) {
        const left = limiter.take(asked) ?? (await limiter.wait(asked, new AbortController().signal))
        if (left.kind !== 'pass') continue
        mostOpen = Math.max(mostOpen, ++open)
        await pause(callMs)
        calls[n] = (calls[n] ?? 0) + 1
        open--
        left.end()
        await pause(1)
      }
    }
    for (const limiter of limiters) {
      limiter.setService(service, { name: service, limits, maxInFlight: max, inFlightScope: 'global' })
      for (let n = 0; n < 2 * tenants; n++) void make(limiter, n % tenants)
    }
    await vi.advanceTimersByTimeAsync(20_000)
    return { used: calls.map((count) => count / 40), mostOpen }
  })
}

const sum = (all: readonly number[]): number => all.reduce((total, one) => total + one, 0)

describe('a place among the calls in flight of all tenants is for whoever has a permit', () => {
  test.each([
    { tenants: 8, bridges: 1, max: 1, callMs: 10, least: 0.32 },
    { tenants: 16, bridges: 2, max: 2, callMs: 10, least: 0.26 },
    { tenants: 4, bridges: 1, max: 1, callMs: 80, least: 0.32 },
  ])(
    '$tenants tenants at 2/s, $bridges bridges, $max places, calls of $callMs ms',
    async ({ tenants, least, ...ways }) => {
      const { used, mostOpen } = await usedOf(tenants, ways)
      expect(mostOpen).toBeLessThanOrEqual(ways.max)
      expect(sum(used) / tenants).toBeGreaterThan(least)
      expect(Math.min(...used)).toBeGreaterThan(least / 2)
    },
  )
})
