import { textOf } from '../../errors.ts'
import { isRefused } from '../../queue/limits/cells.ts'
import type { Cells } from '../../queue/limits/cells.ts'
import type { LimitKey } from '../../queue/limits/told.ts'
import type { Log } from '../../telemetry/log.ts'
import { SharedCell } from '../cell.ts'
import { Queue } from '../line/queue.ts'
import type { Leave, Waiter, Waiting } from '../line/queue.ts'
import { claim, leaseMs, left, noFlights, turnMs } from './claim.ts'
import type { Claim, FlightState } from './claim.ts'
import { FlightPace } from './pace.ts'

/**
 * Calls of one key that are open at the same time, over all bridges.
 *
 * A bridge:  holds none ⇄ holds some, of which so many are open · away (NATS doesn't keep the state)
 * A waiter:  waiting ─▶ has a place · has a turn (to be put off until then) · given up (its signal aborted)
 *
 * F1  What bridges hold together is never more than `max`: they take it by compare-and-set on the key's shared state (claim.ts, cell.ts).
 * F2  No more calls are open here than are held here; what a bridge gives up it doesn't use from that moment on.
 * F3  What is held is a lease, renewed while the bridge lives: of one that dies it comes back after `leaseMs`. No call is begun by a lease from
 *     a second before its end on, but while the server itself says that it keeps none of anybody: then all go on with what they hold.
 * F4  Who wants more gets a fair share: bridges that hold more than theirs give it up as their calls end. Each change is told to the others, which
 *     look then: nobody asks again and again.
 * F5  Who must leave, since it takes a place of its node that others need, gets a turn: when it is likely to have a place, by how long calls take.
 */
const renewMs = 4_000
/** So long after its last call a bridge keeps what it holds. */
const idleMs = 1_000
/** Calls may take less time by and by: nobody is put off for longer. */
const waitMaxMs = 3_600_000
/** The same of its fair share, while others wait for it. */
const keptMs = 20
/** Who may have a free place has taken it by then, or is gone. */
const takenMs = 25
/** What others tell can be lost. */
const lostMs = 1_000
/** A lease is used no longer than to here before its end. */
const leaseMarginMs = 1_000

export interface FlightDeps {
  readonly bridgeId: string
  readonly cells: Cells
  readonly now: () => number
  /** Tells other bridges that they should look again. */
  readonly poke: (id: string) => void
  readonly log: Log
}

export class Flights {
  readonly id: string
  readonly #key: LimitKey
  readonly #deps: FlightDeps
  readonly #cell: SharedCell<FlightState>
  readonly #queue = new Queue()
  #max: number
  #open = 0
  /** By node. */
  readonly #openIn = new Map<string, number>()
  #have = 0
  /** As of the last claim. */
  #claimed: Pick<Claim, 'share' | 'free' | 'areOthersShort'> = { share: Infinity, free: 0, areOthersShort: false }
  /** When it had more than before. */
  #gotAt = 0
  /** Since when others leave a place free that is wanted here. */
  #leftSince = Infinity
  /** The end of its lease. */
  #until = 0
  #endedAt = 0
  #asking: Promise<void> | null = null
  #hasAsked = false
  #again = false
  /** Others may have changed the state. */
  #isTold = false
  #isClosed = false
  #isAway = false
  /** Until then leases that have run out are believed. */
  #graceUntil = 0
  readonly #pace: FlightPace
  #timer: NodeJS.Timeout | null = null

  constructor(id: string, key: LimitKey, max: number, deps: FlightDeps) {
    this.id = id
    this.#key = key
    this.#max = max
    this.#deps = deps
    this.#cell = new SharedCell(deps.cells, id, noFlights)
    this.#pace = new FlightPace(deps.now)
  }

  get open(): number {
    return this.#open
  }

  /** `Infinity`: as many as you like. */
  get max(): number {
    return this.#max
  }

  get waiting(): number {
    return this.#queue.length
  }

  get isIdle(): boolean {
    return this.#open === 0 && this.#queue.length === 0 && (this.#have === 0 || !this.isLimited)
  }

  /** NATS doesn't keep the state: no more is had than there was. */
  get isAway(): boolean {
    return this.#isAway
  }

  /** `Infinity`: as many as you like; what is open is counted all the same. */
  setMax(max: number): void {
    if (max === this.#max) return
    this.#max = max
    this.#give()
    this.#look()
  }

  get isLimited(): boolean {
    return this.#max !== Infinity
  }

  /** True: the call may be made, and must be ended. */
  take(nodeId: string): boolean {
    if (this.#queue.length > 0 || this.#open >= this.#allowed) return false
    this.#begin(nodeId)
    return true
  }

  /** Resolves with a place, which must be ended then, or a turn to be put off to. Rejects with `Stopped` when the signal aborts. */
  wait(waiting: Waiting, signal: AbortSignal): Promise<Leave> {
    // Where none was open and nobody waited, it says nothing that none has ended for long.
    if (this.#open + this.#queue.length === 0) this.#pace.restart()
    const leaving = this.#queue.join(waiting, signal)
    this.#give()
    if (this.#queue.length > 0) this.#look()
    return leaving
  }

  waitingIn(nodeId: string): number {
    return this.#queue.countIn(nodeId)
  }

  openIn(nodeId: string): number {
    return this.#openIn.get(nodeId) ?? 0
  }

  /** Nobody knows when calls will end. */
  get isNear(): boolean {
    return false
  }

  hasNew(nodeId: string): boolean {
    return this.#queue.hasNew(nodeId)
  }

  /** Of those that wait at a node. */
  putOffNewest(nodeId: string): void {
    this.#queue.evictNewest(nodeId)
    this.#look()
  }

  /** `tookMs`: how long the call took; null: it was never made. */
  end(nodeId: string, tookMs: number | null): void {
    this.#count(nodeId, -1)
    this.#pace.ended(tookMs)
    this.#endedAt = this.#deps.now()
    const had = this.#have
    const { areOthersShort, share } = this.#claimed
    const isOver = had > this.#open && (areOthersShort || had > share) && this.#claim(this.#cell.known).have < had
    if (isOver) this.#look()
    this.#give()
    if (this.#have > this.#open && !isOver) this.#later()
  }

  /** Somebody else wants some, or has given some up. */
  poked(): void {
    this.#isTold = true
    this.#look()
  }

  /** Gives up what is held; what is open ends by itself. */
  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    if (!this.#hasAsked) return
    // What is asked for now would be held after all.
    await this.#asking
    await this.#cell.update((state) => ({ state: left(state, this.#deps.bridgeId) })).catch(() => undefined)
    this.#deps.poke(this.id)
  }

  get #allowed(): number {
    if (!this.isLimited) return Infinity
    return this.#deps.now() < this.#until - leaseMarginMs ? this.#have : 0
  }

  #give(): void {
    while (this.#queue.length > 0 && this.#open < this.#allowed) {
      const waiter = this.#queue.next(1)
      if (waiter === null) return
      this.#begin(waiter.nodeId ?? waiter.turn)
      waiter.leave({ kind: 'permit', at: 0 })
    }
  }

  #begin(nodeId: string): void {
    this.#count(nodeId, 1)
    this.#pace.restart()
  }

  #count(nodeId: string, change: 1 | -1): void {
    this.#open += change
    const open = this.openIn(nodeId) + change
    if (open > 0) this.#openIn.set(nodeId, open)
    else this.#openIn.delete(nodeId)
  }

  #look(): void {
    if (!this.isLimited || this.#isClosed) return
    if (this.#asking !== null) this.#again = true
    else this.#asking = this.#ask()
  }

  async #ask(): Promise<void> {
    this.#hasAsked = true
    this.#again = false
    if (this.#isTold) this.#cell.forget()
    this.#isTold = false
    try {
      const claimed = await this.#cell.update((state) => this.#claim(state))
      this.#setAway(null)
      this.#hold(claimed)
      leaveAt(claimed.turns)
    } catch (error) {
      this.#setAway(error)
      // Leases of others run out in the state meanwhile, though they go on, too.
      if (isRefused(error)) this.#until = this.#deps.now() + leaseMs
      leaveAt(this.#turns(this.#cell.known, true).turns)
    }
    this.#asking = null
    this.#give()
    this.#later()
  }

  #hold({ state, have, want, share, free, areOthersShort, isNews }: Claim): void {
    if (have > this.#have) this.#gotAt = this.#deps.now()
    this.#have = have
    this.#until = state.holders[this.#deps.bridgeId]?.until ?? 0
    this.#claimed = { share, free, areOthersShort }
    const isLeft = have < want && have < free
    this.#leftSince = isLeft ? Math.min(this.#leftSince, this.#deps.now()) : Infinity
    if (isNews && (have < want || areOthersShort)) this.#deps.poke(this.id)
  }

  /** What this bridge holds from now on. What it gives up it doesn't use any more from this moment, since somebody else may have it at once. */
  #claim(before: FlightState): Claim & { readonly turns: readonly Turn[] } {
    const now = this.#deps.now()
    if (this.#isAway) this.#graceUntil = now + renewMs + leaseMarginMs
    const leaving = this.#queue.evicted().length
    const claimed = claim(before, {
      bridgeId: this.#deps.bridgeId,
      max: this.#max,
      now,
      open: this.#open,
      waiting: this.#queue.length - leaving,
      isKept: now - this.#endedAt < idleMs,
      justHad: now - this.#endedAt < keptMs ? this.#have : 0,
      isTurnOver: this.#have > 0 && now - this.#gotAt >= turnMs,
      isLeft: now - this.#leftSince >= takenMs,
      areBelieved: now < this.#graceUntil,
    })
    this.#have = Math.min(this.#have, claimed.have)
    if (leaving === 0) return { ...claimed, turns: [] }
    const { turn, turns } = this.#turns(before, claimed.free > this.#open)
    return { ...claimed, state: { ...claimed.state, turn }, turns }
  }

  /** Places in the line of turns for those who must leave. While some are free nobody stands in it any more. */
  #turns({ turn = 0 }: FlightState, areFree: boolean): { readonly turn: number; readonly turns: readonly Turn[] } {
    const now = this.#deps.now()
    const leaving = this.#queue.evicted()
    const everyMs = this.#pace.everyMs(this.#max)
    const first = Math.max(areFree ? 0 : turn, now + (this.#queue.length - leaving.length + 1) * everyMs)
    const turns = leaving.map((waiter, place) => ({ waiter, at: Math.min(first + place * everyMs, now + waitMaxMs) }))
    return { turn: first + leaving.length * everyMs, turns }
  }

  #setAway(error: unknown): void {
    if (this.#isAway === (error !== null)) return
    this.#isAway = error !== null
    const { log } = this.#deps
    const limit = this.#key
    if (error === null) log.info('calls in flight are shared by all bridges again', { limit })
    else
      log.warn("who may have calls in flight can't be kept in NATS", { limit, have: this.#have, error: textOf(error) })
  }

  /** Looks again: when others may have left a place, when its lease must be renewed, and when it needs none any more. */
  #later(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#isClosed || this.isIdle) return
    if (this.#again || this.#queue.evicted().length > 0) return this.#look()
    this.#timer = setTimeout(() => (this.#queue.length > 0 ? this.poked() : this.#look()), this.#restMs()).unref()
  }

  #restMs(): number {
    if (this.#queue.length > 0) return this.#leftSince === Infinity ? lostMs : takenMs
    if (this.#have > this.#open && this.#claimed.areOthersShort) return keptMs
    return this.#open > 0 ? renewMs : idleMs
  }
}

interface Turn {
  readonly waiter: Waiter
  readonly at: number
}

function leaveAt(turns: readonly Turn[]): void {
  for (const { waiter, at } of turns) waiter.leave({ kind: 'turn', at })
}
