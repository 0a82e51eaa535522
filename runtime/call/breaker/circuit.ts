import { Breaker } from './breaker.ts'
import { can } from '../reach.ts'
import type { Outlook } from '../reach.ts'
import type { BreakerState, Probed, Showing } from './breaker.ts'

/** A breaker as people see it. */
export interface Health {
  readonly state: BreakerState
  /** RFC 3339: when it opened, or for a closed one when it closed. */
  readonly since: string
  /** Null when closed. */
  readonly reason: string | null
}

export interface Change extends Health {
  /** The state before. */
  readonly before: BreakerState
}

interface CircuitDeps {
  /** Asks for health, and never rejects; null: one call shows it. */
  readonly askHealth: (() => Promise<Probed>) | null
  /** Whether somebody waits to be called. */
  readonly isWanted: () => boolean
  /** There may be room for those who wait. */
  readonly onRoom: () => void
  /** The state is another one. */
  readonly onChange: (change: Change) => void
}

/** A breaker with the clock: what is due is done, health is asked for, and every change is told. */
export class Circuit {
  readonly #deps: CircuitDeps
  readonly #breaker: Breaker
  #timer: NodeJS.Timeout | undefined
  #state: BreakerState = 'closed'
  #since = Date.now()
  #askedIn = -1
  #isOver = false

  constructor(deps: CircuitDeps) {
    this.#deps = deps
    this.#breaker = new Breaker({ asksHealth: deps.askHealth !== null, random: Math.random })
  }

  get health(): Health {
    const { state, reason } = this.#breaker
    return { state, since: new Date(this.#since).toISOString(), reason }
  }

  get isClosed(): boolean {
    return this.#state === 'closed'
  }

  get admits(): boolean {
    return this.#breaker.admits
  }

  get isOpen(): boolean {
    return this.#state === 'open' || this.#breaker.asksHealth
  }

  get outlook(): Outlook {
    const { state, admits, lacks, reason } = this.#breaker
    if (state === 'closed' || state === 'ramping') return can
    return { kind: state === 'probing' && admits ? 'may' : 'cannot', lacks, reason: reason ?? '' }
  }

  /** See `Breaker.begin`. */
  begin(): number {
    return this.#breaker.begin()
  }

  /** See `Breaker.end`. */
  end(epoch: number, showing: Showing, message: string, now = performance.now()): void {
    if (this.#breaker.end(epoch, showing, message, now, this.#deps.isWanted())) this.#follow()
  }

  /** Whom it watches is somebody else now. */
  reset(): void {
    this.#breaker.reset()
    this.#follow()
  }

  close(): void {
    this.#isOver = true
    clearTimeout(this.#timer)
  }

  #follow(): void {
    const { state, dueAt } = this.#breaker
    clearTimeout(this.#timer)
    if (this.#isOver) return
    if (dueAt !== null) {
      const ms = Math.max(1, Math.ceil(dueAt - performance.now()))
      this.#timer = setTimeout(() => this.#onDue(), ms).unref()
    }
    if (state !== this.#state) {
      if (state === 'closed' || this.#state === 'closed') this.#since = Date.now()
      const before = this.#state
      this.#state = state
      this.#deps.onChange({ ...this.health, before })
    }
    if (this.#breaker.asksHealth) void this.#ask()
    this.#deps.onRoom()
  }

  #onDue(): void {
    this.#breaker.due(performance.now(), this.#deps.isWanted())
    this.#follow()
  }

  async #ask(): Promise<void> {
    const { epoch } = this.#breaker
    if (this.#deps.askHealth === null || this.#askedIn === epoch) return
    this.#askedIn = epoch
    const probed = await this.#deps.askHealth()
    this.#breaker.probed(epoch, probed, performance.now())
    this.#follow()
  }
}
