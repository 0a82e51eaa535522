import { describe, expect, test } from 'vitest'
import { nextInstant, noPermits, reserve } from '../../runtime/limiter/permits.ts'
import type { PermitState } from '../../runtime/limiter/permits.ts'
import { tiersOf } from '../../runtime/limiter/rules.ts'
import { closeTurns, takeTurns } from '../../runtime/limiter/turns.ts'
import type { Limit } from '../../runtime/topology/limits/limits.ts'

const start = 1_795_000_000_000
const costsOf = (count: number): number[] => Array.from({ length: count }, () => 1)

/** How often messages of one tenant are put off, all told, when each comes back at its turn and none arrives otherwise. */
function putOffs(declared: readonly Limit[], count: number): number {
  const tiers = tiersOf({ limits: declared }, 'global')
  let state: PermitState = noPermits
  let [left, offs] = [count, 0]
  let due: number[] = costsOf(count).map((_, index) => start + index / 3)
  while (left > 0) {
    const now = Math.ceil(due[0] ?? 0)
    const here = due.filter((at) => at <= now)
    const reserved = reserve(state, tiers, { now, from: now, aheadMs: 2_000, costs: costsOf(here.length) })
    const off = here.length - reserved.permits.length
    const taken = takeTurns(reserved.state, tiers, { from: now }, costsOf(off))
    state = taken.state
    offs += off
    left -= reserved.permits.length
    due = [...due.slice(here.length), ...taken.instants.map((at) => Math.max(at, now + 250))].sort((a, b) => a - b)
  }
  return offs
}

describe('turns', () => {
  test.each<[string, readonly Limit[], number]>([
    ['1000 a day', [{ rate: 1_000, per: 'day' }], 1_500],
    [
      '100 an hour and 1000 a day',
      [
        { rate: 100, per: 'hour' },
        { rate: 1_000, per: 'day' },
      ],
      1_500,
    ],
    ['20 a second', [{ rate: 20, per: 'second' }], 800],
    [
      '20 a second and 500 an hour',
      [
        { rate: 20, per: 'second' },
        { rate: 500, per: 'hour' },
      ],
      1_500,
    ],
  ])('of %s a message that waits is put off hardly more than once', (_name, declared, count) => {
    expect(putOffs(declared, count)).toBeLessThan(1.5 * count)
  })

  test('they come when permits do, a little before those of an even pace, until the line is closed', () => {
    const tiers = tiersOf({ limits: [{ rate: 1, per: 'second' }] }, 'global')
    const { state } = reserve(noPermits, tiers, { now: start, from: start, aheadMs: 0, costs: [1] })
    const first = takeTurns(state, tiers, { from: start }, costsOf(3))
    expect(first.instants.map((at) => Math.round(at - start))).toEqual([550, 1_579, 2_609])
    const second = takeTurns(first.state, tiers, { from: start }, costsOf(1))
    expect(Math.round((second.instants[0] ?? 0) - start)).toBe(3_638)
    const closed = takeTurns(closeTurns(second.state, start), tiers, { from: start }, costsOf(1))
    expect(closed.instants).toEqual([first.instants[0]])
  })

  test('a line of a hundred thousand is no larger to keep than a short one', () => {
    const tiers = tiersOf({ limits: [{ rate: 1, per: 'hour' }] }, 'global')
    const { state } = reserve(noPermits, tiers, { now: start, from: start, aheadMs: 0, costs: [1] })
    const { state: long, instants } = takeTurns(state, tiers, { from: start }, costsOf(100_000))
    expect(JSON.stringify(long).length).toBeLessThan(2_000)
    expect((instants.at(-1) ?? 0) - start).toBeGreaterThan(99_999 * 3_600_000)
    expect(nextInstant(long, tiers, start, 1)).toBe(nextInstant(state, tiers, start, 1))
  })
})
