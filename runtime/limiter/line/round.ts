import { nextInstant, reserve, unkeep } from '../permits.ts'
import type { Permit, PermitState, Reserved } from '../permits.ts'
import type { Tier } from '../tiers.ts'
import type { Turns } from '../turns.ts'
import { closeTurns, takeTurns, turnsAgain } from '../turns.ts'
import type { Queue, Waiter } from './queue.ts'
import { isIdle } from './reckon.ts'

/** What one compare-and-set of a key's state comes to. */
export interface Round {
  readonly state: PermitState
  readonly permits: readonly Permit[]
  /** When to try again for those who still wait. */
  readonly next: number | null
  /** Those who cost so much do; all others have theirs. */
  readonly tooDear: number
  readonly turns: readonly { readonly waiter: Waiter; readonly at: number }[]
}

/** By what a round goes, beside the state. */
interface Standing {
  readonly now: number
  /** No permits before. */
  readonly from: number
  readonly aheadMs: number
  readonly queue: Queue
  /** Costs for which permits shall be reserved. */
  readonly wanted: readonly number[]
  /** Permits that are reserved already. */
  readonly pool: readonly Permit[]
  /** Costs of those who left without the permit that they waited for. */
  readonly gone: readonly number[]
  /** Permits that will be wanted in the next moment. */
  readonly soon: number
}

/** How far ahead permits are reserved that nobody waits for yet. */
export const stockMs = 15

/** Permits for those who can have one soon, and turns for those who can't and may leave. Pure. */
export function roundOf(before: PermitState, tiers: readonly Tier[], standing: Standing): Round {
  const { now, from, aheadMs, queue, pool } = standing
  const left = standing.gone.reduce(unkeep, before)
  const state = isIdle(left, tiers, now) ? closeTurns(left, now) : left
  // Who stands in the line of turns comes before those who are new.
  const areNewLast = state.turn > now + aheadMs && nextInstant(left, tiers, from, 1) > now
  const newcomers = areNewLast ? queue.newcomers() : []
  const costs = standing.wanted.slice(0, areNewLast ? queue.length - newcomers.length : undefined)
  const reserved = reserve(state, tiers, { now, from, aheadMs, costs })
  const unserved = queue.unserved([...pool, ...reserved.permits], areNewLast)
  const late = reserved.next === null ? newcomers : unserved.filter(mayLeaveFrom(reserved.tooDear))
  const evicted = queue.evicted()
  if (late.length + evicted.length === 0) return { ...stocked(reserved, tiers, standing), turns: [] }
  const ahead = costsOf(unserved.filter((waiter) => !late.includes(waiter)))
  const leaving = [...late, ...evicted.filter(({ timesAway }) => timesAway === 0)]
  const taken = takeTurns(reserved.state, tiers, { from, ahead }, costsOf(leaving))
  const again = evicted.filter(({ timesAway }) => timesAway > 0)
  const retaken = turnsAgain(taken.state, tiers, { from, ahead }, again)
  const turns = [...turnsOf(leaving, taken), ...turnsOf(again, retaken)]
  return { ...reserved, state: retaken.state, turns }
}

/** While the limit doesn't bind, those that will be wanted in the next moment; of a quota none, since each is needed. */
function stocked(reserved: Reserved, tiers: readonly Tier[], { now, from, pool, soon }: Standing): Reserved {
  const last = reserved.permits.at(-1)?.at ?? from
  const missing = soon - pool.length - reserved.permits.length
  if (reserved.next !== null || last > now || missing <= 0 || hasQuota(tiers)) return reserved
  const costs = Array.from({ length: missing }, () => 1)
  const more = reserve(reserved.state, tiers, { now, from: last, aheadMs: stockMs, costs })
  return { state: more.state, permits: [...reserved.permits, ...more.permits], next: null, tooDear: Infinity }
}

export const hasQuota = (tiers: readonly Tier[]): boolean => tiers.some(({ kind }) => kind === 'quota')

const turnsOf = (waiters: readonly Waiter[], { instants }: Turns): Round['turns'] =>
  waiters.map((waiter, index) => ({ waiter, at: instants[index] ?? 0 }))

const costsOf = (waiters: readonly Waiter[]): number[] => waiters.map(({ cost }) => cost)

const mayLeaveFrom =
  (least: number) =>
  ({ mayLeave, cost }: Waiter): boolean =>
    mayLeave && cost >= least
