import { Circuit } from './circuit.ts'
import type { Change, Health } from './circuit.ts'
import type { Showing } from './breaker.ts'
import { Line } from './line.ts'

/** How long somebody waits for a turn before it looks again at what it waits for: at pauses, plans, addresses. */
export const patienceMs = 5_000

/** The breaker of a node: its handler may fail while other nodes of the same worker work. One message at a time shows whether it works again. */
export class NodeBreaker {
  readonly #line = new Line<number>()
  readonly #circuit: Circuit

  constructor(onChange: (change: Change) => void) {
    this.#circuit = new Circuit({
      askHealth: null,
      isWanted: () => this.#line.length > 0,
      onRoom: () => this.#line.serve(() => this.take()),
      onChange,
    })
  }

  get health(): Health {
    return this.#circuit.health
  }

  get isClosed(): boolean {
    return this.#circuit.isClosed
  }

  /** A pass for one call, to be given to `end` whatever happens; null: wait for a `turn`. */
  take(): number | null {
    return this.#circuit.admits ? this.#circuit.begin() : null
  }

  /** A pass when it is one's turn; null: look again. Rejects with `Stopped` when the signal aborts. */
  turn(signal: AbortSignal): Promise<number | null> {
    return this.#line.join(patienceMs, signal)
  }

  /** `message` is the id of the message that was called, or should have been. */
  end(pass: number, showing: Showing, message: string): void {
    this.#circuit.end(pass, showing, message)
  }

  /** The node's handler is somewhere else now. */
  reset(): void {
    if (!this.isClosed) this.#circuit.reset()
  }

  close(): void {
    this.#circuit.close()
    this.#line.dismiss()
  }
}
