import { nextInstant, refund, spend, turnEveryMs } from '../permits.ts'
import type { Permit, PermitState, Tier } from '../permits.ts'

const idleMs = 5_000

/** For a while nobody took what was free: whoever has a turn is gone, or will come much later than it could. */
export function isIdle(state: PermitState, tiers: readonly Tier[], now: number): boolean {
  const since = now - idleMs
  return nextInstant(state, tiers, since, 1) <= since
}

/** What of each tier is one bridge's, when it can't tell the others what it uses. Of a quota it is of what was left. */
export function sharesOf(tiers: readonly Tier[], { tiers: stored }: PermitState, bridges: number): Tier[] {
  return tiers.map((tier) => {
    const used = (stored[tier.id]?.counts?.costs ?? []).reduce((sum, cost) => sum + cost, 0)
    const rate = tier.kind === 'quota' ? used + Math.floor((tier.rate - used) / bridges) : tier.rate / bridges
    const burst = Math.max(1, Math.floor(tier.burst / bridges))
    return { ...tier, everyMs: tier.everyMs * bridges, rate: Math.max(0, rate), burst }
  })
}

export interface Charge {
  readonly at: number
  readonly extra: number
}

export function charged(state: PermitState, tiers: readonly Tier[], charges: readonly Charge[]): PermitState {
  return charges.reduce(
    (sum, { at, extra }) => (extra > 0 ? spend(sum, tiers, at, extra) : refund(sum, tiers, at, -extra)),
    state,
  )
}

/** What those who wait for permits of a key can expect. Both instants by the server's clock. */
export interface Outlook {
  readonly first: number
  readonly last: number
  /** The tier that keeps them longest; null: there is none. */
  readonly tier: Tier | null
}

interface Expecting {
  /** No permits before. */
  readonly from: number
  /** By their instants. */
  readonly reserved: readonly Permit[]
  /** Who waits. */
  readonly count: number
}

export function outlookOf(state: PermitState, tiers: readonly Tier[], { from, reserved, count }: Expecting): Outlook {
  const free = nextInstant(state, tiers, from, 1)
  const place = Math.max(0, count - 1)
  const behind = Math.max(0, place - reserved.length) * turnEveryMs(tiers)
  const [tier = null] = tiers
    .map((one) => ({ one, at: nextInstant(state, [one], from, 1) }))
    .sort((a, b) => b.at - a.at)
    .map(({ one }) => one)
  return { first: reserved[0]?.at ?? free, last: reserved[place]?.at ?? free + behind, tier }
}
