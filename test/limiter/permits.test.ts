import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { closeTurns, nextInstant, noPermits, refund, reserve, spend, takeTurns } from '../../runtime/limiter/permits.ts'
import type { PermitState, Tier } from '../../runtime/limiter/permits.ts'
import { tiersOf, usableOf } from '../../runtime/limiter/rules.ts'
import { periodMs } from '../../runtime/topology/limits/limits.ts'
import type { Limit } from '../../runtime/topology/limits/limits.ts'

const start = 1_795_000_000_000

/** What bridges do, one after the other: reserve, use what they have late or never, or die. */
interface Deed {
  readonly afterMs: number
  readonly costs: readonly number[]
  /** When each permit is used after its instant, as a part of `usableMs`; from 1 on never: its bridge has died. */
  readonly late: readonly number[]
  readonly aheadMs: number
  /** What a call turned out to cost more, or less. */
  readonly extra: number
}

interface Use {
  readonly at: number
  readonly cost: number
}

const costs = fc.array(fc.constantFrom(1, 1, 1, 1, 2, 3, 5), { minLength: 0, maxLength: 12 })
const deed: fc.Arbitrary<Deed> = fc.record({
  afterMs: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 3_000 })),
  costs,
  late: fc.array(fc.float({ min: 0, max: Math.fround(1.3), noNaN: true }), { minLength: 12, maxLength: 12 }),
  aheadMs: fc.constantFrom(0, 20, 250, 2_000),
  extra: fc.constant(0),
})
const second = fc.record({ rate: fc.integer({ min: 5, max: 200 }), per: fc.constant('second' as const) })
const minute = fc.record({ rate: fc.integer({ min: 20, max: 400 }), per: fc.constant('minute' as const) })
const burst = fc.record({
  rate: fc.integer({ min: 5, max: 50 }),
  per: fc.constant('second' as const),
  burst: fc.integer({ min: 2, max: 40 }),
})
const limits: fc.Arbitrary<readonly Limit[]> = fc.oneof(
  fc.tuple(second),
  fc.tuple(minute),
  fc.tuple(second, minute),
  fc.tuple(burst),
  fc.tuple(burst, minute),
)

function play(tiers: readonly Tier[], deeds: readonly Deed[]): Use[] {
  let state: PermitState = noPermits
  let now = start
  const uses: Use[] = []
  for (const { afterMs, costs: wanted, late, aheadMs } of deeds) {
    now += afterMs
    // As it is kept: what JSON loses is lost here, too.
    const reserved = reserve(JSON.parse(JSON.stringify(state)) as PermitState, tiers, {
      now,
      from: now,
      aheadMs,
      costs: wanted,
    })
    state = reserved.state
    for (const [index, { at, cost }] of reserved.permits.entries()) {
      const part = late[index] ?? 0
      if (part < 1) uses.push({ at: Math.max(at, now) + part * usableOf(tiers), cost })
    }
  }
  return uses.sort((a, b) => a.at - b.at)
}

/** The most that came in any period that begins with a call. */
function mostIn(uses: readonly Use[], period: number): number {
  let [most, sum, first] = [0, 0, 0]
  for (const { at, cost } of uses) {
    sum += cost
    for (let one = uses[first]; one !== undefined && one.at <= at - period; one = uses[first]) {
      sum -= one.cost
      first++
    }
    most = Math.max(most, sum)
  }
  return most
}

/** A burst comes on top; what costs more than fits is let through alone. */
function allowed({ rate, burst: more = 1 }: Limit, dearest: number): number {
  return more > 1 ? rate + Math.max(more, dearest) : Math.max(rate, dearest)
}

describe('permits', () => {
  test('however bridges reserve, use late and die, no period has more than its limit', () => {
    const property = fc.property(limits, fc.array(deed, { minLength: 1, maxLength: 60 }), (declared, deeds) => {
      const uses = play(tiersOf({ limits: declared }, 'global'), deeds)
      for (const limit of declared) {
        const dearest = Math.max(0, ...uses.map(({ cost }) => cost))
        expect(mostIn(uses, periodMs[limit.per])).toBeLessThanOrEqual(allowed(limit, dearest))
      }
    })
    fc.assert(property, { numRuns: 2_000 })
  })

  test.each<[string, readonly Limit[], number]>([
    ['50 a second', [{ rate: 50, per: 'second' }], 48],
    ['300 a minute', [{ rate: 300, per: 'minute' }], 4.9],
    [
      '40 a second and 600 a minute',
      [
        { rate: 40, per: 'second' },
        { rate: 600, per: 'minute' },
      ],
      9.8,
    ],
    ['2 a second with a burst of 40', [{ rate: 2, per: 'second', burst: 40 }], 1.92],
  ])('who always waits gets nearly all of %s', (_name, declared, perSecond) => {
    const tiers = tiersOf({ limits: declared }, 'global')
    let state: PermitState = noPermits
    let given = 0
    for (let now = start; now < start + 600_000; now += 10) {
      const reserved = reserve(state, tiers, { now, from: now, aheadMs: 100, costs: [1, 1, 1, 1, 1] })
      state = reserved.state
      given += reserved.permits.length
    }
    expect(given / 600).toBeGreaterThanOrEqual(perSecond)
  })

  test('a burst comes at once, and then evenly', () => {
    const tiers = tiersOf({ limits: [{ rate: 10, per: 'second', burst: 3 }] }, 'global')
    const { permits } = reserve(noPermits, tiers, { now: start, from: start, aheadMs: 1_000, costs: [1, 1, 1, 1, 1] })
    expect(permits.map(({ at }) => at - start)).toEqual([0, 0, 0, 104, 208])
  })

  test('calls of several requests are as many requests', () => {
    const tiers = tiersOf({ limits: [{ rate: 10, per: 'second' }] }, 'global')
    const { permits } = reserve(noPermits, tiers, {
      now: start,
      from: start,
      aheadMs: 10_000,
      costs: [3, 3, 3, 3, 1, 1],
    })
    expect(mostIn(permits, 1_000)).toBeLessThanOrEqual(10)
    expect(permits[3]?.at ?? 0).toBeLessThan(start + 1_400)
  })

  test('what cannot be had soon enough is not reserved, and it is told when it can be', () => {
    const tiers = tiersOf({ limits: [{ rate: 1, per: 'second' }] }, 'global')
    const { permits, next, state } = reserve(noPermits, tiers, {
      now: start,
      from: start,
      aheadMs: 2_000,
      costs: [1, 1, 1],
    })
    expect(permits.map(({ at }) => at - start)).toEqual([0, 1_040])
    expect(next).toBe(start + 2_080)
    expect(nextInstant(state, tiers, start, 1)).toBe(next)
  })

  test('a clock that is put back by an hour does not stop anything for an hour', () => {
    const tiers = tiersOf(
      {
        limits: [
          { rate: 10, per: 'second' },
          { rate: 100, per: 'minute' },
        ],
      },
      'global',
    )
    const costsOf = (count: number) => Array.from({ length: count }, () => 1)
    const { state } = reserve(noPermits, tiers, { now: start, from: start, aheadMs: 2_000, costs: costsOf(10) })
    const now = start - 3_600_000
    const { permits } = reserve(state, tiers, { now, from: now, aheadMs: 2_000, costs: costsOf(5) })
    expect(permits).toHaveLength(5)
    expect(permits[0]?.at ?? 0).toBeLessThanOrEqual(now + 1_100)
  })

  test('a limit that is raised holds for what was to wait for the old one, and a clock put back gives no quota twice', () => {
    const [slow, fast] = [1, 100_000].map((rate) => tiersOf({ limits: [{ rate, per: 'day', burst: 1 }] }, 'global'))
    const { state } = reserve(noPermits, slow ?? [], { now: start, from: start, aheadMs: 0, costs: [1] })
    expect(nextInstant(state, fast ?? [], start, 1) - start).toBeLessThan(1_000)
    const quota = tiersOf({ limits: [{ rate: 5, per: 'day' }] }, 'global')
    const used = reserve(noPermits, quota, { now: start, from: start, aheadMs: 0, costs: [1, 1, 1, 1, 1] }).state
    const now = start - 6_000
    expect(reserve(used, quota, { now, from: now, aheadMs: 0, costs: [1] }).permits).toEqual([])
  })

  test('a quota has back what a call did not cost, an even pace does not, and both count what it cost more', () => {
    const tiers = tiersOf({ limits: [{ rate: 10, per: 'minute' }] }, 'global')
    const full = reserve(noPermits, tiers, { now: start, from: start, aheadMs: 0, costs: [5, 5] }).state
    expect(nextInstant(full, tiers, start, 1)).toBeGreaterThan(start + 59_000)
    expect(nextInstant(refund(full, tiers, start, 5), tiers, start, 5)).toBe(start)
    const even = tiersOf({ limits: [{ rate: 10, per: 'second' }] }, 'global')
    const one = reserve(noPermits, even, { now: start, from: start, aheadMs: 0, costs: [1] }).state
    expect(nextInstant(refund(one, even, start, 1), even, start, 1)).toBe(start + 104)
    expect(nextInstant(spend(one, even, start, 2), even, start, 1)).toBeGreaterThanOrEqual(start + 3 * 104)
  })

  test('turns come a little faster than permits, one after the other, until the line is closed', () => {
    const tiers = tiersOf(
      {
        limits: [
          { rate: 1, per: 'second' },
          { rate: 1_000, per: 'day' },
        ],
      },
      'global',
    )
    const first = takeTurns(noPermits, tiers, start, 3)
    expect(first.instants.map((at) => Math.round(at - start))).toEqual([0, 952, 1_905])
    const second = takeTurns(first.state, tiers, start, 1)
    expect(Math.round((second.instants[0] ?? 0) - start)).toBe(2_857)
    expect(takeTurns(closeTurns(second.state, start), tiers, start, 1).instants[0]).toBe(start)
  })
})
