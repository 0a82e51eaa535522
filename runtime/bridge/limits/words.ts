import type { HeldBy } from '../../limiter/limiter.ts'
import type { Tier } from '../../limiter/permits.ts'
import type { LimitKey } from '../../queue/limits/told.ts'

/** Why a call waits at a limit, for people. `named`: its worker named whose limit it is, or else it is the tenant's. */
export function waitText(held: HeldBy, named: boolean): string {
  const { kind, key } = held
  switch (kind) {
    case 'asked':
      return `since ${whose(key, named)} asked to wait (429)`
    case 'permit':
      return `for a permit of ${whose(key, named)}${held.tier === null ? '' : `: ${tierText(held.tier)}`}`
    case 'in-flight':
      return `for a place among the calls in flight of ${whose(key, named)}: ${held.max} at most`
    default:
      return kind satisfies never
  }
}

const tierText = ({ id, kind, rate }: Tier): string => `${rate} per ${id}${kind === 'quota' ? ' are used up' : ''}`

function whose(key: LimitKey, named: boolean): string {
  if (key.kind === 'node') return 'the worker of the node'
  const of = key.who === null ? '' : ` (${named ? 'key' : 'tenant'} ${key.who})`
  return `service ${key.service}${of}`
}
