import { nextInstant, noPermits } from '../../../limiter/permits.ts'
import type { PermitState, Tier } from '../../../limiter/permits.ts'
import { limitId, tiersOf } from '../../../limiter/rules.ts'
import type { Looks } from '../../../queue/control.ts'
import { askedOf } from '../../../queue/limits/told.ts'
import type { Limited, LimitKey, LimitLook, LimitsAsked } from '../../../queue/limits/told.ts'
import { scopeOf } from '../../../topology/limits/limits.ts'
import type { Scope, ServiceLimits } from '../../../topology/limits/limits.ts'
import type { ApiDeps } from '../../deps.ts'
import { eachOf } from '../look/each.ts'
import { declaredPerSecond } from './forecast.ts'

/** What is known of one key of a service. */
export interface KeyFacts {
  readonly who: string | null
  readonly scope: Scope
  readonly tiers: readonly Tier[]
  /** As it is reserved, by the last who did. */
  readonly state: PermitState
  readonly looks: readonly (LimitLook & { readonly bridge: string })[]
  /** The service's last request to wait, within a day; null: it never asked. */
  readonly limited: Limited | null
}

type Deps = Pick<ApiDeps, 'queues'>

/** Entries that are read side by side. */
const atOnce = 16

/** Where all bridges and all of NATS are asked of a service's keys. */
export interface Known {
  readonly looks: Looks
  readonly limited: ReadonlyMap<string, Limited>
}

/** The service's own key, and those per tenant that were asked for, in order; one more than `limit` when there are more. */
export async function keysOf(
  deps: Deps,
  service: ServiceLimits,
  { looks, limited }: Known,
  asked: LimitsAsked,
): Promise<{ readonly shared: KeyFacts; readonly own: readonly KeyFacts[] }> {
  const wide: LimitKey = { kind: 'service', service: service.name, who: null, isOwn: false }
  const found = new Map<string, LimitKey>()
  const add = (key: LimitKey): void => void found.set(limitId(key), key)
  if (isPerTenant(service)) {
    for (const look of looks.looks) for (const { key } of look.limits ?? []) add(key)
    for (const { key } of limited.values()) add(key)
    if (asked.who !== undefined) add({ ...wide, who: asked.who, isOwn: true })
  }
  const own = askedOf(
    [...found.values()].map((key) => ({ key })),
    asked,
  ).flatMap(({ key }) => (key.kind === 'service' && key.isOwn ? [key] : []))
  const facts = await eachOf([wide, ...own], atOnce, (key) => factsOf(deps, service, key, { looks, limited }))
  const [shared, ...rest] = facts as [KeyFacts, ...KeyFacts[]]
  return { shared, own: rest }
}

/** Whether its calls have keys of their own. */
export function isPerTenant({ limits, inFlightScope }: ServiceLimits): boolean {
  return inFlightScope === 'tenant' || limits.some((limit) => scopeOf(limit) === 'tenant')
}

async function factsOf(
  { queues }: Deps,
  service: ServiceLimits,
  key: Extract<LimitKey, { kind: 'service' }>,
  { looks, limited }: Known,
): Promise<KeyFacts> {
  const id = limitId(key)
  const scope = key.isOwn ? 'tenant' : 'global'
  const tiers = tiersOf(service, scope)
  const { state } = tiers.length === 0 ? { state: null } : await queues.cell(id)
  return {
    who: key.who,
    scope,
    tiers,
    state: state === null ? noPermits : (JSON.parse(state) as PermitState),
    looks: looks.looks.flatMap(({ bridge, limits = [] }) =>
      limits.filter((look) => look.id === id).map((look) => ({ ...look, bridge })),
    ),
    limited: limited.get(id) ?? null,
  }
}

/** No calls before; 0: now. */
export const pausedUntil = ({ limited }: KeyFacts): number => (limited === null ? 0 : Date.parse(limited.until))

const timeText = (ms: number): string => new Date(ms).toISOString()

const sumOf = <T>(all: readonly T[], of: (one: T) => number): number => all.reduce((sum, one) => sum + of(one), 0)

export function showKey(facts: KeyFacts, { maxInFlight, inFlightScope }: ServiceLimits, now: number) {
  const { who, scope, tiers, state, looks, limited } = facts
  const until = pausedUntil(facts)
  const isCounted = maxInFlight !== null && inFlightScope === scope
  return {
    who,
    scope,
    waiting: sumOf(looks, ({ waiting }) => waiting),
    inFlight: isCounted ? sumOf(looks, ({ inFlight }) => inFlight) : null,
    ratePerSecond: Math.round(sumOf(looks, ({ perSecond }) => perSecond) * 10) / 10,
    declaredPerSecond: declaredPerSecond(tiers),
    pausedUntil: until > now ? timeText(until) : null,
    asked: limited && {
      at: limited.at,
      until: limited.until,
      retryAfterMs: limited.retryAfterMs,
      times: limited.times,
    },
    nextPermitAt: timeText(Math.max(nextInstant(state, tiers, Math.max(now, until), 1), now)),
    turnsEndAt: state.turn > now ? timeText(state.turn) : null,
    awayBridges: looks.filter(({ isAway }) => isAway).map(({ bridge }) => bridge),
  }
}
