import type { Called } from '../call/call.ts'
import { lostInARow, suspectFrom } from '../call/decide.ts'
import type { DecideContext, Failure, Hold } from '../call/decide.ts'
import type { FailedCall, Message, Problem } from '../protocol/message.ts'
import type { PreparedNode } from '../protocol/native.ts'

/**
 * What a message may carry of its failed calls, as JSON. It travels in a header, and JetStream takes 64 KiB of headers at most
 * (measured: 65 200 bytes are stored, 65 500 refused), with everything else that stands there: the error (16 KiB), cursor and user
 * headers (4 KiB each, twice that as JSON at worst).
 */
const historyMaxBytes = 24 * 1024
const detailMaxLength = 500

/** The tries of one message at one holder. Tries in place never enter the hop's key: a new holder starts them again. */
export class Tries {
  readonly #message: Message
  #calls = 0
  #failed = 0
  #waits = 0
  #inPlaceMs = 0
  #history: FailedCall[]

  constructor(message: Message) {
    this.#message = message
    this.#history = [...message.history]
  }

  /** 1-based number of the next call. */
  get attempt(): number {
    return this.#message.attempt + this.#failed + 1
  }

  get soFar(): { readonly attempt: number; readonly history: readonly FailedCall[]; readonly calls: number } {
    return { attempt: this.attempt, history: this.#history, calls: this.#calls }
  }

  /** It was on the worker when it died, twice in a row: it must be called alone, since it may be what the worker dies of. */
  get isSuspect(): boolean {
    return this.#history.length >= suspectFrom && lostInARow(this.#history) >= suspectFrom
  }

  /** What is to be known to decide what follows from this call, made with the message as it was asked for. */
  context({ node, followers }: PreparedNode, { result, durationMs }: Called, message: Message): DecideContext {
    if (result.kind !== 'held' && result.kind !== 'refused' && result.kind !== 'put-off') this.#calls++
    if (this.#failed > 0) this.#inPlaceMs += durationMs
    return {
      node,
      followers,
      message,
      attempt: this.attempt,
      inPlaceMs: this.#inPlaceMs,
      lostInARow: lostInARow(this.#history),
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
      problem: shortened(failure.problem),
      durationMs: Math.round(called.durationMs),
    })
    while (this.#history.length > 1 && bytesOf(this.#history) > historyMaxBytes) this.#history.shift()
  }

  /** The message stays here and is called again after the delay. */
  stay({ burns, cause, delayMs }: Hold): void {
    if (burns) {
      this.#inPlaceMs += delayMs
      this.#failed++
      this.#waits = 0
    } else if (cause !== 'breaker') this.#waits++
  }
}

function bytesOf(history: readonly FailedCall[]): number {
  return Buffer.byteLength(JSON.stringify(history))
}

/** The whole detail stands in the error of the last call; of those before it the beginning is enough. */
function shortened(problem: Problem): Problem {
  const { detail } = problem
  return detail === undefined || detail.length <= detailMaxLength
    ? problem
    : { ...problem, detail: `${detail.slice(0, detailMaxLength)}…` }
}
