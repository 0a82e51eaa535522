import type { Called } from '../call/call.ts'
import type { DecideContext, Failure } from '../call/decide.ts'
import type { FailedCall, Message } from '../protocol/message.ts'
import type { PreparedNode } from '../protocol/native.ts'

/** What a message may carry of its failed calls, as JSON. */
const historyMaxBytes = 64 * 1024

/** The tries of one message at one holder. Tries in place never enter the hop's key: a new holder starts them again. */
export class Tries {
  readonly #message: Message
  readonly #prepared: PreparedNode
  #failed = 0
  #waits = 0
  #firstFailureAt: number | null = null
  #waitedMs = 0
  #history: FailedCall[]

  constructor(message: Message, prepared: PreparedNode) {
    this.#message = message
    this.#prepared = prepared
    this.#history = [...message.history]
  }

  /** 1-based number of the next call. */
  get attempt(): number {
    return this.#message.attempt + this.#failed + 1
  }

  get history(): readonly FailedCall[] {
    return this.#history
  }

  context(): DecideContext {
    const since = this.#firstFailureAt
    return {
      node: this.#prepared.node,
      followers: this.#prepared.followers,
      message: this.#message,
      attempt: this.attempt,
      inPlaceMs: since === null ? 0 : performance.now() - since - this.#waitedMs,
      waits: this.#waits,
      nowMs: Date.now(),
      random: Math.random,
    }
  }

  /** A call failed. Waits burn nothing and leave no trace in the history (I9). */
  failed(failure: Failure, called: Called): void {
    this.#history.push({
      attempt: this.attempt,
      at: new Date().toISOString(),
      instance: called.instance,
      status: failure.status,
      problem: failure.problem,
      durationMs: Math.round(called.durationMs),
    })
    while (this.#history.length > 1 && JSON.stringify(this.#history).length > historyMaxBytes) this.#history.shift()
  }

  /** The message stays here and is called again after the delay. */
  stay(burns: boolean, delayMs: number): void {
    if (burns) {
      this.#firstFailureAt ??= performance.now()
      this.#failed++
      this.#waits = 0
      return
    }
    this.#waits++
    if (this.#firstFailureAt !== null) this.#waitedMs += delayMs
  }
}
