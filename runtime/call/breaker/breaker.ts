import type { Reach } from '../reach.ts'

/**
 * Whether calls may be made to an instance of a worker, or from a node: decided from what the calls before have shown.
 *
 *   closed ──refused, or most calls fail──▶ open ──its time is over──▶ probing ──good──▶ ramping ──▶ closed
 *                                            ▲─────────── bad ───────────┴───────────────────┘
 *
 * B1  open: no call. probing: one call at most, and none while `asksHealth`. ramping: 1, 2, 4, … at once.
 * B2  a ratio opens a closed breaker only when the failures come from three messages or more (I9).
 * B3  it is open for 250 ms, then twice as long each time until a step of the ramp is good, at most 30 s (5 s where connections
 *     are refused).
 * B4  what was begun before it opened last doesn't count.
 *
 * Pure: no clock, no timer, no I/O. Times are monotonic milliseconds and come in.
 */
export type BreakerState = 'closed' | 'open' | 'probing' | 'ramping'

/** What a call shows of whom it called. `nothing` is for waits (429) and for calls that we gave up ourselves. */
export type Showing = { readonly kind: 'good' | 'nothing' } | Fault

/** What asking for health has shown; `absent`: it says nothing of its health, so that one message has to show it. */
export type Probed = { readonly kind: 'good' | 'absent' } | Fault

interface Fault {
  /** `refused`: no connection was taken, so that it opens at once. */
  readonly kind: 'bad' | 'refused'
  readonly why: string
}

export interface BreakerOptions {
  /** Probing begins with a question for health (`probed`) instead of a call. */
  readonly asksHealth: boolean
  /** [0, 1), for jitter. */
  readonly random: () => number
}

const openMs = { first: 250, max: 30_000, refusedMax: 5_000 }
/** A step of the ramp ends when its calls are answered, or after so long without a failure: calls may take hours. */
const stepMs = 1_000
/** Who has shown that so many calls work at once isn't held back any more. */
const levelMax = 32

export class Breaker {
  readonly #options: BreakerOptions
  readonly #recent = new Recent()
  #state: BreakerState = 'closed'
  #reason: string | null = null
  #dueAt: number | null = null
  #epoch = 0
  /** Calls of this epoch that are open, and how many may be. */
  #calls = 0
  #level = Infinity
  #openings = 0
  #lacks: Reach = 'answers'
  /** The message whose failure opened it last. */
  #culprit: string | null = null
  #step = { results: 0, bad: 0 }

  constructor(options: BreakerOptions) {
    this.#options = options
  }

  get state(): BreakerState {
    return this.#state
  }

  /** Why it isn't closed; null when it is. */
  get reason(): string | null {
    return this.#reason
  }

  /** When `due` wants to be called; null: nothing happens by itself. */
  get dueAt(): number | null {
    return this.#dueAt
  }

  /** While it isn't closed: what it failed to show last. */
  get lacks(): Reach {
    return this.#lacks
  }

  get epoch(): number {
    return this.#epoch
  }

  get admits(): boolean {
    return this.#calls < this.#level
  }

  /** Somebody has to ask for health and to say so with `probed`. */
  get asksHealth(): boolean {
    return this.#state === 'probing' && this.#level === 0
  }

  /** A call is begun, which `admits` must allow; the answer is for `end`. */
  begin(): number {
    this.#calls++
    return this.#epoch
  }

  /**
   * A call that began in `epoch` is over. `message` is the id of its message; `isWanted`: others wait to be called.
   * True when there may be room for others, or another state.
   */
  end(epoch: number, showing: Showing, message: string, now: number, isWanted: boolean): boolean {
    if (epoch !== this.#epoch) return false
    this.#calls--
    if (showing.kind === 'nothing') return this.#state !== 'closed'
    if (showing.kind === 'refused') this.#open(showing.why, 'answers', message, now)
    else if (this.#state === 'closed') return this.#endClosed(showing, message, now)
    else if (this.#state === 'probing') this.#endProbe(showing, message, now)
    else this.#endStep(showing, message, now, isWanted)
    return true
  }

  /** The time that `dueAt` named may have come. */
  due(now: number, isWanted: boolean): void {
    if (this.#dueAt === null || now < this.#dueAt) return
    if (this.#state === 'open') this.#enter('probing', this.#options.asksHealth ? 0 : 1, null)
    else if (this.#stepFails()) this.#open(this.#reason ?? '', 'called', null, now)
    else this.#nextStep(now, isWanted)
  }

  /** What the question for health has shown that was asked in `epoch`. */
  probed(epoch: number, probed: Probed, now: number): void {
    if (epoch !== this.#epoch || !this.asksHealth) return
    if (probed.kind === 'refused') this.#open(probed.why, 'answers', null, now)
    else if (probed.kind === 'bad') this.#open(probed.why, 'healthy', null, now)
    // Where connections were refused, it is good enough that one was taken; otherwise a message has to show it.
    else if (probed.kind === 'good' || this.#lacks === 'answers') this.#ramp(now)
    else this.#enter('probing', 1, null)
  }

  /** Whom it watches is somebody else now. */
  reset(): void {
    this.#epoch++
    this.#calls = 0
    this.#close()
  }

  #endClosed(showing: Showing, message: string, now: number): boolean {
    if (showing.kind !== 'bad') {
      this.#recent.good()
      return false
    }
    this.#recent.bad(message)
    if (!this.#recent.mostFail) return false
    this.#open(`${this.#recent.text}; the last: ${showing.why}`, 'called', message, now)
    return true
  }

  #endProbe(showing: Showing, message: string, now: number): void {
    if (showing.kind === 'bad') this.#open(showing.why, 'called', message, now)
    else this.#ramp(now)
  }

  #endStep(showing: Showing, message: string, now: number, isWanted: boolean): void {
    this.#step.results++
    if (showing.kind === 'bad') {
      this.#step.bad++
      this.#reason = showing.why
    }
    // Reopens as soon as the step can't pass any more.
    if (this.#step.bad * 4 >= this.#level * 3) this.#open(this.#reason ?? '', 'called', message, now)
    else if (this.#step.results >= this.#level) this.#nextStep(now, isWanted)
  }

  #stepFails(): boolean {
    return this.#step.bad > 0 && this.#step.bad * 4 >= this.#step.results * 3
  }

  /** When nobody waits there is nothing left to hold back. */
  #nextStep(now: number, isWanted: boolean): void {
    // It works, at least for some: what comes now is a new failure, not the old one that goes on.
    if (this.#step.results > this.#step.bad) this.#openings = 0
    if (!isWanted || this.#level * 2 > levelMax) this.#close()
    else this.#ramp(now, this.#level * 2)
  }

  #ramp(now: number, level = 1): void {
    this.#step = { results: 0, bad: 0 }
    this.#enter('ramping', level, now + stepMs)
  }

  #close(): void {
    this.#openings = 0
    this.#culprit = null
    this.#reason = null
    this.#recent.clear()
    this.#enter('closed', Infinity, null)
  }

  /** A message that fails again and again must not make the others wait longer each time: it may be its own fault. */
  #open(why: string, lacks: Reach, message: string | null, now: number): void {
    if (message === null || message !== this.#culprit) this.#openings++
    this.#culprit = message
    this.#lacks = lacks
    this.#reason = why
    this.#epoch++
    this.#calls = 0
    const max = lacks === 'answers' ? openMs.refusedMax : openMs.max
    const ceiling = Math.min(openMs.first * 2 ** (this.#openings - 1), max)
    this.#enter('open', 0, now + ceiling * (0.75 + 0.25 * this.#options.random()))
  }

  #enter(state: BreakerState, level: number, dueAt: number | null): void {
    this.#state = state
    this.#level = level
    this.#dueAt = dueAt
  }
}

const windowSize = 20
const minResults = 6
const minMessages = 3
/** A message that is tried again and again fills no more of the window than this, so that others are seen beside it. */
const maxOfOneMessage = 6

/** The last results: for each the message whose call failed, or null for a good one. */
class Recent {
  readonly #failed: (string | null)[] = []
  #next = 0
  #bad = 0

  good(): void {
    this.#add(null)
  }

  bad(message: string): void {
    let known = 0
    for (const one of this.#failed) if (one === message) known++
    if (known < maxOfOneMessage) this.#add(message)
  }

  /** Three quarters of at least six, from three messages. */
  get mostFail(): boolean {
    const { length } = this.#failed
    if (length < minResults || this.#bad * 4 < length * 3) return false
    const messages = new Set(this.#failed)
    messages.delete(null)
    return messages.size >= minMessages
  }

  get text(): string {
    return `${this.#bad} of the last ${this.#failed.length} calls failed`
  }

  clear(): void {
    this.#failed.length = 0
    this.#next = 0
    this.#bad = 0
  }

  #add(failed: string | null): void {
    const old = this.#failed[this.#next] ?? null
    if (old !== null) this.#bad--
    if (failed !== null) this.#bad++
    this.#failed[this.#next] = failed
    this.#next = (this.#next + 1) % windowSize
  }
}
