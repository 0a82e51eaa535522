import { textOf } from '../../errors.ts'
import type { LimitKey } from '../../queue/limits/told.ts'
import type { LineDeps } from './deps.ts'
import { SharedCell } from '../cell.ts'
import { Demand } from './demand.ts'
import { nextInstant, noPermits, turnEveryMs } from '../permits.ts'
import type { Permit, PermitState, Tier } from '../permits.ts'
import { Queue, urgent } from './queue.ts'
import type { Leave, Waiting } from './queue.ts'
import { Owed } from './owed.ts'
import { Pool } from './pool.ts'
import { charged, outlookOf, sharesOf } from './reckon.ts'
import type { Charge, Outlook } from './reckon.ts'
import { hasQuota, roundOf, stockMs } from './round.ts'
import type { Round } from './round.ts'
import { usableOf } from '../rules.ts'
import { aheadMs } from '../tiers.ts'

/**
 * Who waits here, at one bridge, for permits of one key, and the permits that this bridge has reserved.
 *
 * A waiter:  waiting ─▶ has a permit · has a turn (to be put off until then) · given up (its signal aborted)
 * A permit:  reserved ─▶ due (its instant has come) ─▶ used · void (so much too late that it could be one too many)
 * The line:  shared ⇄ away (NATS doesn't keep the state)
 *
 * L1  No instant is given twice: permits are reserved by compare-and-set on the key's shared state (cell.ts), and those of a bridge that
 *     dies are lost.
 * L2  A permit is used from its instant on, and no later than `usableMs` after it, by the clock of the server.
 * L3  As many are reserved as there are nodes that wait, or as come in 20 ms, whichever is more: so a bridge with one message waiting has
 *     its turn as often as one with a thousand, and a high rate needs few writes. While nothing waits for long, those of the next 15 ms, too.
 * L4  Nodes take turns; within a node it is first come, first served. Who costs more than can be had soon keeps nobody waiting who costs
 *     less, and room is kept for it.
 * L5  Who would wait for more than two seconds and may leave is given a place in the line of turns instead.
 * L6  While it is away, a bridge goes on with its share of the rate, and owns up when NATS is back.
 */
const roundMs = 20
const retryMs = 1_000
/** Who will have a permit is told so long before. */
const soonMs = 100
/** Who comes back for its turn waits no longer than this, as a rule: it comes before its permit (turns.ts). */
const nearMs = 600
/** A call for which there is no room is thought of again so often: others may have given up. */
const dearMs = 30_000

export class PermitLine {
  readonly id: string
  readonly #key: LimitKey
  readonly #deps: LineDeps
  readonly #cell: SharedCell<PermitState>
  readonly #queue = new Queue()
  readonly #owed = new Owed()
  #tiers: readonly Tier[] = []
  #usableMs = usableOf([])
  #pausedUntil = 0
  readonly #pool = new Pool()
  #isReserving = false
  /** A reservation before would give nothing to those who stay and cost so much. */
  #notBefore = 0
  #tooDear = Infinity
  /** How often what a reservation goes by was changed. */
  #changes = 0
  /** Somebody came since the last reservation. */
  #isNews = false
  #timer: NodeJS.Timeout | null = null
  #awayUntil = 0
  #isAway = false
  readonly #demand = new Demand()
  readonly #charges: Charge[] = []
  /** Costs of those who have given up while room was kept for them. */
  readonly #gone: number[] = []

  constructor(id: string, key: LimitKey, deps: LineDeps) {
    this.id = id
    this.#key = key
    this.#deps = deps
    this.#cell = new SharedCell(deps.cells, id, noPermits)
  }

  get waiting(): number {
    return this.#queue.length
  }

  /** A permit may be used so long after its instant. */
  get usableMs(): number {
    return this.#usableMs
  }

  /** A permit that isn't used is lost, and the next one comes so much later. */
  get lossMs(): number {
    return turnEveryMs(this.#tiers.filter(({ kind }) => kind === 'paced'))
  }

  waitingIn(nodeId: string): number {
    return this.#queue.countIn(nodeId)
  }

  /** Whoever has a permit waits no more. */
  openIn(): number {
    return 0
  }

  get isNear(): boolean {
    return this.estimateMs() <= nearMs
  }

  hasNew(nodeId: string): boolean {
    return this.#queue.hasNew(nodeId)
  }

  /** Of those that wait at a node. */
  putOffNewest(nodeId: string): void {
    this.#queue.evictNewest(nodeId)
    this.#pump()
  }

  /** NATS doesn't keep the state: it goes on with this bridge's share. */
  get isAway(): boolean {
    return this.#isAway
  }

  get isIdle(): boolean {
    return this.#queue.length === 0 && !this.#isReserving && this.#owed.isEmpty
  }

  /** A change acts at once; permits that are reserved stay. */
  setTiers(tiers: readonly Tier[]): void {
    this.#tiers = tiers
    this.#usableMs = usableOf(tiers)
    this.#again()
  }

  /** No permits before this instant. */
  setPaused(until: number): void {
    if (until === this.#pausedUntil) return
    this.#pausedUntil = until
    if (until > this.#deps.now()) this.#empty()
    this.#again()
  }

  /** How long somebody who comes now would wait, in milliseconds, as far as this bridge knows. */
  estimateMs(): number {
    const now = this.#deps.now()
    const due = this.#pool.firstAfter(now - this.#usableMs)
    if (due !== Infinity && this.#queue.length === 0) return Math.max(0, due - now)
    const waits = this.#queue.length * turnEveryMs(this.#tiers)
    return nextInstant(this.#cell.known, this.#tiers, Math.max(now, this.#pausedUntil), 1) - now + waits
  }

  /** As `estimateMs`, of who comes before all others. */
  nextMs(): number {
    const now = this.#deps.now()
    const due = this.#pool.firstAfter(now - this.#usableMs)
    const next =
      due === Infinity ? nextInstant(this.#cell.known, this.#tiers, Math.max(now, this.#pausedUntil), 1) : due
    return next - now
  }

  /** How those who wait here stand, as far as this bridge knows. */
  outlook(): Outlook {
    const [now, known] = [this.#deps.now(), this.#cell.known]
    const reserved = this.#pool.permits.filter(({ at }) => at >= now - this.#usableMs)
    return outlookOf(known, this.#tiers, { from: Math.max(now, this.#pausedUntil), reserved, count: this.waiting })
  }

  /** A permit for now, if one is there and nobody waits for it. */
  take(cost: number): Permit | null {
    const now = this.#deps.now()
    if (this.#queue.length > 0 || this.#tiers.length === 0) return null
    this.#drop(now)
    const permit = this.#pool.take(now, cost)
    this.#demand.count(now)
    // What is left lasts for longer than a write takes: the later, the fewer there are.
    if (permit !== null && this.#pool.permits.length <= this.#demand.within(stockMs, now) / 3) void this.#reserve()
    return permit
  }

  /** Resolves with a permit for now, or a place in the line of turns. Rejects with `Stopped` when the signal aborts. */
  wait(waiting: Waiting, signal: AbortSignal): Promise<Leave> {
    this.#demand.count(this.#deps.now())
    const left = this.#queue.join(waiting, signal)
    left.catch(() => this.#giveUp(waiting.cost))
    this.#isNews = true
    this.#pump()
    return left
  }

  /** A permit within so many milliseconds; null when there is none so soon. Rejects with `Stopped` when the signal aborts. */
  async within(ms: number, waiting: Waiting, signal: AbortSignal): Promise<{ readonly at: number } | null> {
    const taken = this.take(waiting.cost)
    if (taken !== null || ms <= 0) return taken
    const late = AbortSignal.timeout(Math.ceil(ms))
    const any = AbortSignal.any([late, signal])
    const now = { ...waiting, turn: urgent, mayLeave: false, mustLeave: false }
    return this.wait(now, any).catch((error: unknown) => {
      if (signal.aborted) throw error
      return null
    })
  }

  /** A permit that wasn't used: somebody else may have it, if it isn't too late. */
  giveBack(permit: Permit): void {
    this.#pool.keep([permit])
    this.#pump()
  }

  #giveUp(cost: number): void {
    const isKept = this.#cell.known.kept?.some((one) => one.cost === cost) === true
    if (isKept && !this.#queue.hasCost(cost)) this.#gone.push(cost)
    this.#pump()
  }

  /** A call has cost something else than its permit said. */
  async charge(at: number, extra: number): Promise<void> {
    this.#charges.push({ at, extra })
    if (!this.#isReserving) await this.#reserve()
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  #again(): void {
    this.#changes++
    this.#isNews = true
    this.#notBefore = 0
    this.#pump()
  }

  /** Drops what is void, gives what is due, and reserves for those who wait. */
  #pump(): void {
    const now = this.#deps.now()
    this.#give(now)
    if (this.#pool.firstAt <= now + soonMs) this.#queue.announce()
    if (this.#isAway && now >= this.#awayUntil) void this.#own()
    if (!this.#isReserving && this.#hasReason(now)) void this.#reserve()
    this.#sleep(now)
  }

  #give(now: number): void {
    this.#drop(now)
    this.#pool.offer(now, ({ at, cost }) => {
      const waiter = this.#queue.next(cost)
      waiter?.leave({ kind: 'permit', at })
      return waiter !== null
    })
  }

  #drop(now: number): void {
    this.#empty(now - this.#usableMs)
  }

  /** Quotas have back what nobody used. */
  #empty(before = Infinity): void {
    const dropped = this.#pool.drop(before)
    if (this.#hasQuota) for (const { at, cost } of dropped) this.#charges.push({ at, extra: -cost })
  }

  #hasReason(now: number): boolean {
    return this.#charges.length + this.#gone.length > 0 || (this.#queue.length > 0 && this.#mayReserve(now))
  }

  get #hasQuota(): boolean {
    return hasQuota(this.#tiers)
  }

  #mayReserve(now: number): boolean {
    if (this.#queue.evicted().length > 0) return true
    return now >= this.#wantedFrom() || (this.#isNews && this.#queue.mayLeave)
  }

  /** Until something is due, or can be reserved again. */
  #sleep(now: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const dropped = this.#hasQuota ? this.#pool.firstAt + this.#usableMs + 1 : Infinity
    const waited = this.#queue.length > 0 ? this.#nextOf(now) : Infinity
    const until = Math.min(this.#isAway ? this.#awayUntil : Infinity, dropped, waited)
    if (until === Infinity) return
    this.#timer = setTimeout(() => this.#pump(), Math.min(Math.max(0, until - now), 2_147_483_647))
  }

  /** When something is due for those who wait, or can be reserved for them. */
  #nextOf(now: number): number {
    const due = Math.min(this.#pool.firstAt, this.#pool.firstAfter(now + soonMs) - soonMs)
    return this.#isReserving ? due : Math.min(due, this.#wantedFrom())
  }

  /** From when on a reservation gives something to those who wait. */
  #wantedFrom(): number {
    const wanted = this.#wanted()
    if (wanted.length === 0) return Infinity
    return wanted.some((cost) => cost < this.#tooDear) ? 0 : this.#notBefore
  }

  /** Costs of those who shall have a permit next, less what is reserved. */
  #wanted(): number[] {
    return this.#queue.wanted(this.#perNode(), this.#pool.permits)
  }

  /** For each node that waits. */
  #perNode(): number {
    const everyMs = turnEveryMs(this.#tiers)
    return everyMs === 0 ? Infinity : Math.max(1, Math.ceil(roundMs / everyMs / Math.max(1, this.#queue.nodes)))
  }

  async #reserve(): Promise<void> {
    if (this.#isReserving) return
    this.#isReserving = true
    this.#isNews = false
    const charges = this.#charges.splice(0)
    const gone = this.#gone.splice(0)
    const isOwed = this.#isAway
    const changes = this.#changes
    try {
      const round = await this.#change((state, tiers) => this.#round(charged(state, tiers, charges), tiers, gone))
      // What a call gave back may be counted already, and the instants after it are given away.
      if (isOwed || this.#isAway)
        for (const { at, extra } of charges) if (extra > 0) this.#owed.add({ at, cost: extra })
      for (const { waiter, at } of round.turns) waiter.leave({ kind: 'turn', at })
      this.#pool.keep(round.permits)
      this.#rest(changes === this.#changes ? round : null)
    } finally {
      this.#isReserving = false
      this.#pump()
    }
  }

  /** Null: what the last round went by isn't so any more. */
  #rest(round: Round | null): void {
    const next = round?.next ?? null
    this.#tooDear = next === null ? Infinity : (round?.tooDear ?? Infinity)
    this.#notBefore = next === null ? 0 : next - aheadMs
    if (this.#tooDear > 1) this.#notBefore = Math.min(this.#notBefore, this.#deps.now() + dearMs)
  }

  #round(state: PermitState, tiers: readonly Tier[], gone: readonly number[]): Round {
    const now = this.#deps.now()
    return roundOf(state, tiers, {
      now,
      from: Math.max(now, this.#pausedUntil),
      aheadMs,
      queue: this.#queue,
      wanted: this.#wanted(),
      pool: this.#pool.permits,
      gone,
      soon: this.#demand.within(stockMs, now),
    })
  }

  async #change(change: (state: PermitState, tiers: readonly Tier[]) => Round): Promise<Round> {
    if (this.#isAway) return this.#alone(change)
    try {
      return await this.#cell.update((state) => change(state, this.#tiers))
    } catch (error) {
      this.#setAway(error)
      return this.#alone(change)
    }
  }

  /** With this bridge's share of the rate, from what is known. */
  #alone(change: (state: PermitState, tiers: readonly Tier[]) => Round): Round {
    const tiers = sharesOf(this.#tiers, this.#cell.stored, Math.max(1, this.#deps.bridges()))
    const changed = change(this.#cell.known, tiers)
    this.#cell.assume(changed.state)
    for (const permit of changed.permits) this.#owed.add(permit)
    return changed
  }

  /** Counts in what was used, when NATS keeps the state again. */
  async #own(): Promise<void> {
    this.#awayUntil = Infinity
    const owed = this.#owed.take()
    try {
      await this.#cell.update((state) => ({ state: owed.addTo(state, this.#tiers, this.#deps.now()) }))
      // What was used meanwhile is owed, too.
      if (this.#owed.isEmpty) this.#setAway(null)
      else this.#awayUntil = this.#deps.now()
    } catch {
      this.#owed.put(owed)
      this.#awayUntil = this.#deps.now() + retryMs
    }
    this.#pump()
  }

  #setAway(error: unknown): void {
    if (this.#isAway === (error !== null)) return
    this.#isAway = error !== null
    this.#awayUntil = this.#deps.now() + retryMs
    const { log } = this.#deps
    if (error === null) log.info('a limit is shared by all bridges again', { limit: this.#key })
    else
      log.warn("what is reserved of a limit can't be kept in NATS: this bridge goes on with its share of the rate", {
        limit: this.#key,
        bridges: this.#deps.bridges(),
        error: textOf(error),
      })
  }
}
