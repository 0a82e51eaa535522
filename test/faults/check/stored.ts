/** What the evidence is made of: messages of the stream and rows of Postgres. */
import type { Message } from '../../../runtime/protocol/message.ts'
import type { LedgerRecord } from '../../../runtime/queue/ledger.ts'

/** A stored message, as far as the checks look at it. */
export interface Stored {
  readonly sequence: number
  readonly origin: string
  readonly kind: 'node' | 'event' | 'reply' | 'ledger' | 'trash' | 'later'
  /** Id of the node that it is for; empty where the subject names none. */
  readonly nodeId: string
  /** Generation and lane of an input of a worker node. */
  readonly lane: string
  /** It came from a schedule: a second one of its kind below an origin is allowed. */
  readonly isFired: boolean
  /** Of inputs. */
  readonly message: Message | null
  readonly body: string
  /** Of replies. */
  readonly reply: { readonly hopKey: string; readonly next: boolean; readonly trashId: string | null } | null
  /** Of ledger records. */
  readonly record: LedgerRecord | null
  /** Of messages in Trash: its node was taken out of the graph. */
  readonly isRemoved: boolean
  readonly run: string
}

export interface RunRow {
  readonly id: string
  readonly state: string
  readonly done: number
  readonly failed: number
  readonly discarded: number
  readonly cancelled: number
  readonly inProgress: number
}

export interface TrashRow {
  readonly id: string
  readonly state: string
}

/** What an outcome does to the number of a run's messages on their way. */
export function changeBy({ kind, record }: Pick<Stored, 'kind' | 'record'>): number {
  if (kind === 'event') return 1
  if (kind === 'trash' || record?.kind === 'ended') return -1
  if (record?.kind === 'split') return record.delta
  return record?.kind === 'replayed' ? 1 : 0
}
