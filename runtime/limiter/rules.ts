import { hash } from 'node:crypto'
import type { LimitKey } from '../queue/limits/told.ts'
import { periodMs, scopeOf } from '../topology/limits/limits.ts'
import type { Limit, Scope, ServiceLimits } from '../topology/limits/limits.ts'
import { lateMs } from './permits.ts'
import type { Tier } from './permits.ts'

/**
 * Part of the rate that is left free: for permits that are used late, and for clocks that differ. At `rate` a second, the first and the last of
 * rate + 1 calls have permits 1 050 ms apart; so one second holds both only if the first was 50 ms later on its way than the last.
 */
const headRoom = 0.05
/** Of these 50 ms, what is left to the way of the call, and to the error of the clocks: with all cores busy a process stands still for 20 ms now and then. */
const transitMs = 35
/** Nobody needs longer, and clocks may be put. */
const usableMaxMs = 1_000

/**
 * A permit is used so long after its instant at most: of a paced tier that is what head-room gives, 50 ms of a second, and of a quota what its
 * buckets allow for, less the way. In milliseconds.
 */
export function usableOf(tiers: readonly Tier[]): number {
  const late = tiers.map(({ kind, rate, everyMs, periodMs: period }) =>
    kind === 'paced' ? everyMs * rate - period : lateMs,
  )
  return Math.min(usableMaxMs, ...late) - transitMs
}

/** The tiers of a service that hold for all calls (`global`), or for each tenant's. Pure. */
export function tiersOf({ limits }: Pick<ServiceLimits, 'limits'>, scope: Scope): Tier[] {
  return limits.filter((limit) => scopeOf(limit) === scope).map(tierOf)
}

function tierOf({ rate, per, burst }: Limit): Tier {
  const isPaced = burst !== undefined || per === 'second'
  const period = periodMs[per]
  return {
    id: per,
    kind: isPaced ? 'paced' : 'quota',
    rate,
    periodMs: period,
    everyMs: (period * (1 + headRoom)) / rate,
    burst: burst ?? 1,
  }
}

/** Under which a key's entries are kept: names of services and tenants may have any characters. */
export function limitId(key: LimitKey): string {
  const parts = key.kind === 'node' ? ['node', key.nodeId] : ['service', key.service, key.isOwn, key.who]
  return hash('sha256', JSON.stringify(parts), 'buffer').subarray(0, 16).toString('base64url')
}
