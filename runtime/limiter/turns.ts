import type { PermitState } from './permits.ts'
import { instantOf, taken } from './tiers.ts'
import type { Tier, TierStates } from './tiers.ts'

/**
 * The line of turns of a key: when those who are put off come back. Pure.
 *
 * Of an even pace they come back a little before their permit, and a little faster than permits do, since schedules fire late (measured: half of
 * them by 0.2 s, the worst by 0.6) and who is late must not leave a gap. What a quota gives comes at once, and is there until somebody takes it: so
 * they come right then.
 */
export interface Turns {
  readonly state: PermitState
  /** When to come back, in order. */
  readonly instants: readonly number[]
}

const turnPace = 1.02
const leadMs = 500
/** Who was put off is back by then. */
const backMs = 2_000
/** Those whose permits come at once come one after the other. */
const apartMs = 1

/** Those who are before the line of turns when it is drawn up: `ahead` are their costs. */
interface Standing {
  /** No permits before. */
  readonly from: number
  readonly ahead?: readonly number[]
}

/** The next places in the line of turns, for calls of these costs. */
export function takeTurns(
  before: PermitState,
  tiers: readonly Tier[],
  { from, ahead = [] }: Standing,
  costs: readonly number[],
): Turns {
  const pace = tiers.map((tier) => ({ ...tier, everyMs: tier.everyMs / turnPace }))
  const isOpen = before.line !== undefined && before.turn + backMs > from
  let line = isOpen ? (before.line ?? {}) : before.tiers
  let next = Math.max(from, isOpen ? before.turn : 0)
  const take = (cost: number): number => {
    const at = instantOf(line, pace, next, cost)
    line = taken(line, pace, { at, cost, since: at })
    next = at
    return at
  }
  if (!isOpen) for (const cost of ahead) take(cost)
  const instants = costs.map((cost) => {
    const even = evenInstant(line, pace, next, cost)
    const isEven = even > next
    const at = take(cost)
    next = at + apartMs
    return isEven && at === even ? at - leadMs : at
  })
  return { state: { ...before, line, turn: next }, instants }
}

/** When it would be if there were no quotas. */
function evenInstant(line: TierStates, tiers: readonly Tier[], from: number, cost: number): number {
  const paced = tiers.filter(({ kind }) => kind === 'paced')
  return instantOf(line, paced, from, cost)
}

/** Nobody is in the line of turns whose permit isn't free: those who were are gone. */
export function closeTurns(state: PermitState, now: number): PermitState {
  if (state.turn <= now && state.line === undefined) return state
  const { line: _, ...rest } = state
  return { ...rest, turn: Math.min(state.turn, now) }
}
