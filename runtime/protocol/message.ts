import type { Trail } from './trail.ts'

/** A message on its way, as it is kept in a node's input queue. */
export interface Message {
  /** The same on every attempt and along 1→1 hops (I2). */
  readonly id: string
  readonly run: string
  /** Name of the node that produced it; empty for a start. */
  readonly from: string
  /** RFC 3339, when the message was created. */
  readonly created: string
  /** Calls that have failed so far and burnt an attempt. */
  readonly attempt: number
  /** How often it went through a delay; part of the hop's key, so that each delivery after a delay is a hop of its own. */
  readonly round: number
  /** n for the n-th replay of the message at this node; 0 otherwise. */
  readonly replay: number
  /** Page that a batch node shall fetch; 0 for every other message. */
  readonly page: number
  /** Cursor of that page; null on page 0. */
  readonly cursor: string | null
  /** `cursorMark` of an earlier page's cursor, by which a source is known that goes round; null: none yet. */
  readonly mark: string | null
  /** Number of the newest edit of the cursor by a person that a page was asked for with; 0: none. */
  readonly edit: number
  /** With what page 0 of a batch node with a watermark was asked; null: it wasn't yet, or the node has none. */
  readonly since: Since | null
  /** Its run reads everything again: no batch node is handed a watermark. */
  readonly reconcile: boolean
  readonly tenant: string | null
  /** Whose limits its calls count against, in place of the tenant's; null: the tenant's. */
  readonly limitKey: string | null
  /** Ordering key. */
  readonly key: string | null
  /** W3C traceparent of the run; null when the start had none. */
  readonly trace: string | null
  /** Calls that failed so far, oldest first, cut to what fits in 64 KiB. */
  readonly history: readonly FailedCall[]
  /** The nodes that it passed one to one; see trail.ts. */
  readonly trail: Trail
  /** User headers, all named `x-…`, carried along unchanged. */
  readonly headers: Readonly<Record<string, string>>
  readonly contentType: string
  readonly body: Uint8Array
}

/** What a run was handed when it began to read. */
export interface Since {
  /** The committed watermark less the look-back; null: none, so that it reads everything. */
  readonly watermark: string | null
  /** How often a person had set the watermark by then: what is proposed by a run that began before is not committed. */
  readonly epoch: number
}

/** What a message carries before anything has happened to it. */
export const untried = {
  attempt: 0,
  round: 0,
  replay: 0,
  page: 0,
  cursor: null,
  mark: null,
  edit: 0,
  since: null,
  reconcile: false,
  tenant: null,
  limitKey: null,
  key: null,
  trace: null,
  history: [],
  trail: [],
  headers: {},
} as const

/** One call that failed, as Trash shows it. */
export interface FailedCall {
  readonly attempt: number
  /** RFC 3339. */
  readonly at: string
  readonly instance: string | null
  readonly status: number | null
  readonly problem: Problem
  readonly durationMs: number
}

/** RFC 9457, the fields that the engine reads. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status?: number
  readonly detail?: string
}
