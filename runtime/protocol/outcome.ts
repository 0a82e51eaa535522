import type { Intake } from './intake.ts'
import type { FailedCall, Problem, Since } from './message.ts'
import type { Trail } from './trail.ts'

/**
 * What the recorder reads: everything that changes a run's counters or Trash (I6). Times are RFC 3339.
 *
 * | kind      | counters of the run                  |
 * |-----------|--------------------------------------|
 * | started   | inProgress + messages, if the run row is new |
 * | received  | inProgress + 1                        |
 * | closed    | inProgress − 1, of a cancelled intake cancelled + 1 |
 * | ended     | inProgress − 1, done (or cancelled) + 1 |
 * | split     | inProgress + delta                    |
 * | trashed   | inProgress − 1, failed + 1            |
 * | replayed  | failed − 1, inProgress + 1            |
 * | discarded | failed − 1, discarded + 1             |
 */
export type Outcome = Started | Received | Closed | Ended | Split | Trashed | Replayed | Discarded

export interface Started {
  readonly kind: 'started'
  readonly run: string
  readonly nodeId: string
  readonly at: string
  /** How many messages it began with: several for a rerun from a node. */
  readonly messages: number
  readonly revision: number | null
  readonly tenant: string | null
  readonly contentType: string
  readonly headers: Readonly<Record<string, string>>
  /** It was asked to read everything again. */
  readonly reconcile?: boolean
  /** Null: it began with messages that were recorded, not with one of its own, or with a body that comes in chunks. */
  readonly body: Uint8Array | null
  /** Of a start whose body comes in chunks: it counts for the intake itself, until that is closed. */
  readonly intake?: Intake
}

/** A start without a body: that comes in chunks. */
export type Opened = Omit<Started, 'body'> & Required<Pick<Started, 'intake'>> & { readonly trace: string | null }

/** A chunk of a body that is split into records. */
export interface Received {
  readonly kind: 'received'
  readonly run: string
  readonly nodeId: string
  readonly at: string
  readonly intake: Intake
}

/** No chunk comes any more. */
export interface Closed {
  readonly kind: 'closed'
  readonly run: string
  readonly nodeId: string
  readonly at: string
  readonly intake: Intake
}

/** Way of the message that came to its end; older records have none. */
interface Way {
  /** RFC 3339, when the message was created. */
  readonly created?: string
  readonly trail?: Trail
}

export interface Ended extends Way {
  readonly kind: 'ended'
  readonly run: string
  readonly nodeId: string
  readonly at: string
  readonly cancelled: boolean
  /** Of a batch node that ended with an empty last page. */
  readonly batch?: PageRead | null
}

export interface Split extends Way {
  readonly kind: 'split'
  readonly run: string
  readonly nodeId: string
  readonly at: string
  /** Messages made, plus one for a continuation, less the one that was split. */
  readonly delta: number
  /** For replies of batch nodes. */
  readonly batch: PageRead | null
}

/** A page that a batch node read. */
export interface PageRead {
  /** Id of the message that asks for the pages, one after the other. */
  readonly message: string
  readonly tenant: string | null
  readonly page: number
  /** With which it was asked for. */
  readonly cursor: string | null
  /** Of the next page; null: this was the last one. */
  readonly next: string | null
  /** As it was proposed. */
  readonly watermark: string | null
  /** For people. */
  readonly progress: string | null
  /** See message.ts. */
  readonly edit: number
  readonly since: Since | null
  readonly reconcile: boolean
  /** When what was proposed is committed; null: never, the node has no watermark. */
  readonly commit: 'drained' | 'clean' | null
}

export interface Trashed extends Way {
  readonly kind: 'trashed'
  readonly run: string
  readonly nodeId: string
  readonly at: string
  /** Id of the Trash row: the origin of the hop that failed. */
  readonly trashId: string
  readonly revision: number
  readonly error: Problem
  readonly attempts: readonly FailedCall[]
  /** What a replay needs to make the message again; see message.ts. */
  readonly message: TrashedMessage
  /** Of a batch node, which reads pages for the message: see `PageRead`. */
  readonly reading?: Pick<PageRead, 'commit'>
  readonly body: Uint8Array
}

export interface TrashedMessage {
  readonly id: string
  readonly from: string
  readonly created: string
  readonly replay: number
  readonly page: number
  readonly cursor: string | null
  /** These four aren't there in rows of older versions. */
  readonly edit?: number
  readonly since?: Since | null
  readonly reconcile?: boolean
  readonly limitKey?: string
  readonly tenant: string | null
  readonly key: string | null
  readonly trace: string | null
  readonly headers: Readonly<Record<string, string>>
  readonly contentType: string
}

export interface Replayed {
  readonly kind: 'replayed'
  readonly run: string
  readonly nodeId: string
  readonly at: string
  readonly trashId: string
}

export interface Discarded {
  readonly kind: 'discarded'
  readonly run: string
  readonly nodeId: string
  readonly at: string
  readonly trashId: string
  readonly reason: string | null
  /** Id of the bulk that did it; left out: a person did it. */
  readonly bulk?: string | undefined
}
