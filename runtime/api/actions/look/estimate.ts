import type { Forecast } from '../limits/backlog.ts'
import type { NodeFacts } from './facts.ts'
import type { Blocker } from './why.ts'

/** When what waits before a node now will be done. Pure. */
export interface Estimate extends Forecast {
  readonly ratePerSecond: number | null
}

/**
 * As fast as the limits of its service allow while that is what it waits for, else as fast as in the last seconds, but never sooner than the
 * limits allow. `limits` is what these say of it; null: it has none.
 */
export function estimateOf(
  facts: NodeFacts,
  blockers: readonly Blocker[],
  limits: Forecast | null,
  now: number,
): Estimate {
  const { ratePerSecond } = facts
  const unknown = (reason: string): Estimate => ({ secondsLeft: null, doneAt: null, ratePerSecond, by: null, reason })
  const left = leftOf(facts)
  if (left === 0) return known(now, now, 'nothing-waits', ratePerSecond)
  const still = blockers.find(({ kind }) => endless.has(kind))
  if (still !== undefined) return unknown(`nobody knows when this ends: ${still.text}`)
  const doneAt = limits?.doneAt ?? null
  const allowed = doneAt === null ? null : Date.parse(doneAt)
  const latest = Math.max(now, ...blockers.map(({ until }) => (until === null ? now : Date.parse(until.last))))
  const isLimited = blockers.some(({ kind }) => kind === 'limit')
  if (isLimited && allowed !== null && limits !== null)
    return known(now, Math.max(allowed, latest), limits.by, ratePerSecond)
  if (ratePerSecond === null) return unknown('a bridge does not answer, so its rate is not known')
  if (ratePerSecond === 0)
    return unknown((isLimited ? limits?.reason : null) ?? 'nothing of it was settled in the last 10 s')
  const observed = Math.max(now + (left / ratePerSecond) * 1_000, latest)
  if (limits?.by === 'declared' && allowed !== null && allowed > observed)
    return known(now, allowed, 'declared', ratePerSecond)
  return known(now, observed, 'observed', ratePerSecond)
}

/** Messages that wait before a node, or are held or delayed. */
export const leftOf = ({ depth, delays }: NodeFacts): number => depth.pending + depth.inFlight + delays.length

function known(now: number, at: number, by: Forecast['by'], ratePerSecond: number | null): Estimate {
  const secondsLeft = Math.ceil((at - now) / 1_000)
  return { secondsLeft, doneAt: new Date(now + secondsLeft * 1_000).toISOString(), ratePerSecond, by, reason: null }
}

const endless: ReadonlySet<string> = new Set([
  'unpublished',
  'no-bridge',
  'bridges-behind',
  'paused',
  'no-instance',
  'refused',
  'breaker',
])
