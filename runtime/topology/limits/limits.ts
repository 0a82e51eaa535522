import type { Fault } from '../../errors.ts'

/**
 * What an external system takes, as it is declared at its service: requests per period, in one or several tiers, and calls at the same
 * time. Pure.
 */
export interface ServiceLimits {
  readonly name: string
  readonly limits: readonly Limit[]
  /** Calls that may be open at the same time; null: as many as you like. */
  readonly maxInFlight: number | null
  /** Whose calls are counted together for `maxInFlight`. */
  readonly inFlightScope: Scope
}

/** `rate` requests in any `per`. */
export interface Limit {
  readonly rate: number
  readonly per: Period
  /**
   * How many may come at once before the rest comes evenly, as from a token bucket; so in one period there may be so many more. Without it
   * those of a limit per second come evenly, and one of a longer period may be used up as fast as the others let it.
   */
  readonly burst?: number | undefined
  readonly scope?: Scope | undefined
}

export const periods = ['second', 'minute', 'hour', 'day'] as const
export type Period = (typeof periods)[number]
export const scopes = ['global', 'tenant'] as const
export type Scope = (typeof scopes)[number]

export const periodMs = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const satisfies Record<
  Period,
  number
>

/** The most that one call may count as. */
export const limitCostMax = 10_000

export const scopeOf = ({ scope }: Limit): Scope => scope ?? 'global'

/** What contradicts itself; empty when all can hold. Paths begin with `limits`. */
export function limitFaults(limits: readonly Limit[]): Fault[] {
  return limits.flatMap((limit, index) =>
    limits.slice(0, index).flatMap((other) => {
      const message =
        twice(other, limit) ??
        unreachable(other, limit) ??
        unreachable(limit, other) ??
        tooMuchAtOnce(other, limit) ??
        tooMuchAtOnce(limit, other)
      return message === null ? [] : [{ path: `limits[${index}]`, message }]
    }),
  )
}

function twice(one: Limit, other: Limit): string | null {
  if (one.per !== other.per || scopeOf(one) !== scopeOf(other)) return null
  return `there are two limits per ${one.per} of scope ${scopeOf(one)}; keep one`
}

/** Whoever counts more calls over a longer time and allows fewer. */
function unreachable(inner: Limit, outer: Limit): string | null {
  if (!isWithin(inner, outer) || inner.rate <= outer.rate) return null
  return `${words(inner)} can never be reached with ${words(outer)}; lower the first or raise the second`
}

/** Whoever lets more come at once than the other in its whole time. */
function tooMuchAtOnce(inner: Limit, outer: Limit): string | null {
  const { burst = 1 } = inner
  const most = outer.rate + (outer.burst ?? 1) - 1
  if (!isWithin(inner, outer) || burst <= most) return null
  return `a burst of ${burst} of ${words(inner)} can never come with ${words(outer)}; lower the burst to ${most}, or raise the second`
}

/** Does each call of the one count against the other, too, and for as long? */
const isWithin = (inner: Limit, outer: Limit): boolean =>
  periodMs[inner.per] <= periodMs[outer.per] && (scopeOf(inner) === 'tenant' || scopeOf(outer) === 'global')

/** For people. */
export const words = ({ rate, per, scope }: Limit): string =>
  `${rate} per ${per}${scope === 'tenant' ? ' and tenant' : ''}`
