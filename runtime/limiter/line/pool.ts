import type { Permit } from '../permits.ts'

/** Permits that this bridge has reserved and not used yet, by their instants. */
export class Pool {
  #permits: Permit[] = []

  get permits(): readonly Permit[] {
    return this.#permits
  }

  /** Of the first one; `Infinity`: there is none. */
  get firstAt(): number {
    return this.#permits[0]?.at ?? Infinity
  }

  /** The first instant after this; `Infinity`: there is none. */
  firstAfter(instant: number): number {
    return this.#permits.find(({ at }) => at > instant)?.at ?? Infinity
  }

  keep(permits: readonly Permit[]): void {
    if (permits.length === 0) return
    this.#permits.push(...permits)
    this.#permits.sort((a, b) => a.at - b.at)
  }

  /** Takes out those before this instant. */
  drop(before: number): Permit[] {
    let count = 0
    while ((this.#permits[count]?.at ?? Infinity) < before) count++
    return count === 0 ? [] : this.#permits.splice(0, count)
  }

  /** Takes out the first one of this cost if it is due; null: it isn't. */
  take(now: number, cost: number): Permit | null {
    const index = this.#permits.findIndex((permit) => permit.cost === cost)
    const permit = this.#permits[index]
    if (permit === undefined || permit.at > now) return null
    if (index === 0) this.#permits.shift()
    else this.#permits.splice(index, 1)
    return permit
  }

  /** Offers each one that is due; those that are taken are out. */
  offer(now: number, isTaken: (permit: Permit) => boolean): void {
    for (let i = 0; ;) {
      const permit = this.#permits[i]
      if (permit === undefined || permit.at > now) return
      // Who is given one may come again at once, and ask for what is left.
      this.#permits.splice(i, 1)
      if (isTaken(permit)) continue
      this.#permits.splice(i, 0, permit)
      i++
    }
  }
}
