import { describe, expect, test } from 'vitest'
import { simulate } from './simulation.ts'

/** What is used of the rate of each tenant between two seconds, the least of all, while each has a message to call. */
function leastUsed(calls: ReadonlyMap<string, readonly number[]>, rate: number, from: number, to: number): number {
  const parts = [...calls.values()].map(
    (times) => times.filter((at) => at >= from * 1_000 && at < to * 1_000).length / (rate * (to - from)),
  )
  return Math.min(...parts)
}

/** Never more than so many in any second. */
function mostInASecond(calls: ReadonlyMap<string, readonly number[]>): number {
  const most = [...calls.values()].map((times) =>
    Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + 1_000).length)),
  )
  return Math.max(...most)
}

const perSecond = (rate: number) => [{ rate, per: 'second', burst: 1, scope: 'tenant' } as const]

describe('messages that come back for their turn', () => {
  test.each([
    { name: 'of two tenants', tenants: { a: 900, b: 260 }, lateMs: 0, least: 0.94 },
    { name: 'of two tenants, late', tenants: { a: 900, b: 260 }, lateMs: 300, least: 0.94 },
    { name: 'of four tenants', tenants: { a: 300, b: 300, c: 300, d: 300 }, lateMs: 0, least: 0.94 },
    { name: 'of four tenants, late', tenants: { a: 300, b: 300, c: 300, d: 300 }, lateMs: 300, least: 0.88 },
  ])('$name lose hardly a permit', async ({ tenants, lateMs, least }) => {
    const node = { limits: perSecond(20), prefetch: 20, bridges: 2, tenants, seconds: 13, lateMs }
    const { calls, putOffs } = await simulate(node)
    expect(leastUsed(calls, 20, 2, 12)).toBeGreaterThanOrEqual(least)
    expect(mostInASecond(calls)).toBeLessThanOrEqual(20)
    expect(putOffs / Object.values(tenants).reduce((sum, count) => sum + count)).toBeLessThan(1.7)
  })

  test('keep no other tenant waiting for longer than it takes them to go on', async () => {
    const tenants = { a: 300, b: 300, c: 300, d: 300 }
    const node = { limits: perSecond(20), prefetch: 20, bridges: 2, tenants, seconds: 10, lateMs: 300 }
    const { guestWaitsMs } = await simulate({ ...node, guestEveryMs: 500 })
    expect(guestWaitsMs.length).toBeGreaterThan(17)
    expect(Math.max(...guestWaitsMs)).toBeLessThan(1_500)
  })
})
