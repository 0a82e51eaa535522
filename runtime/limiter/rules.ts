import { hash } from 'node:crypto'
import type { LimitKey } from '../queue/limits/told.ts'
import { periodMs, scopeOf } from '../topology/limits/limits.ts'
import type { Limit, Scope, ServiceLimits } from '../topology/limits/limits.ts'
import type { Tier } from './permits.ts'

/** Part of the rate that is left free: for permits that are used late, and for clocks that differ. */
export const headRoom = 0.04
/**
 * A permit is used so long after its instant at most. Of a limit of one second, head-room is 40 ms: the rest of it is for what the call takes on
 * its way, and for the error of the clocks.
 */
export const usableMs = 15

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
