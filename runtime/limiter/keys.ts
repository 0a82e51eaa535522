import type { LimitKey } from '../queue/limits/told.ts'
import type { ServiceLimits } from '../topology/limits/limits.ts'
import type { FlightDeps } from './flights/flights.ts'
import { Flights } from './flights/flights.ts'
import { PermitLine } from './line/line.ts'
import type { LineDeps } from './line/deps.ts'
import { Meter } from './meter.ts'
import { limitId, tiersOf } from './rules.ts'

/** A key that is used here. */
export interface Key {
  readonly id: string
  readonly key: LimitKey
  readonly line: PermitLine
  /** Null: any number of calls may be open. */
  flights: Flights | null
  hasTiers: boolean
  /** Others go on while this one waits. */
  readonly isOwn: boolean
  readonly meter: Meter
  /** Calls that wait for it, or are open. */
  users: number
  usedAt: number
}

/** What of a call says against which keys it counts. */
export interface Counted {
  readonly nodeId: string
  /** Null: none; then only what its worker asks for limits it. */
  readonly service: string | null
  /** Of limits per tenant. */
  readonly who: string | null
}

const idleMs = 60_000

/** The limits of services, as declared, and the keys of the calls that count against them. */
export class Keys {
  readonly #deps: LineDeps & FlightDeps
  /** Until when a key's service asked to wait. */
  readonly #pausedUntil: (id: string) => number
  readonly #services = new Map<string, ServiceLimits>()
  /** Those that have anything that is counted by tenants. */
  readonly #perTenant = new Set<string>()
  readonly #keys = new Map<string, Key>()
  /** By what makes them, so that no id is hashed for each call. */
  readonly #byCall = new Map<string, readonly Key[]>()

  constructor(deps: LineDeps & FlightDeps, pausedUntil: (id: string) => number) {
    this.#deps = deps
    this.#pausedUntil = pausedUntil
  }

  setService(name: string, limits: ServiceLimits | null): void {
    if (limits === null) this.#services.delete(name)
    else this.#services.set(name, limits)
    if (limits !== null && (limits.inFlightScope === 'tenant' || tiersOf(limits, 'tenant').length > 0))
      this.#perTenant.add(name)
    else this.#perTenant.delete(name)
    this.#byCall.clear()
    for (const key of this.#keys.values()) if (key.key.kind === 'service' && key.key.service === name) this.#arm(key)
  }

  get(id: string): Key | undefined {
    return this.#keys.get(id)
  }

  /** Calls in flight that are shared under this id. */
  flightsOf(id: string): Flights | null {
    return this.#keys.get(id.slice(0, -flightsId('').length))?.flights ?? null
  }

  all(): Iterable<Key> {
    return this.#keys.values()
  }

  /** The keys that the call counts against, in a fixed order. */
  of(counted: Counted): readonly Key[] {
    const { nodeId, service, who } = counted
    const own = service !== null && who !== null && this.#isPerTenant(service) ? ` ${who}` : ''
    const text = service === null ? nodeId : `${service.length} ${service}${own}`
    const known = this.#byCall.get(text)
    const keys = known ?? this.#make(counted)
    if (known === undefined) this.#byCall.set(text, keys)
    const now = this.#deps.now()
    for (const key of keys) key.usedAt = now
    return keys
  }

  /** Whom a 429 is for: the tenant, where limits are counted by tenants. */
  narrowest({ nodeId, service, who }: Counted): LimitKey {
    if (service === null) return { kind: 'node', nodeId }
    const isOwn = this.#isPerTenant(service)
    return { kind: 'service', service, who: isOwn ? who : null, isOwn }
  }

  /** They are kept until they are released: who holds one goes by it, however long it waits. */
  hold(keys: readonly Key[]): void {
    for (const key of keys) key.users++
  }

  release(keys: readonly Key[]): void {
    const now = this.#deps.now()
    for (const key of keys) {
      key.users--
      key.usedAt = now
    }
  }

  forgetIdle(): void {
    const now = this.#deps.now()
    for (const [id, key] of this.#keys) {
      if (now - key.usedAt < idleMs || !isIdle(key)) continue
      key.line.close()
      this.#keys.delete(id)
      this.#byCall.clear()
    }
  }

  async close(): Promise<void> {
    const closing: Promise<void>[] = []
    for (const { line, flights } of this.#keys.values()) {
      line.close()
      if (flights !== null) closing.push(flights.close())
    }
    await Promise.all(closing)
  }

  #make({ nodeId, service, who }: Counted): Key[] {
    if (service === null) return [this.#key({ kind: 'node', nodeId })]
    const own = this.#isPerTenant(service) ? [this.#key({ kind: 'service', service, who, isOwn: true })] : []
    return [this.#key({ kind: 'service', service, who: null, isOwn: false }), ...own]
  }

  #isPerTenant(service: string): boolean {
    return this.#perTenant.has(service)
  }

  #key(key: LimitKey): Key {
    const id = limitId(key)
    const known = this.#keys.get(id)
    if (known !== undefined) return known
    const line = new PermitLine(id, key, this.#deps)
    const isOwn = key.kind === 'service' && key.isOwn
    const usedAt = this.#deps.now()
    const made: Key = { id, key, line, flights: null, hasTiers: false, isOwn, meter: new Meter(), users: 0, usedAt }
    this.#keys.set(id, made)
    this.#arm(made)
    line.setPaused(this.#pausedUntil(id))
    return made
  }

  /** Gives a key the limits that are declared now. */
  #arm(key: Key): void {
    if (key.key.kind === 'node') return
    const limits = this.#services.get(key.key.service)
    const scope = key.isOwn ? 'tenant' : 'global'
    const tiers = limits === undefined ? [] : tiersOf(limits, scope)
    key.hasTiers = tiers.length > 0
    key.line.setTiers(tiers)
    const max = limits !== undefined && limits.inFlightScope === scope ? limits.maxInFlight : null
    if (key.flights !== null) key.flights.setMax(max ?? Infinity)
    else if (max !== null) key.flights = new Flights(flightsId(key.id), key.key, max, this.#deps)
  }
}

const flightsId = (id: string): string => `${id}.flights`

const isIdle = ({ users, line, flights }: Key): boolean => users === 0 && line.isIdle && (flights?.isIdle ?? true)

/** How late permits of all these keys may be; `Infinity`: there are none. */
export function usableIn(keys: readonly Key[]): number {
  let least = Infinity
  for (const { line, hasTiers } of keys) if (hasTiers) least = Math.min(least, line.usableMs)
  return least
}

/** A tenant's own, unless it has permits at once: what all share is not to be kept by who can't use it. */
export function firstOf(limited: readonly Key[]): Key | undefined {
  const own = limited.find(({ isOwn }) => isOwn)
  return own !== undefined && own.line.estimateMs() > own.line.usableMs ? own : limited[0]
}
