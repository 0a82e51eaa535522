import { lateMs, nextInstant } from '../../../limiter/permits.ts'
import type { PermitState, Tier } from '../../../limiter/permits.ts'

/** When so many calls of this cost would be made, one as soon after the other as the tiers of a key let them. Pure; milliseconds. */
export interface Asked {
  readonly from: number
  readonly calls: number
  readonly cost: number
}

/** The instant of the last of them; `from` when there are none, or no tiers. */
export function instantOfLast(state: PermitState, tiers: readonly Tier[], asked: Asked): number {
  if (asked.calls <= 0) return asked.from
  return Math.max(asked.from, ...tiers.map((tier) => lastIn(state, tier, asked)))
}

function lastIn(state: PermitState, tier: Tier, { from, calls, cost }: Asked): number {
  return tier.kind === 'paced'
    ? lastPaced(state, tier, { from, calls, cost })
    : lastInQuota(state, tier, { from, calls, cost })
}

/** As the arithmetic of GCRA adds them up: each moves the theoretical arrival time on by its cost. */
function lastPaced({ tiers }: PermitState, { id, burst, everyMs }: Tier, { from, calls, cost }: Asked): number {
  const begin = Math.max(tiers[id]?.tat ?? 0, from)
  const tolerance = (Math.max(burst, cost) - cost) * everyMs
  return Math.max(from, begin + (calls - 1) * cost * everyMs - tolerance)
}

/** Once a quota is used up, calls are made again when those of a period before don't count any more: the same pattern, period by period. */
function lastInQuota(state: PermitState, tier: Tier, { from, calls, cost }: Asked): number {
  const each = Math.max(1, Math.floor(tier.rate / cost))
  const periods = Math.floor((calls - 1) / each)
  const rest = ((calls - 1) % each) + 1
  const first = nextInstant(state, [tier], from, Math.min(rest * cost, tier.rate))
  return first + periods * (tier.periodMs * (1 + bucketShare) + lateMs)
}

/** Of a period: as long as a call may count beyond its own. */
const bucketShare = 1 / 60

/** The most calls a second that a key takes in the long run; null: any number. */
export function declaredPerSecond(tiers: readonly Tier[]): number | null {
  if (tiers.length === 0) return null
  return Math.min(...tiers.map(({ rate, periodMs }) => (rate * 1_000) / periodMs))
}
