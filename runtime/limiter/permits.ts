import { instantOf, keptFor, putBack, redeclared, returned, taken } from './tiers.ts'
import type { Tier, TierStates } from './tiers.ts'

export { lateMs, turnEveryMs } from './tiers.ts'
export type { Tier } from './tiers.ts'

/**
 * What is reserved of one key. Pure; all times are milliseconds of the server's clock.
 *
 * A permit is the right to make one call at a given instant, up to `lateMs` later. Whoever reserves gets instants at which no tier of the
 * key is over (tiers.ts). Besides, the state says:
 *
 * - *the line of turns*: what the tiers will have given when all have called that were put off. Each turn is the instant of the next permit after
 *   those, so who comes back then has one. It is drawn up when the first is put off, and dropped when the last turn has come.
 * - *room that is kept*: a call that costs more than is free has its instant, too, and counts from the moment on in which it first waits: or those that cost
 *   little would take whatever becomes free, for ever. Whoever comes with a call of this cost at that instant has it.
 */
export interface PermitState {
  /** When it was last changed: a clock that goes back is seen by it. */
  readonly at: number
  readonly tiers: TierStates
  /** Where the line of turns ends. */
  readonly turn: number
  readonly line?: TierStates
  /** One of each cost, the first to come first. */
  readonly kept?: readonly Kept[]
}

interface Kept extends Permit {
  /** Nobody has come: it is dropped then. */
  readonly until: number
}

export interface Permit {
  readonly at: number
  readonly cost: number
}

export const noPermits: PermitState = { at: 0, tiers: {}, turn: 0 }

/** Who was put off comes back within this. */
const keptMs = 5_000
/** Costs for which room is kept. */
const keptMax = 8
/** Bridges know the server's clock to a few milliseconds. */
const clockBackMs = 5_000

interface Reserving {
  readonly now: number
  /** The first instant that is wanted, of all of them. */
  readonly from: number
  /** Instants so long after `now` are not reserved. */
  readonly aheadMs: number
  readonly costs: readonly number[]
}

export interface Reserved {
  readonly state: PermitState
  /** Those of the ones asked for that are near enough, in this order. */
  readonly permits: readonly Permit[]
  /** The instant of the first one that isn't; null when there are all. */
  readonly next: number | null
  /** Calls that cost less than this are all there. */
  readonly tooDear: number
}

/** Of who comes too soon nothing is reserved; who costs less goes on, as long as the room that is kept for the one before is left. */
export function reserve(before: PermitState, tiers: readonly Tier[], reserving: Reserving): Reserved {
  const { now, aheadMs, costs } = reserving
  const settled = settle(before, tiers, now)
  const known = asDeclared(settled, tiers, now)
  let state = known
  let { from } = reserving
  let [next, tooDear] = [Infinity, Infinity]
  const permits: Permit[] = []
  for (const cost of costs) {
    if (cost >= tooDear) continue
    const at = instantOf(withKept(state, tiers, now, cost), tiers, from, cost)
    if (at > now + aheadMs) {
      next = Math.min(next, at)
      tooDear = cost
      if (cost > 1) state = keep(state, { at, cost, until: at + keptMs })
      continue
    }
    state = { ...unkeep(state, cost), tiers: taken(state.tiers, tiers, { at, cost, since: now }) }
    permits.push({ at, cost })
    from = at
  }
  const isChanged = permits.length > 0 || known !== settled || state.kept !== before.kept
  return { state: isChanged ? state : before, permits, next: next === Infinity ? null : next, tooDear }
}

/** When a call of this cost could be made next; changes nothing. */
export function nextInstant(state: PermitState, tiers: readonly Tier[], from: number, cost: number): number {
  return instantOf(withKept(asDeclared(state, tiers, from), tiers, from, cost), tiers, from, cost)
}

/** A call has cost this much more than its permit said; paced tiers make up for it by going on later. */
export function spend(before: PermitState, tiers: readonly Tier[], at: number, cost: number): PermitState {
  return { ...before, tiers: taken(before.tiers, tiers, { at, cost, since: before.at }) }
}

/** A call has cost so much less: quotas have it back. Paced tiers don't, since the instants that follow are given away already. */
export function refund(before: PermitState, tiers: readonly Tier[], at: number, cost: number): PermitState {
  const states = returned(before.tiers, tiers, { at, cost, since: before.at })
  return states === before.tiers ? before : { ...before, tiers: states }
}

/** Nobody waits any more for whom room of this cost was kept. */
export function unkeep(state: PermitState, cost: number): PermitState {
  if (state.kept?.some((one) => one.cost === cost) !== true) return state
  return keeping(
    state,
    state.kept.filter((one) => one.cost !== cost),
  )
}

function keep(state: PermitState, one: Kept): PermitState {
  const { kept = [] } = state
  const known = kept.find(({ cost }) => cost === one.cost)
  if (known === undefined) return kept.length < keptMax ? keeping(state, [...kept, one]) : state
  if (known.at === one.at) return state
  return keeping(
    state,
    kept.map((other) => (other === known ? one : other)),
  )
}

function keeping({ kept: _, ...state }: PermitState, kept: readonly Kept[]): PermitState {
  return kept.length === 0 ? state : { ...state, kept }
}

/** As if the calls had been made for which room is kept, but for those after who comes with this cost. */
function withKept(
  { tiers: states, kept = [] }: PermitState,
  tiers: readonly Tier[],
  now: number,
  cost: number,
): TierStates {
  let all = states
  for (const one of kept) {
    if (one.cost === cost) break
    if (one.until > now) all = keptFor(all, tiers, { at: Math.max(one.at, now), cost: one.cost, since: now })
  }
  return all
}

/** What was reserved by what was declared before, as it counts now. */
export function asDeclared(state: PermitState, tiers: readonly Tier[], now: number): PermitState {
  const states = redeclared(state.tiers, tiers, now)
  if (states === state.tiers) return state
  const { line } = state
  return { ...state, tiers: states, ...(line !== undefined && { line: redeclared(line, tiers, now) }) }
}

/** The server's clock was put back: what is known moves with it, or nothing would go until it was there again. */
function settle(before: PermitState, tiers: readonly Tier[], now: number): PermitState {
  const back = before.at - now
  if (back < clockBackMs) {
    const isOver = before.kept?.some(({ until }) => until <= now) === true
    const state = isOver
      ? keeping(
          before,
          (before.kept ?? []).filter(({ until }) => until > now),
        )
      : before
    return { ...state, at: Math.max(state.at, now) }
  }
  const { turn, line, kept = [] } = before
  const state: PermitState = {
    at: now,
    tiers: putBack(before.tiers, tiers, back),
    turn: turn - back,
    ...(line !== undefined && { line: putBack(line, tiers, back) }),
  }
  return keeping(
    state,
    kept.map(({ at, cost, until }) => ({ at: at - back, cost, until: until - back })),
  )
}
