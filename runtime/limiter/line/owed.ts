import { spend } from '../permits.ts'
import type { Permit, PermitState, Tier } from '../permits.ts'

/** Permits that were used while NATS didn't keep the state: counted in when it is back. */
export class Owed {
  /** Cost by second. */
  readonly #costs = new Map<number, number>()

  get isEmpty(): boolean {
    return this.#costs.size === 0
  }

  add({ at, cost }: Permit): void {
    const second = Math.floor(at / 1000) * 1000
    this.#costs.set(second, (this.#costs.get(second) ?? 0) + cost)
  }

  /** All of it, which is not owed here any more. */
  take(): Owed {
    const taken = new Owed()
    taken.put(this)
    this.#costs.clear()
    return taken
  }

  put(owed: Owed): void {
    for (const [at, cost] of owed.#costs) this.add({ at, cost })
  }

  /** A tier is charged with what it can still see: old seconds of a long outage would keep an even pace from going on for minutes. */
  addTo(state: PermitState, tiers: readonly Tier[], now: number): PermitState {
    let sum = state
    for (const [second, cost] of this.#costs) {
      const seeing = tiers.filter(({ periodMs }) => second > now - periodMs - 1000)
      if (seeing.length > 0) sum = spend(sum, seeing, second + 999, cost)
    }
    return sum
  }
}
