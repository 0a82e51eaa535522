import type { FailedCall, Problem } from './message.ts'
import type { Trail } from './trail.ts'

/**
 * What the recorder reads: everything that changes a run's counters or Trash (I6). Times are RFC 3339.
 *
 * | kind      | counters of the run                  |
 * |-----------|--------------------------------------|
 * | started   | inProgress + messages, if the run row is new |
 * | ended     | inProgress − 1, done (or cancelled) + 1 |
 * | split     | inProgress + delta                    |
 * | trashed   | inProgress − 1, failed + 1            |
 * | replayed  | failed − 1, inProgress + 1            |
 * | discarded | failed − 1, discarded + 1             |
 */
export type Outcome = Started | Ended | Split | Trashed | Replayed | Discarded

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
  /** Null: it began with messages that were recorded, not with one of its own. */
  readonly body: Uint8Array | null
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
}

export interface Split extends Way {
  readonly kind: 'split'
  readonly run: string
  readonly nodeId: string
  readonly at: string
  /** Messages made, plus one for a continuation, less the one that was split. */
  readonly delta: number
  /** For replies of batch nodes: the page read, the next cursor (null: last page) and the proposed watermark. */
  readonly batch: {
    readonly page: number
    readonly cursor: string | null
    readonly next: string | null
    readonly watermark: string | null
  } | null
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
  readonly body: Uint8Array
}

export interface TrashedMessage {
  readonly id: string
  readonly from: string
  readonly created: string
  readonly replay: number
  readonly page: number
  readonly cursor: string | null
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
}
