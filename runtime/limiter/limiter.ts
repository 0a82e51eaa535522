import { Stopped } from '../errors.ts'
import type { Limited, LimitKey, LimitLook } from '../queue/limits/told.ts'
import type { ServiceLimits } from '../topology/limits/limits.ts'
import type { FlightDeps, Flights } from './flights.ts'
import { Keys } from './keys.ts'
import type { Counted, Key } from './keys.ts'
import { aheadMs } from './line.ts'
import type { LineDeps } from './line.ts'
import { Pauses } from './pauses.ts'
import { limitId, usableMs } from './rules.ts'

/**
 * What a bridge knows of limits: those of services, as declared, and what services asked for with 429. Before each call the bridge takes
 * leave here; afterwards it ends it.
 *
 * A call counts against one or two keys: its service's, and, where that has limits per tenant, its tenant's. It has a permit of each for the
 * same instant: the one that takes longest is waited for first, the other taken then.
 */
export interface Limiter {
  setService(name: string, limits: ServiceLimits | null): void
  /** `limited` null: forgotten. */
  setLimited(id: string, limited: Limited | null): void
  /** Null: nothing limits the call now, or it has its permits; `null` is never given while anything must be waited for. */
  take(call: Call): Pass | null
  /** Resolves with leave to call now, or a later time to be put off to. Rejects with `Stopped` when the signal aborts. */
  wait(call: Call, signal: AbortSignal): Promise<Pass | PutOff>
  /** When the call may be made, by `performance.now()`, as far as known here. */
  until(call: Call): number
  /** What the call waits for, as far as known here. */
  heldBy(call: Call): HeldBy
  /** No calls that count against the same key for so long: the service asked for it. */
  backOff(call: Call, wait: BackOff): void
  /** Others have given up calls in flight, or want some. */
  poked(id: string): void
  look(): LimitLook[]
  close(): Promise<void>
}

/** `asked`: the service asked to wait (429). `in-flight`: others of the key are open. */
export interface HeldBy {
  readonly kind: 'asked' | 'permit' | 'in-flight'
  readonly key: LimitKey
}

export interface Call extends Counted {
  readonly cost: number
  /** Its order needn't be kept: it can be put off. */
  readonly mayLeave: boolean
  /** It was put off before. */
  readonly wasAway: boolean
}

/** For how long a service asks to wait; `retryAfterMs` null: it doesn't say. */
export interface BackOff {
  readonly delayMs: number
  readonly retryAfterMs: number | null
}

/** Leave for one call. */
export interface Pass {
  readonly kind: 'pass'
  /** By `performance.now()`: it is void then. */
  readonly until: number
  /** The call is over, or was never made; `cost` is what it cost, when that differs from what was said. Must be called once. */
  end(cost?: number): void
}

export interface PutOff {
  readonly kind: 'put-off'
  readonly delayMs: number
}

interface LimiterDeps extends LineDeps, FlightDeps {
  /** Tells all bridges that the key is limited; resolves whatever comes of it. */
  readonly tell: (id: string, limited: Limited) => Promise<void>
  /** Called when it is closed. */
  readonly release: () => void
}

const sweepEveryMs = 10_000
/** Messages that are put off to the same instant come back spread over so long. */
const spreadMs = 1_000
const free: Pass = { kind: 'pass', until: Infinity, end: () => undefined }

export function openLimiter(deps: LimiterDeps): Limiter {
  return new OpenLimiter(deps)
}

class OpenLimiter implements Limiter {
  readonly #deps: LimiterDeps
  readonly #pauses: Pauses
  readonly #keys: Keys
  readonly #sweep: NodeJS.Timeout

  constructor(deps: LimiterDeps) {
    this.#deps = deps
    this.#pauses = new Pauses(deps.now)
    this.#keys = new Keys(deps, (id) => this.#pauses.until(id))
    this.#sweep = setInterval(() => {
      this.#keys.forgetIdle()
      this.#pauses.forgetOld()
    }, sweepEveryMs).unref()
  }

  setService(name: string, limits: ServiceLimits | null): void {
    this.#keys.setService(name, limits)
    this.#pauses.wake()
  }

  setLimited(id: string, limited: Limited | null): void {
    this.#pauses.set(id, limited)
    this.#keys.get(id)?.line.setPaused(this.#pauses.until(id))
  }

  take(call: Call): Pass | null {
    const keys = this.#keys.of(call)
    const now = this.#deps.now()
    if ((this.#pauses.latest(keys)?.until ?? 0) > now) return null
    const limited = keys.filter(({ hasTiers }) => hasTiers)
    const flying = keys.filter(({ flights }) => flights !== null)
    const [only] = limited
    if (only === undefined && flying.length === 0) return call.service === null ? free : this.#pass(call, keys, [], now)
    // Two permits for one instant are taken in the slow way.
    if (limited.length > 1 || flying.length > 1) return null
    const permit = only === undefined ? { at: now } : only.line.take(call.cost)
    if (permit === null || flying[0]?.flights?.take() === false) return null
    return this.#pass(
      call,
      keys,
      flying.flatMap(({ flights }) => flights ?? []),
      permit.at,
    )
  }

  async wait(call: Call, signal: AbortSignal): Promise<Pass | PutOff> {
    const slots = new Slots()
    try {
      for (;;) {
        if (signal.aborted) throw new Stopped('waiting for a limit ended')
        const keys = this.#keys.of(call)
        const paused = await this.#pause(call, keys, signal)
        if (paused === 'again') continue
        if (paused !== null) return paused
        const left = await this.#permits(call, keys, signal)
        if (left === null) continue
        if (left.kind === 'put-off') return left
        await slots.take(call, keys, signal)
        // Who had to wait for a slot needs another permit, and has the slot already.
        if (this.#deps.now() - left.at < usableMs) return this.#pass(call, keys, slots.keep(), left.at)
      }
    } finally {
      slots.end()
    }
  }

  until(call: Call): number {
    const now = this.#deps.now()
    const keys = this.#keys.of(call)
    const waits = keys.map(({ line, hasTiers }) => (hasTiers ? line.estimateMs() : 0))
    return performance.now() + Math.max((this.#pauses.latest(keys)?.until ?? 0) - now, 0, ...waits)
  }

  backOff(call: Call, { delayMs, retryAfterMs }: BackOff): void {
    const key = this.#keys.narrowest(call)
    const id = limitId(key)
    const limited = this.#pauses.asked(id, key, delayMs, retryAfterMs)
    if (limited === null) return
    this.setLimited(id, limited)
    void this.#deps.tell(id, limited)
  }

  poked(id: string): void {
    for (const { flights } of this.#keys.all()) if (flights?.id === id) flights.look()
  }

  look(): LimitLook[] {
    return [...this.#keys.all()].map(({ id, key, line, flights, meter }) => ({
      id,
      key,
      waiting: line.waiting + (flights?.waiting ?? 0),
      inFlight: flights?.open ?? 0,
      perSecond: meter.perSecond(this.#deps.now()),
      isAway: line.isAway,
    }))
  }

  async close(): Promise<void> {
    clearInterval(this.#sweep)
    await this.#keys.close()
    this.#deps.release()
  }

  heldBy(call: Call): HeldBy {
    const keys = this.#keys.of(call)
    const paused = this.#pauses.latest(keys)
    if (paused !== null && paused.until > this.#deps.now()) return { kind: 'asked', key: paused.key.key }
    const [longest] = keys
      .filter(({ hasTiers }) => hasTiers)
      .map((key) => ({ key, ms: key.line.estimateMs() }))
      .sort((a, b) => b.ms - a.ms)
    const flying = keys.find(({ flights }) => flights !== null)
    if (flying !== undefined && (longest?.ms ?? 0) <= 0) return { kind: 'in-flight', key: flying.key }
    return { kind: 'permit', key: (longest?.key ?? keys[0])?.key ?? { kind: 'node', nodeId: call.nodeId } }
  }

  /** Waits as long as the service asked to, and then `again`; null: it needn't. */
  async #pause(call: Call, keys: readonly Key[], signal: AbortSignal): Promise<PutOff | 'again' | null> {
    const paused = this.#pauses.latest(keys)
    const leftMs = (paused?.until ?? 0) - this.#deps.now()
    if (paused === null || leftMs <= 0) return null
    if (call.mayLeave && paused.key.isOwn && leftMs > aheadMs)
      return { kind: 'put-off', delayMs: leftMs + Math.random() * spreadMs }
    await this.#pauses.sleep(leftMs, signal)
    return 'again'
  }

  /** All permits for one instant. Null: one of them came too late for the others. */
  async #permits(
    { nodeId, cost, mayLeave, wasAway }: Call,
    keys: readonly Key[],
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'permit'; readonly at: number } | PutOff | null> {
    const limited = keys.filter(({ hasTiers }) => hasTiers)
    const [first, ...others] = limited.sort((a, b) => b.line.estimateMs() - a.line.estimateMs())
    if (first === undefined) return { kind: 'permit', at: this.#deps.now() }
    const left = await first.line.wait({ nodeId, cost, wasAway, mayLeave: mayLeave && first.isOwn }, signal)
    if (left.kind === 'turn') return { kind: 'put-off', delayMs: Math.max(0, left.at - this.#deps.now()) }
    let earliest = left.at
    for (const { line } of others) {
      const permit = await line.soon(cost)
      if (permit === null || this.#deps.now() - left.at >= usableMs) return null
      earliest = Math.min(earliest, permit.at)
    }
    return { kind: 'permit', at: earliest }
  }

  #pass(call: Call, keys: readonly Key[], slots: readonly Flights[], at: number): Pass {
    const now = this.#deps.now()
    for (const { meter } of keys) meter.count(now)
    return {
      kind: 'pass',
      until: performance.now() + usableMs - (now - at),
      end: (cost = call.cost) => {
        for (const one of slots) one.end()
        if (cost === call.cost) return
        for (const { line, hasTiers } of keys) if (hasTiers) void line.charge(at, cost - call.cost)
      },
    }
  }
}

/** Calls in flight that are held for a call that isn't made yet. */
class Slots {
  #held: Flights[] = []

  async take({ nodeId, wasAway }: Call, keys: readonly Key[], signal: AbortSignal): Promise<void> {
    for (const { flights } of keys) {
      if (flights === null || this.#held.includes(flights)) continue
      if (!flights.take()) await flights.wait({ nodeId, cost: 1, mayLeave: false, wasAway }, signal)
      this.#held.push(flights)
    }
  }

  /** They are the caller's from now on. */
  keep(): readonly Flights[] {
    const held = this.#held
    this.#held = []
    return held
  }

  end(): void {
    for (const one of this.keep()) one.end()
  }
}
