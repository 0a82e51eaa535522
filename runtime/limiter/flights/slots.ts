import type { Flights } from './flights.ts'
import type { Key } from '../keys.ts'

/** Calls in flight that are held for a call that isn't made yet. */
export class Slots {
  readonly #nodeId: string
  #held: Flights[] = []

  constructor(nodeId: string) {
    this.#nodeId = nodeId
  }

  /** Null: all of them are there; otherwise what one was waited for in vain with. */
  async take<L>(keys: readonly Key[], wait: (key: Key) => Promise<L | null>): Promise<L | null> {
    for (const [key, flights] of this.#missing(keys)) {
      const late = await wait(key)
      if (late !== null) return late
      this.#held.push(flights)
    }
    return null
  }

  /** True: all of them are there. */
  takeNow(keys: readonly Key[]): boolean {
    for (const [, flights] of this.#missing(keys)) {
      if (!flights.take(this.#nodeId)) return false
      this.#held.push(flights)
    }
    return true
  }

  get areHeld(): boolean {
    return this.#held.length > 0
  }

  #missing(keys: readonly Key[]): [Key, Flights][] {
    return keys.flatMap((key): [Key, Flights][] => {
      const { flights } = key
      return flights === null || this.#held.includes(flights) ? [] : [[key, flights]]
    })
  }

  /** They are the caller's from now on. */
  keep(): readonly Flights[] {
    const held = this.#held
    this.#held = []
    return held
  }

  end(): void {
    for (const one of this.keep()) one.end(this.#nodeId, null)
  }
}
