/** The words between a call and its settlement: what a call gave, and what is to be done. */
import type { Message, Problem } from '../protocol/message.ts'
import type { Emit } from '../protocol/outputs.ts'
import { isOrdered, type WorkerNode } from '../topology/plan.ts'

export interface Reply {
  readonly kind: 'reply'
  readonly status: number
  /** Names in lower case; a header that came several times is joined by `, `. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

export type CallResult =
  | Reply
  | { readonly kind: 'timeout' }
  /** The connection was lost after the request was sent, without an answer: the worker may have done its work. */
  | { readonly kind: 'lost' }
  /** Something came that is no whole HTTP reply: the worker answered, so it didn't die of the message before. */
  | { readonly kind: 'bad-reply'; readonly detail: string }
  /** Nothing was sent: connection refused, no DNS, no instance. */
  | { readonly kind: 'refused'; readonly detail?: string }
  /** Nothing was sent: a breaker is open, or the node may not call any more. It has waited for its turn already. */
  | { readonly kind: 'held'; readonly detail: string }
  /** Nothing was sent: its turn at a limit comes so much later, and it needn't wait here. */
  | { readonly kind: 'put-off'; readonly delayMs: number }
  /** The reply's body is over 8 MiB, or its headers are too large. */
  | { readonly kind: 'too-large' }

export interface DecideContext {
  readonly node: WorkerNode
  /** Name → id of the node's followers, in the document's order. */
  readonly followers: ReadonlyMap<string, string>
  readonly message: Message
  /** 1-based number of the call that was just made: `message.attempt` + failed tries in place + 1. */
  readonly attempt: number
  /** How long the message has been retried in place here: calls and delays since its first failed call, without waits. */
  readonly inPlaceMs: number
  /** Calls before this one that ended with a lost connection, one right after the other. */
  readonly lostInARow: number
  /** Waits in a row (`hold` with `burns: false`) before this call, so that waits without a Retry-After back off. */
  readonly waits: number
  /** Epoch milliseconds. */
  readonly nowMs: number
  /** [0, 1), for jitter. */
  readonly random: () => number
}

/** Why a call failed, with the HTTP status if there was one: the core of a `FailedCall`. */
export interface Failure {
  readonly status: number | null
  readonly problem: Problem
}

/** What is handed on: the body and its headers, user headers of the input already merged with the reply's. */
export interface Output {
  readonly contentType: string
  readonly body: Uint8Array
  readonly headers: Readonly<Record<string, string>>
  readonly key: string | null
  readonly tenant: string | null
  readonly limitKey: string | null
}

/** One output to the only follower (its id); the message keeps its own id. */
export interface Forward {
  readonly kind: 'forward'
  readonly follower: string
  readonly output: Output
}

/** A reply that is stored whole and turned into messages by the splitter (`readOutputs(body, contentType, emit)`). */
export interface Split {
  readonly kind: 'split'
  /** Body and content type to read outputs from; headers, key, tenant and limit key of every output that has none of its own. */
  readonly output: Output
  readonly emit: Emit
  /** Ids of the followers for outputs that don't name their own; null means all of them. */
  readonly route: readonly string[] | null
  /** Messages that will be made, over all outputs and followers, without the continuation. 0 only when there is a next page. */
  readonly messages: number
  /** Cursor of the next page; null: last page, or not a batch node. */
  readonly next: string | null
  readonly watermark: string | null
  /** For people; null: none. */
  readonly progress: string | null
}

/** The branch ends well. `watermark` and `progress` only from batch nodes. */
export interface End {
  readonly kind: 'end'
  readonly watermark: string | null
  readonly progress: string | null
}

/** A parallel node tries again through a schedule; one attempt is burnt. */
export interface Later {
  readonly kind: 'later'
  readonly delayMs: number
  readonly failure: Failure
}

/** The message's turn at a limit comes later: until then a schedule keeps it. No attempt is burnt (I9). */
export interface Turn {
  readonly kind: 'turn'
  readonly delayMs: number
}

/**
 * The message stays where it is and is called again after the delay. `burns`: it was a failed try (ordered nodes only);
 * otherwise a wait, which is never a failure (I9).
 */
export interface Hold {
  readonly kind: 'hold'
  readonly delayMs: number
  readonly burns: boolean
  /** Of `rate-limit`: what the worker asked for; null: nothing. */
  readonly retryAfterMs?: number | null
  /**
   * `rate-limit`: 429, pause the node's limit keys as long. `busy`: 503 with Retry-After. `refused`: nothing was sent.
   * `breaker`: nothing was sent, and the wait is over already.
   */
  readonly cause: 'retry' | 'rate-limit' | 'busy' | 'refused' | 'breaker'
  readonly failure: Failure
}

/** The node pauses until a person resumes it; the message stays queued, nothing is burnt. */
export interface Pause {
  readonly kind: 'pause'
  readonly reason: string
  readonly failure: Failure
}

/** Final failure; it is a `Failure` itself, that of the last call. */
export interface Trash extends Failure {
  readonly kind: 'trash'
  /** The node shall pause as well: an ordered node with `onFail: block`. */
  readonly block: boolean
}

export type Verdict = Forward | Split | End | Later | Turn | Hold | Pause | Trash

/** Longest `detail` of a problem, in characters; and in bytes as JSON, where a control character takes six: it travels in a header. */
const detailMax = 4096
const detailMaxBytes = 12 * 1024

/** A `detail` as long as it may be. */
export function cutDetail(detail: string): string {
  let cut = detail.slice(0, detailMax)
  while (Buffer.byteLength(JSON.stringify(cut)) > detailMaxBytes) cut = cut.slice(0, Math.floor(cut.length * 0.9))
  return cut
}

/** Final failure of a call. */
export function trash(failure: Failure, { node }: Pick<DecideContext, 'node'>): Trash {
  const block = isOrdered(node) && node.onFail === 'block'
  return { kind: 'trash', status: failure.status, problem: failure.problem, block }
}

/** An engine-made problem; `name` becomes `urn:sluice:<name>`. */
export function problem(name: string, title: string, detail?: string, status?: number): Problem {
  return {
    type: `urn:sluice:${name}`,
    title,
    ...(status === undefined ? {} : { status }),
    ...(detail === undefined || detail === '' ? {} : { detail: cutDetail(detail) }),
  }
}
