const windowMs = 50

/** How many permits were wanted lately. */
export class Demand {
  #since = 0
  #count = 0
  #perMs = 0

  count(now: number): void {
    this.#count++
    if (now - this.#since < windowMs) return
    this.#perMs = now - this.#since > 4 * windowMs ? 0 : this.#count / (now - this.#since)
    this.#since = now
    this.#count = 0
  }

  /** In so many milliseconds from now on, if it goes on. */
  within(ms: number, now: number): number {
    return now - this.#since > 4 * windowMs ? 0 : Math.ceil(this.#perMs * ms)
  }
}
