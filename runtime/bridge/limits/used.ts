/** What calls of this bridge counted as, by service: it only grows. */
export class Used {
  readonly #costs = new Map<string, number>()

  add(service: string | null, cost: number): void {
    if (service !== null) this.#costs.set(service, (this.#costs.get(service) ?? 0) + cost)
  }

  all(): ReadonlyMap<string, number> {
    return this.#costs
  }
}
