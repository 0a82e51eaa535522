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
/** Schedules fire no more often (nats-server). */
const againMs = 250
const doublingsMax = 12

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

/** Who comes back, and has no place to wait in. */
interface Returning {
  readonly cost: number
  /** How often it was put off before. */
  readonly timesAway: number
}

/**
 * Who was put off and came back when it was its turn, but must leave again, since others take all places that are for those who wait: its permit would
 * be lost if it went to the end of the line. So it comes back when those who stay have had theirs; each time that it is in vain it takes
 * twice as long, so that those who are too many don't go round for ever.
 */
export function turnsAgain(
  before: PermitState,
  tiers: readonly Tier[],
  standing: Standing,
  returning: readonly Returning[],
): Turns {
  const { from, ahead = [] } = standing
  let state = before
  let [due, next] = [before.tiers, from]
  const take = (cost: number): number => {
    next = instantOf(due, tiers, next, cost)
    due = taken(due, tiers, { at: next, cost, since: next })
    return next
  }
  for (const cost of ahead) take(cost)
  const instants = returning.map(({ cost, timesAway }) => {
    const soon = from + Math.max(againMs, take(cost) - from) * 2 ** Math.min(timesAway - 1, doublingsMax)
    const last = takeTurns(state, tiers, standing, [cost])
    const [end = soon] = last.instants
    if (end <= soon) state = last.state
    return Math.min(soon, end)
  })
  return { state, instants }
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
