import type { Service, ServiceLimit } from '../../api/engine.ts'
import { grouped } from '../../parts/show/format.ts'

/** `40 a second`, `2 a second and tenant, 10 at once`. */
export function limitText({ rate, per, scope, burst }: ServiceLimit): string {
  const whose = scope === 'tenant' ? ' and tenant' : ''
  const atOnce = burst === undefined ? '' : `, ${grouped(burst)} at once`
  return `${grouped(rate)} a ${per}${whose}${atOnce}`
}

export function inFlightText({ maxInFlight, inFlightScope }: Pick<Service, 'maxInFlight' | 'inFlightScope'>): string {
  if (maxInFlight === null) return 'no limit'
  return `${grouped(maxInFlight)} ${inFlightScope === 'tenant' ? 'of each tenant' : 'of all'}`
}
