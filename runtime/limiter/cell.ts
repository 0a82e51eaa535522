import type { Cells } from '../queue/limits/cells.ts'

/**
 * A state that several bridges change, with what this one knows of it. What is known may be old: then a write is refused, and the change
 * is thought through again with what is there.
 */
export class SharedCell<S> {
  readonly #cells: Cells
  readonly #id: string
  /** As it was kept last. */
  #state: S
  #assumed: S | null = null
  #revision: number | null = null

  constructor(cells: Cells, id: string, empty: S) {
    this.#cells = cells
    this.#id = id
    this.#state = empty
  }

  /** As it was known last, or is assumed to be. */
  get known(): S {
    return this.#assumed ?? this.#state
  }

  /** As it was kept last. */
  get stored(): S {
    return this.#state
  }

  /**
   * Replaces the state by what `change` makes of it; the same state writes nothing. `change` may be asked several times. Rejects while NATS
   * doesn't answer: the state may have been changed or not.
   */
  async update<R extends { readonly state: S }>(change: (state: S) => R): Promise<R> {
    for (let lost = 0; ; lost++) {
      if (this.#revision === null) await this.#read()
      const before = this.#state
      const changed = change(before)
      if (changed.state === before) return changed
      const revision = await this.#write(changed.state)
      if (revision !== null) {
        this.#state = changed.state
        this.#assumed = null
        this.#revision = revision
        return changed
      }
      if (lost > 0) await pause(Math.random() * Math.min(2 ** lost, 16))
    }
  }

  /** Others may have changed it: it is read anew before it is changed. */
  forget(): void {
    this.#revision = null
  }

  /** Goes on with this until NATS answers again. */
  assume(state: S): void {
    this.#assumed = state
    this.#revision = null
  }

  async #read(): Promise<void> {
    const { state, revision } = await this.#cells.read(this.#id)
    if (state !== null) this.#state = JSON.parse(state) as S
    this.#revision = revision
  }

  async #write(state: S): Promise<number | null> {
    const revision = this.#revision ?? 0
    // Until the answer is here nobody knows what is there.
    this.#revision = null
    return this.#cells.write(this.#id, JSON.stringify(state), revision)
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
