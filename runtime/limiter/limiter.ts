import { Stopped } from '../errors.ts'
import type { Limited, LimitKey, LimitLook } from '../queue/limits/told.ts'
import type { ServiceLimits } from '../topology/limits/limits.ts'
import type { FlightDeps, Flights } from './flights/flights.ts'
import { Slots } from './flights/slots.ts'
import type { PermitLine } from './line/line.ts'
import { Crowd } from './line/crowd.ts'
import type { Crowded } from './line/crowd.ts'
import { firstOf, Keys, usableIn } from './keys.ts'
import type { Counted, Key } from './keys.ts'
import type { LineDeps } from './line/deps.ts'
import { urgent } from './line/queue.ts'
import type { Waiting } from './line/queue.ts'
import { Pauses } from './pauses.ts'
import type { Tier } from './permits.ts'
import { limitId } from './rules.ts'
import { aheadMs } from './tiers.ts'

/**
 * What a bridge knows of limits: those of services, as declared, and what services asked for with 429. Before each call the bridge takes
 * leave here; afterwards it ends it.
 *
 * A call counts against one or two keys: its service's, and, where that has limits per tenant, its tenant's. It has a permit of each for the
 * same instant: the one that takes longest is waited for first, the other taken then.
 */
export interface Limiter {
  setService(name: string, limits: ServiceLimits | null): void
  /** `limited` null: forgotten. What asks for less than is known changes nothing, so it may come late, and twice. */
  setLimited(id: string, limited: Limited | null): void
  /** Null: nothing limits the call now, or it has its permits; `null` is never given while anything must be waited for. */
  take(call: Call): Pass | null
  /** Resolves with leave to call now, or a later time to be put off to. Rejects with `Stopped` when the signal aborts. */
  wait(call: Call, signal: AbortSignal): Promise<Pass | PutOff>
  /** What a call that waits here waits for now, as far as known here. */
  heldBy(call: Call): HeldBy
  /** No calls that count against the same key for so long: the service asked for it. */
  backOff(call: Counted, wait: BackOff): void
  /** Others have given up calls in flight, or want some. */
  poked(id: string): void
  look(): LimitLook[]
  close(): Promise<void>
}

/** `asked`: the service asked to wait (429). `in-flight`: others of the key are open, `max` at most. */
export type HeldBy = {
  readonly key: LimitKey
  /** When the first and the last of those who wait so go on, by `performance.now()`; null: nobody knows. */
  readonly until: { readonly first: number; readonly last: number } | null
} & (
  | { readonly kind: 'asked' }
  | { readonly kind: 'permit'; readonly tier: Tier | null }
  | { readonly kind: 'in-flight'; readonly max: number }
)

export interface Call extends Counted {
  readonly cost: number
  /** Its order needn't be kept: it can be put off. */
  readonly mayLeave: boolean
  /** How often it was put off before. */
  readonly timesAway: number
  /** Messages of the node that may be held at the same time. */
  readonly prefetch: number
  /** How many waited for a place of the node when it got its own. */
  readonly behind: number
  /** Called while it waits, when it will have leave in a moment; perhaps several times. */
  readonly soon?: (() => void) | undefined
}

/** For how long a service asks to wait; `retryAfterMs` null: it doesn't say. */
export interface BackOff {
  readonly delayMs: number
  readonly retryAfterMs: number | null
}

/** Leave for one call. */
export interface Pass {
  readonly kind: 'pass'
  /** False: its permits are void by now, or its service has asked to wait meanwhile. */
  mayCall(): boolean
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

const none: readonly Flights[] = []
/** Permits that are further apart are worth waiting for. */
const rareMs = 50
const sweepEveryMs = 10_000
/** Messages that are put off to the same instant come back spread over so long. */
const spreadMs = 1_000
const shortestMs = 250
/** Of the places of a node, over all bridges. */
const waitingPart = 0.75

export function openLimiter(deps: LimiterDeps): Limiter {
  return new OpenLimiter(deps)
}

class OpenLimiter implements Limiter {
  readonly #deps: LimiterDeps
  readonly #pauses: Pauses
  readonly #keys: Keys
  readonly #crowd = new Crowd()
  readonly #sweep: NodeJS.Timeout

  constructor(deps: LimiterDeps) {
    this.#deps = deps
    this.#pauses = new Pauses(deps.now)
    this.#keys = new Keys(deps, (id) => this.#pauses.until(id))
    this.#sweep = setInterval(() => {
      this.#keys.forgetIdle()
      this.#crowd.forgetIdle()
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
    if (this.#isPaused(keys)) return null
    let line: PermitLine | null = null
    let slots: Flights | null = null
    for (const { hasTiers, line: permits, flights } of keys) {
      // Two permits for one instant are taken in the slow way.
      if ((hasTiers && line !== null) || (flights !== null && slots !== null)) return null
      if (hasTiers) line = permits
      slots = flights ?? slots
    }
    const { nodeId, cost } = call
    if (line === null && slots === null && call.service === null) return this.#free(keys)
    const permit = line === null ? { at: now, cost } : line.take(cost)
    if (permit === null) return null
    if (slots?.take(nodeId) === false) {
      line?.giveBack(permit)
      return null
    }
    return this.#pass(call, keys, slots === null ? none : [slots], permit.at)
  }

  async wait(call: Call, signal: AbortSignal): Promise<Pass | PutOff> {
    const slots = new Slots(call.nodeId)
    const trying: Trying = { first: null }
    try {
      for (;;) {
        if (signal.aborted) throw new Stopped('waiting for a limit ended')
        const keys = this.#keys.of(call)
        this.#keys.hold(keys)
        try {
          const left = await this.#attempt({ call, keys, slots, trying, signal })
          if (left !== null) return left
        } finally {
          this.#keys.release(keys)
        }
      }
    } finally {
      slots.end()
    }
  }

  backOff(call: Counted, { delayMs, retryAfterMs }: BackOff): void {
    const key = this.#keys.narrowest(call)
    const id = limitId(key)
    const limited = this.#pauses.asked(id, key, delayMs, retryAfterMs)
    if (limited === null) return
    this.setLimited(id, limited)
    void this.#deps.tell(id, limited)
  }

  poked(id: string): void {
    this.#keys.flightsOf(id)?.poked()
  }

  look(): LimitLook[] {
    return [...this.#keys.all()].map(({ id, key, line, flights, meter }) => ({
      id,
      key,
      waiting: line.waiting + (flights?.waiting ?? 0),
      inFlight: flights?.open ?? 0,
      perSecond: meter.perSecond(this.#deps.now()),
      isAway: line.isAway || flights?.isAway === true,
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
    const now = this.#deps.now()
    const toHere = performance.now() - now
    if (paused !== null && paused.until > now) {
      const until = paused.until + toHere
      return { kind: 'asked', key: paused.key.key, until: { first: until, last: until } }
    }
    const [longest] = keys
      .filter(({ hasTiers }) => hasTiers)
      .map(({ key, line }) => ({ key, ...line.outlook() }))
      .sort((a, b) => b.last - a.last)
    for (const { key, flights } of keys)
      if (flights !== null && (longest?.last ?? 0) <= now)
        return { kind: 'in-flight', key, until: null, max: flights.max }
    const { key, tier = null, first = now, last = now } = longest ?? { key: this.#keys.narrowest(call) }
    return { kind: 'permit', key, tier, until: { first: first + toHere, last: last + toHere } }
  }

  /** Null: it was in vain. */
  async #attempt(attempt: Attempt): Promise<Pass | PutOff | null> {
    const { call, keys, slots } = attempt
    const paused = await this.#pause(attempt)
    if (paused === 'again') return null
    if (paused !== null) return paused
    // Who had a permit and no slot keeps the next slot for its next permit: without that, where all slots are busy, it might never have both. But not for long.
    if (keys.some(({ line, hasTiers }) => hasTiers && line.nextMs() > aheadMs)) slots.end()
    const left = await this.#permits(attempt)
    if (left === null || left.kind === 'put-off') return left
    const isPaused = this.#isPaused(keys)
    if (!isPaused && (slots.takeNow(keys) || (await this.#slotsInTime(left.at, attempt))))
      return this.#pass(call, keys, slots.keep(), left.at)
    for (const { line, hasTiers } of keys) if (hasTiers) line.giveBack({ at: left.at, cost: call.cost })
    // With the slot in hand it waits for another permit.
    return isPaused ? null : slots.take(keys, (key) => this.#slot(attempt, key))
  }

  /** Waits as long as the service asked to, and then `again`; null: it needn't. */
  async #pause({ call, keys, slots, signal }: Attempt): Promise<PutOff | 'again' | null> {
    const paused = this.#pauses.latest(keys)
    const leftMs = (paused?.until ?? 0) - this.#deps.now()
    if (paused === null || leftMs <= 0) return null
    if (call.mayLeave && paused.key.isOwn && leftMs > aheadMs)
      return { kind: 'put-off', delayMs: leftMs + Math.random() * spreadMs }
    slots.end()
    await this.#pauses.sleep(leftMs, signal)
    return 'again'
  }

  /** All permits for one instant: one is waited for, the others must come right after it, or it is given back. Null: that was in vain. */
  async #permits(attempt: Attempt): Promise<Granted | PutOff | null> {
    const { call, keys, slots, trying, signal } = attempt
    const limited = keys.filter(({ hasTiers }) => hasTiers)
    const first = limited.find(({ id }) => id === trying.first) ?? firstOf(limited)
    if (first === undefined) return { kind: 'permit', at: this.#deps.now() }
    const { nodeId, cost, timesAway, soon } = call
    // Who has a slot keeps others from it, so it comes first, and stays.
    const mayLeave = call.mayLeave && first.isOwn && !slots.areHeld
    const mustLeave = mayLeave && this.#mustLeave(call, first.line)
    // Where tenants have limits of their own they take turns at what all share: the next one may have no permit of its own.
    const place = first.isOwn || limited.length === 1 ? nodeId : `${nodeId} ${call.who ?? ''}`
    const turn = slots.areHeld ? urgent : place
    const waiting = { turn, cost, timesAway, mayLeave, mustLeave, soon }
    const left = await first.line.wait(waiting, signal)
    if (left.kind === 'turn') return this.#until(left.at)
    let got: Granted | null = null
    try {
      got = await this.#others({ first, at: left.at, waiting }, attempt)
      return got
    } finally {
      if (got === null) first.line.giveBack({ at: left.at, cost })
    }
  }

  /** Where the next permit comes late, who has one is before others while it can be used. False: that was in vain. */
  async #slotsInTime(at: number, attempt: Attempt): Promise<boolean> {
    const { keys, slots } = attempt
    if (!keys.some(({ line, hasTiers }) => hasTiers && line.lossMs > rareMs)) return false
    const gone = new AbortController()
    const timer = setTimeout(() => gone.abort(), Math.max(0, usableIn(keys) - (this.#deps.now() - at)))
    const signal = AbortSignal.any([gone.signal, attempt.signal])
    try {
      return (await slots.take(keys, (key) => this.#slot({ ...attempt, signal }, key, urgent))) === null
    } catch (error) {
      if (attempt.signal.aborted) throw error
      return false
    } finally {
      clearTimeout(timer)
    }
  }

  /** Permits of the other keys. Null: one doesn't come so soon; the next time it is waited for: sooner or later that is the one that binds. */
  async #others({ first, at, waiting }: First, { keys, trying, signal }: Attempt): Promise<Granted | null> {
    const limited = keys.filter(({ hasTiers }) => hasTiers)
    const leftMs = (): number => usableIn(limited) - (this.#deps.now() - at)
    if (leftMs() < 0) return null
    let earliest = at
    for (const other of limited) {
      if (other === first) continue
      const permit = await other.line.within(leftMs(), waiting, signal)
      if (permit === null) {
        trying.first = other.id
        return null
      }
      earliest = Math.min(earliest, permit.at)
    }
    return { kind: 'permit', at: earliest }
  }

  /** Waits until a call in flight may be made; null: it may, and must be ended. */
  async #slot({ call, signal }: Attempt, { flights, isOwn }: Key, turn = call.nodeId): Promise<PutOff | null> {
    if (flights === null || flights.take(call.nodeId)) return null
    const mayLeave = call.mayLeave && isOwn && turn !== urgent
    const mustLeave = mayLeave && this.#mustLeave(call, flights)
    const { nodeId, timesAway } = call
    const left = await flights.wait({ turn, nodeId, cost: 1, mayLeave, mustLeave, timesAway }, signal)
    return left.kind === 'turn' ? this.#until(left.at) : null
  }

  /** Messages that wait for keys of their own never take all places of their node. */
  #mustLeave({ nodeId, prefetch, timesAway, behind }: Call, key: Crowded): boolean {
    return this.#crowd.enter(nodeId, key, this.#placesOf(prefetch), {
      wasAway: timesAway > 0,
      mayStay: behind <= prefetch,
    })
  }

  #until(at: number): PutOff {
    return { kind: 'put-off', delayMs: Math.max(shortestMs, at - this.#deps.now()) }
  }

  /** How many messages of a node may wait here for permits of their own. */
  #placesOf(prefetch: number): number {
    return Math.max(1, Math.floor((prefetch * waitingPart) / Math.max(1, this.#deps.bridges())))
  }

  #isPaused(keys: readonly Key[]): boolean {
    return (this.#pauses.latest(keys)?.until ?? 0) > this.#deps.now()
  }

  /** Nothing is counted of it. */
  #free(keys: readonly Key[]): Pass {
    return { kind: 'pass', mayCall: () => !this.#isPaused(keys), end: () => undefined }
  }

  #pass(call: Call, keys: readonly Key[], slots: readonly Flights[], at: number): Pass {
    const now = this.#deps.now()
    const begunAt = performance.now()
    const until = begunAt + usableIn(keys) - (now - at)
    for (const { meter } of keys) meter.count(now)
    this.#keys.hold(keys)
    return {
      kind: 'pass',
      mayCall: () => performance.now() <= until && !this.#isPaused(keys),
      end: (cost = call.cost) => {
        this.#keys.release(keys)
        for (const one of slots) one.end(call.nodeId, performance.now() - begunAt)
        if (cost === call.cost) return
        for (const { line, hasTiers } of keys) if (hasTiers) void line.charge(at, cost - call.cost)
      },
    }
  }
}

/** One call that waits, by the limits that hold now. */
interface Attempt {
  readonly call: Call
  readonly keys: readonly Key[]
  readonly slots: Slots
  readonly trying: Trying
  readonly signal: AbortSignal
}

/** The permit that was waited for. */
interface First {
  readonly first: Key
  readonly at: number
  readonly waiting: Waiting
}

interface Granted {
  readonly kind: 'permit'
  readonly at: number
}

/** Which key is waited for next; null: as it seems best. */
interface Trying {
  first: string | null
}
