import type { ChunkHead } from '../protocol/intake.ts'
import type { Emit } from '../protocol/outputs.ts'
import type { Message } from '../protocol/message.ts'
import type { PageRead } from '../protocol/outcome.ts'
import type { Envelope } from './envelope.ts'

/**
 * A stored reply, from which the splitter makes messages as often as it must, always the same ones (I3). What stands in the
 * `Sluice` header is here; the stored body is the reply's own body, followed by the input's body when there is a next page
 * (the continuation asks with the same body again).
 */
export type StoredReply = StoredOutputs | StoredReplay | StoredRerun

export interface StoredOutputs {
  readonly kind: 'outputs'
  /** Key of the hop that replied; everything made from the reply is guarded under `<hopKey>/<k>`. */
  readonly hopKey: string
  /** RFC 3339, when the reply came: the creation time of its messages. */
  readonly at: string
  readonly nodeName: string
  /** Revision of the plan by which the reply was decided. */
  readonly revision: number
  /** Name → id of the node's followers then, in the document's order. */
  readonly followers: readonly (readonly [name: string, id: string])[]
  /** Ids of the followers for outputs that name none; null means all. */
  readonly route: readonly string[] | null
  readonly emit: Emit
  /** Is it a page of a batch node? Then its messages are numbered within their page. */
  readonly paged: boolean
  readonly next: string | null
  readonly watermark: string | null
  readonly progress: string | null
  /** When what is proposed is committed; null: never. */
  readonly commit: PageRead['commit']
  readonly input: Envelope
  readonly output: {
    readonly contentType: string
    readonly headers: Message['headers']
    readonly key: string | null
    readonly tenant: string | null
    /** Left out by older versions. */
    readonly limitKey?: string | null
  }
  /** Bytes of the stored body that are the reply's. */
  readonly bodyLength: number
  /** Of a chunk of records: what in it goes to Trash, after the records. */
  readonly faults?: ChunkHead
}

/** A replay from Trash: addressed to the node that it goes to. */
export interface StoredReplay {
  readonly kind: 'replay'
  readonly hopKey: string
  readonly trashId: string
  /** Id of the node that failed; left out by older versions: the one that it is addressed to. */
  readonly failedAt?: string
  /** Id of the bulk that did it; left out: a person did it. */
  readonly bulk?: string | undefined
  readonly message: Envelope
}

/** A recorded message that enters the node again, in a run that has counted it already. */
export interface StoredRerun {
  readonly kind: 'rerun'
  readonly hopKey: string
  readonly message: Envelope
}

export const encodeReply = (reply: StoredReply): string => JSON.stringify(reply)

/** @throws SyntaxError when the text isn't ours */
export const decodeReply = (text: string): StoredReply => JSON.parse(text) as StoredReply
