import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nextInstant, noPermits, refund, reserve, spend, unkeep } from '../../runtime/limiter/permits.ts'
import type { PermitState, Tier } from '../../runtime/limiter/permits.ts'
import { tiersOf, usableOf } from '../../runtime/limiter/rules.ts'
import { periodMs } from '../../runtime/topology/limits/limits.ts'
import type { Limit } from '../../runtime/topology/limits/limits.ts'

const start = 1_795_000_000_000

/** What bridges do, one after the other: reserve, use what they have late or never, or die. */
interface Deed {
  readonly afterMs: number
  /** The server's clock is put back by so much before. */
  readonly backMs: number
  /** By which declaration. */
  readonly version: number
  readonly costs: readonly number[]
  /** When each permit is used after its instant, as a part of `usableMs`; from 1 on never: its bridge has died. */
  readonly late: readonly number[]
  readonly aheadMs: number
  /** What the last call turned out to cost more, or less. */
  readonly extra: number
}

interface Use {
  /** By a clock that is never put. */
  readonly at: number
  cost: number
}

const costs = fc.array(fc.constantFrom(1, 1, 1, 1, 2, 3, 5), { minLength: 0, maxLength: 12 })
const deed: fc.Arbitrary<Deed> = fc.record({
  afterMs: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 3_000 })),
  backMs: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 90_000 })),
  version: fc.integer({ min: 0, max: 1 }),
  costs,
  late: fc.array(fc.float({ min: 0, max: Math.fround(1.3), noNaN: true }), { minLength: 12, maxLength: 12 }),
  aheadMs: fc.constantFrom(0, 20, 250, 2_000),
  extra: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: -5, max: 5 })),
})
const rates = (min: number, max: number) => {
  const rate = fc.oneof(fc.integer({ min, max: 4 * min }), fc.integer({ min, max }))
  return fc.tuple(rate, rate)
}
const even = (per: Limit['per'], min: number, max: number) =>
  rates(min, max).map((both) => both.map((rate): Limit => ({ rate, per })))
const bursts = (per: Limit['per']) =>
  fc
    .tuple(rates(5, 50), fc.integer({ min: 1, max: 40 }))
    .map(([both, burst]) => both.map((rate): Limit => ({ rate, per, burst })))
const second = even('second', 5, 200)
const minute = even('minute', 20, 400)
/** Limits, each as it is declared at first and later. */
const limits: fc.Arbitrary<readonly Limit[][]> = fc.oneof(
  fc.tuple(second),
  fc.tuple(minute),
  fc.tuple(second, minute),
  fc.tuple(bursts('second')),
  fc.tuple(bursts('minute')),
  fc.tuple(bursts('second'), minute),
  fc.tuple(second, bursts('hour')),
)

function play(versions: readonly (readonly Tier[])[], deeds: readonly Deed[]): Use[] {
  let state: PermitState = noPermits
  let [real, offset] = [start, 0]
  const uses: Use[] = []
  for (const { afterMs, backMs, version, costs: wanted, late, aheadMs, extra } of deeds) {
    real += afterMs
    offset -= backMs
    const now = real + offset
    const tiers = versions[version] ?? []
    // As it is kept: what JSON loses is lost here, too.
    const reserved = reserve(JSON.parse(JSON.stringify(state)) as PermitState, tiers, {
      now,
      from: now,
      aheadMs,
      costs: wanted,
    })
    state = reserved.state
    let last: { readonly use: Use; readonly at: number } | null = null
    for (const [index, { at, cost }] of reserved.permits.entries()) {
      const part = late[index] ?? 0
      if (part >= 1) continue
      last = { use: { at: Math.max(at, now) - offset + part * usableOf(tiers), cost }, at }
      uses.push(last.use)
    }
    if (last === null) continue
    if (extra > 0) state = spend(state, tiers, last.at, extra)
    const less = Math.min(-extra, last.use.cost)
    if (less > 0) state = refund(state, tiers, last.at, less)
    if (less > 0) last.use.cost -= less
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

/** A burst comes on top, and what was reserved before a change; what costs more than fits is let through alone. */
function allowed(versions: readonly Limit[], dearest: number): number {
  const rate = Math.max(...versions.map((one) => one.rate))
  const more = versions[0]?.burst ?? 1
  return more > 1 ? rate + Math.max(more, dearest) + dearest : Math.max(rate, dearest)
}

describe('permits', () => {
  test('however bridges reserve, use late and die, and limits and the clock are changed, no period has more than its limit', () => {
    const property = fc.property(limits, fc.array(deed, { minLength: 1, maxLength: 60 }), (declared, deeds) => {
      const versions = [0, 1].map((n) => tiersOf({ limits: declared.map((both) => both[n] as Limit) }, 'global'))
      const uses = play(versions, deeds)
      for (const both of declared) {
        const dearest = Math.max(0, ...uses.map(({ cost }) => cost))
        expect(mostIn(uses, periodMs[(both[0] as Limit).per])).toBeLessThanOrEqual(allowed(both, dearest))
      }
    })
    fc.assert(property, { numRuns: 300 })
  })

  test.each<[string, readonly Limit[], number]>([
    ['50 a second', [{ rate: 50, per: 'second' }], 47.6],
    ['300 a minute', [{ rate: 300, per: 'minute' }], 4.9],
    [
      '40 a second and 600 a minute',
      [
        { rate: 40, per: 'second' },
        { rate: 600, per: 'minute' },
      ],
      9.7,
    ],
    ['2 a second with a burst of 40', [{ rate: 2, per: 'second', burst: 40 }], 1.9],
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
    expect(permits.map(({ at }) => at - start)).toEqual([0, 0, 0, 105, 210])
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
    expect(permits.map(({ at }) => at - start)).toEqual([0, 1_050])
    expect(next).toBe(start + 2_100)
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
    expect(nextInstant(refund(one, even, start, 1), even, start, 1)).toBe(start + 105)
    expect(nextInstant(spend(one, even, start, 2), even, start, 1)).toBeGreaterThanOrEqual(start + 3 * 105)
  })

  test('what is reserved for later hides nothing that was before', () => {
    const tiers = tiersOf({ limits: [{ rate: 60, per: 'minute' }] }, 'global')
    const costsOf = (count: number) => Array.from({ length: count }, () => 1)
    const full = reserve(noPermits, tiers, { now: start, from: start, aheadMs: 0, costs: costsOf(60) }).state
    const now = start + 60_000
    const ahead = reserve(full, tiers, { now, from: now, aheadMs: 2_000, costs: [5] })
    expect(ahead.permits).toHaveLength(1)
    expect(reserve(ahead.state, tiers, { now, from: now, aheadMs: 0, costs: [1] }).permits).toEqual([])
  })

  test('room is kept for a dear call, whatever cheap ones come, and those go on with what is left', () => {
    const tiers = tiersOf({ limits: [{ rate: 60, per: 'minute' }] }, 'global')
    let state = noPermits
    for (let now = start; now < start + 60_000; now += 1_000)
      state = reserve(state, tiers, { now, from: now, aheadMs: 0, costs: [1] }).state
    const dear: number[] = []
    const cheap: number[] = []
    for (let now = start + 60_000; now < start + 200_000; now += 500) {
      const costs = dear.length === 0 ? [30, 1, 1] : [1, 1]
      const reserved = reserve(state, tiers, { now, from: now, aheadMs: 0, costs })
      state = reserved.state
      for (const { at, cost } of reserved.permits) (cost === 1 ? cheap : dear).push(at)
    }
    expect((dear[0] ?? Infinity) - start).toBeLessThan(95_000)
    expect(cheap.filter((at) => at > (dear[0] ?? 0)).length).toBeGreaterThan(30)
    expect(state.kept).toBeUndefined()
  })

  test('a dear call that is far off stops no cheap one for which there is room, and nobody once it has given up', () => {
    const tiers = tiersOf({ limits: [{ rate: 60, per: 'minute' }] }, 'global')
    const first = reserve(noPermits, tiers, { now: start, from: start, aheadMs: 0, costs: [20] }).state
    const now = start + 30_000
    const used = reserve(first, tiers, { now, from: now, aheadMs: 0, costs: [10] }).state
    const waits = reserve(used, tiers, { now, from: now, aheadMs: 0, costs: [45, 1] })
    expect(waits).toMatchObject({ permits: [{ at: now, cost: 1 }], tooDear: 45 })
    const none = reserve(waits.state, tiers, { now, from: now, aheadMs: 0, costs: Array.from({ length: 20 }, () => 1) })
    expect(none.permits.length).toBeLessThan(6)
    const gone = reserve(unkeep(none.state, 45), tiers, { now, from: now, aheadMs: 0, costs: [20] })
    expect(gone.permits).toHaveLength(1)
  })

  test('a quota that becomes an even pace, and one again, goes on from what was used', () => {
    const costsOf = (count: number) => Array.from({ length: count }, () => 2)
    const quota = tiersOf({ limits: [{ rate: 20, per: 'minute' }] }, 'global')
    const paced = tiersOf({ limits: [{ rate: 20, per: 'minute', burst: 1 }] }, 'global')
    const used = reserve(noPermits, quota, { now: start, from: start, aheadMs: 0, costs: costsOf(10) }).state
    const now = start + 1_000
    expect(nextInstant(used, paced, now, 1)).toBeGreaterThan(start + 59_000)
    expect(nextInstant(used, paced, now, 1)).toBeLessThan(start + 63_000)
    const even = reserve(used, paced, { now: start + 70_000, from: start + 70_000, aheadMs: 0, costs: [2] }).state
    expect(nextInstant(even, quota, start + 71_000, 2)).toBeLessThan(start + 140_000)
  })

  test('a call that was open for hours and cost more is made up for, and no bucket of those hours is kept', () => {
    const tiers = tiersOf({ limits: [{ rate: 10, per: 'second' }] }, 'global')
    const { state } = reserve(noPermits, tiers, { now: start, from: start, aheadMs: 0, costs: [3] })
    const late = spend(state, tiers, start - 3_600_000, 5)
    expect(JSON.stringify(late).length).toBeLessThan(1_000)
    expect(nextInstant(late, tiers, start, 1)).toBeGreaterThan(start + 800)
  })
})
