import type { ServiceLimit } from '../../client/openapi.d.ts'

/** As `sluice service add --limit` takes them. */
export function limitsText(limits: readonly ServiceLimit[]): string {
  return limits.map(limitText).join('; ')
}

function limitText({ rate, per, burst, scope }: ServiceLimit): string {
  const more = [burst === undefined ? '' : `,burst=${burst}`, scope === 'tenant' ? ',scope=tenant' : '']
  return `${rate}/${per}${more.join('')}`
}
