/** How often a call in flight ends, by those of this bridge. */
export class FlightPace {
  readonly #now: () => number
  #tookMs: number | null = null
  /** When a call began or ended last, or somebody began to wait for one of another bridge. */
  #movedAt: number

  constructor(now: () => number) {
    this.#now = now
    this.#movedAt = now()
  }

  /** From now on one is waited for. */
  restart(): void {
    this.#movedAt = this.#now()
  }

  /** Null: it was never made. */
  ended(tookMs: number | null): void {
    this.#movedAt = this.#now()
    if (tookMs !== null) this.#tookMs = this.#tookMs === null ? tookMs : this.#tookMs + (tookMs - this.#tookMs) / 8
  }

  /** Between two ends, where `max` are open. When none has ended for longer, calls take longer than they did. */
  everyMs(max: number): number {
    return Math.max(shortestMs, (this.#tookMs ?? firstGuessMs) / max, this.#now() - this.#movedAt)
  }
}

const firstGuessMs = 1_000
const shortestMs = 5
