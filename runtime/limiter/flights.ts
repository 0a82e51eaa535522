import { textOf } from '../errors.ts'
import type { Cells } from '../queue/limits/cells.ts'
import type { Log } from '../telemetry/log.ts'
import { SharedCell } from './cell.ts'
import { Queue } from './line/queue.ts'
import type { Leave, Waiter, Waiting } from './line/queue.ts'
import { FlightPace } from './pace.ts'

/**
 * Calls of one key that are open at the same time, over all bridges.
 *
 * A bridge:  holds none ⇄ holds some, of which so many are open · away (NATS doesn't keep the state: it goes on with what it holds)
 * A waiter:  waiting ─▶ has a place · has a turn (to be put off until then) · given up (its signal aborted)
 *
 * F1  What bridges hold together is never more than `max`: they take it by compare-and-set on the key's shared state (cell.ts).
 * F2  No more calls are open here than are held here; what a bridge gives up it doesn't use from that moment on.
 * F3  What is held is a lease, renewed while the bridge lives: of one that dies it comes back after `leaseMs`. A lease is used no longer than to
 *     a second before its end.
 * F4  Who wants more gets a fair share: bridges that hold more than theirs give it up as their calls end.
 * F5  Who must leave, since it takes a place of its node that others need, gets a turn: when it is likely to have a place, by how long calls take.
 */
export interface FlightState {
  readonly holders: Readonly<Record<string, Holder>>
  /** Where the line of turns ends. */
  readonly turn?: number
}

interface Holder {
  readonly have: number
  readonly want: number
  /** By the server's clock. */
  readonly until: number
}

const leaseMs = 10_000
const renewMs = 4_000
/** So long after its last call a bridge keeps what it holds. */
const idleMs = 1_000
/** Calls may take less time by and by: nobody is put off for longer. */
const turnMaxMs = 3_600_000
/** Whose turn it is to have one, when there are fewer than bridges that want one. */
const rotateMs = 500
const none: FlightState = { holders: {} }
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
  readonly #deps: FlightDeps
  readonly #cell: SharedCell<FlightState>
  readonly #queue = new Queue()
  #max: number
  #open = 0
  /** By node. */
  readonly #openIn = new Map<string, number>()
  #have = 0
  /** Of what it has: more than that is given up as calls end. */
  #share = Infinity
  /** Other bridges want more than they have. */
  #areOthersShort = false
  #renewedAt = 0
  #endedAt = 0
  #isAsking = false
  #isClosed = false
  #isAway = false
  /** Until then leases that have run out are believed. */
  #graceUntil = 0
  #told = { what: '', at: 0 }
  #again = false
  readonly #pace: FlightPace
  #timer: NodeJS.Timeout | null = null

  constructor(id: string, max: number, deps: FlightDeps) {
    this.id = id
    this.#max = max
    this.#deps = deps
    this.#cell = new SharedCell(deps.cells, id, none)
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

  /** `Infinity`: as many as you like; what is open is counted all the same. */
  setMax(max: number): void {
    if (max === this.#max) return
    this.#max = max
    this.#give()
    this.look()
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
    const left = this.#queue.join(waiting, signal)
    this.#give()
    if (this.#queue.length > 0) this.look()
    return left
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
    this.look()
  }

  /** `tookMs`: how long the call took; null: it was never made. */
  end(nodeId: string, tookMs: number | null): void {
    this.#count(nodeId, -1)
    this.#pace.ended(tookMs)
    this.#endedAt = this.#deps.now()
    const isIdle = this.#open === 0 && this.#queue.length === 0
    const isOver = this.#have > this.#open && (this.#have > this.#share || (isIdle && this.#areOthersShort))
    if (isOver) {
      this.#have = Math.max(this.#open, isIdle ? 0 : this.#share)
      this.look()
    }
    this.#give()
    if (this.#open === 0 && !isOver) this.#later()
  }

  /** Somebody else wants some, or has given some up. */
  look(): void {
    void this.#ask()
  }

  /** Gives up what is held; what is open ends by itself. */
  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    if (this.#have === 0) return
    const { bridgeId } = this.#deps
    const leave = ({ holders, ...rest }: FlightState) => {
      const { [bridgeId]: _, ...others } = holders
      return { state: { ...rest, holders: others } }
    }
    await this.#cell.update(leave).catch(() => undefined)
    this.#deps.poke(this.id)
  }

  get #allowed(): number {
    if (!this.isLimited) return Infinity
    return this.#deps.now() - this.#renewedAt < leaseMs - leaseMarginMs ? this.#have : 0
  }

  #give(): void {
    while (this.#queue.length > 0 && this.#open < this.#allowed) {
      const waiter = this.#queue.next(1)
      if (waiter === null) return
      this.#begin(waiter.turn)
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

  async #ask(): Promise<void> {
    if (!this.isLimited || this.#isClosed) return
    if (this.#isAsking) return void (this.#again = true)
    this.#isAsking = true
    this.#again = false
    try {
      const { have, want, share, mayOthers, turns } = await this.#cell.update((state) => this.#claim(state))
      this.#have = have
      this.#share = share
      this.#areOthersShort = mayOthers
      this.#renewedAt = this.#deps.now()
      this.#tell(`${have}/${want}/${share}`, have < share || mayOthers)
      leaveAt(turns)
    } catch (error) {
      this.#deps.log.debug('calls in flight are not shared', { limit: this.id, error: textOf(error) })
      // It goes on with what it has. Leases of others run out in the state meanwhile, though they go on, too.
      this.#renewedAt = this.#deps.now()
      this.#isAway = true
      leaveAt(this.#turns(this.#cell.known, true).turns)
    } finally {
      this.#isAsking = false
      this.#give()
      this.#later()
    }
  }

  /** Others look again when something has changed for them, and now and then as long as this bridge is short of some. */
  #tell(what: string, isOfUse: boolean): void {
    const now = this.#deps.now()
    const isNew = what !== this.#told.what
    if (!isOfUse || (!isNew && now - this.#told.at < rotateMs)) return
    this.#told = { what, at: now }
    this.#deps.poke(this.id)
  }

  /** What this bridge holds from now on. What it gives up it doesn't use any more from this moment, since somebody else may have it at once. */
  #claim(before: FlightState) {
    const { holders } = before
    const now = this.#deps.now()
    const { bridgeId } = this.#deps
    if (this.#isAway) this.#graceUntil = now + renewMs + leaseMarginMs
    this.#isAway = false
    const isLiving = ([id, { until }]: [string, Holder]): boolean =>
      id !== bridgeId && (until > now || now < this.#graceUntil)
    const living = Object.entries(holders).filter(isLiving)
    // What was just used is kept for the next call, unless somebody else waits for it.
    const isKept = now - this.#endedAt < idleMs && !living.some(([, other]) => other.want > other.have)
    const { turn, turns } = this.#turns(
      before,
      this.#max > living.reduce((sum, [, { have }]) => sum + have, this.#open),
    )
    const want = Math.min(this.#open + this.#queue.length - turns.length || (isKept ? 1 : 0), this.#max)
    const share = shareOf(bridgeId, want, living, this.#max, Math.floor(now / rotateMs))
    const taken = living.reduce((sum, [, { have }]) => sum + have, 0)
    const free = Math.max(0, this.#max - taken)
    const have = Math.max(Math.min(share, free), this.#open)
    this.#have = Math.min(this.#have, have)
    const mayOthers = living.some(([, other]) => other.want > other.have)
    const own = holders[bridgeId]
    const isKnown = own?.have === have && own.want === want && own.until - now > leaseMs - renewMs / 2
    if (isKnown && turns.length === 0) return { state: before, have, want, share, mayOthers, turns }
    const rest = Object.fromEntries(living)
    const state: FlightState = {
      holders: want === 0 && have === 0 ? rest : { ...rest, [bridgeId]: { have, want, until: now + leaseMs } },
      ...(turn > now && { turn }),
    }
    return { state, have, want, share, mayOthers, turns }
  }

  /** Places in the line of turns for those who must leave. While some are free nobody stands in it any more. */
  #turns({ turn = 0 }: FlightState, areFree: boolean): { readonly turn: number; readonly turns: readonly Turn[] } {
    const now = this.#deps.now()
    const leaving = this.#queue.evicted()
    const everyMs = this.#pace.everyMs(this.#max)
    const first = Math.max(areFree ? 0 : turn, now + (this.#queue.length - leaving.length + 1) * everyMs)
    const turns = leaving.map((waiter, place) => ({ waiter, at: Math.min(first + place * everyMs, now + turnMaxMs) }))
    return { turn: leaving.length === 0 ? turn : first + leaving.length * everyMs, turns }
  }

  /** Looks again: when it is short of some, when its lease must be renewed, and when it needs none any more. */
  #later(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#again) return this.look()
    if (this.#queue.evicted().length > 0) return this.look()
    if (this.isIdle) return
    const ms = this.#queue.length > 0 ? rotateMs : this.#open > 0 ? renewMs : idleMs
    this.#timer = setTimeout(() => this.look(), ms).unref()
  }
}

interface Turn {
  readonly waiter: Waiter
  readonly at: number
}

function leaveAt(turns: readonly Turn[]): void {
  for (const { waiter, at } of turns) waiter.leave({ kind: 'turn', at })
}

/** A fair share: nobody has more while another who wants some has less; what is left over goes round. */
function shareOf(
  id: string,
  want: number,
  others: readonly (readonly [id: string, holder: Pick<Holder, 'want'>])[],
  max: number,
  turn: number,
): number {
  const all = [[id, want] as const, ...others.map(([other, holder]) => [other, holder.want] as const)]
  const inTurn = all.sort(([a], [b]) => (a < b ? -1 : 1))
  const first = inTurn.length === 0 ? 0 : turn % inTurn.length
  const order = [...inTurn.slice(first), ...inTurn.slice(0, first)]
  const shares = new Map(order.map(([one]) => [one, 0]))
  for (let left = max, moved = true; left > 0 && moved;) {
    moved = false
    for (const [one, wanted] of order) {
      const has = shares.get(one) ?? 0
      if (left === 0 || has >= wanted) continue
      shares.set(one, has + 1)
      left--
      moved = true
    }
  }
  return shares.get(id) ?? 0
}
