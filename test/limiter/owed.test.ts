import { expect, test } from 'vitest'
import { Owed } from '../../runtime/limiter/line/owed.ts'
import { nextInstant, noPermits } from '../../runtime/limiter/permits.ts'
import type { PermitState } from '../../runtime/limiter/permits.ts'
import { tiersOf } from '../../runtime/limiter/rules.ts'
import type { Limit } from '../../runtime/topology/limits/limits.ts'

const now = Date.parse('2026-03-01T12:00:00Z')
const limits: readonly Limit[] = [
  { rate: 40, per: 'second', burst: 1 },
  { rate: 23_000, per: 'day' },
]
const tiers = tiersOf({ limits }, 'global')

/** What a bridge used in a long outage: 19 calls in each of so many seconds. */
function used(seconds: number): Owed {
  const owed = new Owed()
  for (let second = 1; second <= seconds; second++) owed.add({ at: now - second * 1_000, cost: 19 })
  return owed
}

test('what two bridges used in a long outage counts for the day, and keeps nobody waiting by the second', () => {
  let state: PermitState = { ...noPermits, at: now }
  for (let bridge = 0; bridge < 2; bridge++) state = used(600).addTo(state, tiers, now)
  expect(nextInstant(state, tiers, now, 1) - now).toBeLessThan(2_500)
  for (let more = 0; more < 10; more++) state = used(20).addTo(state, tiers, now)
  // 22 800 and 3 800 calls are more than a day has.
  expect(nextInstant(state, tiers, now, 1) - now).toBeGreaterThan(3_600_000)
})
