import type { Intake } from '../../protocol/intake.ts'
import type { Opened } from '../../protocol/outcome.ts'
import type { Chunk } from '../../protocol/records/chunks.ts'
import type { Guarded } from '../publish/guarded.ts'

/**
 * An intake whose body comes in chunks, as it is stored:
 *
 *   opened (where a start with this key would be) → slot 0: chunk → slot 1: chunk → … → slot n: closed
 *
 * Each is one guarded publish, and a slot is filled only when the one before it is. So whoever sends the same again, and however many do
 * at once, fills each slot once; and what fills a slot last is the end of all of it.
 */
export interface Uploads {
  /** `settled`: a start or an intake has the key. */
  open(upload: Upload, intake: Intake): Promise<Guarded>
  /** What is stored where it is opened: an intake, or a start with a body (`other`); null: nothing is, or not any more. */
  opened(upload: Pick<Upload, 'topologyId' | 'nodeId' | 'key'>): Promise<Opened | 'other' | null>
  /** `intake` is how far it is with this chunk: it stands in slot `intake.chunks` − 1. */
  put(upload: Upload, chunk: Chunk, intake: Intake): Promise<Guarded>
  /** Fills the slot after the last chunk of `intake`. */
  close(place: UploadPlace, intake: Intake): Promise<Guarded>
  /** What fills a slot: the body of a chunk, or how it was closed; null: nothing, or not any more. */
  slot(place: UploadPlace, index: number): Promise<Slot | null>
}

export interface UploadPlace {
  readonly topologyId: string
  readonly nodeId: string
  readonly run: string
}

export interface Upload extends UploadPlace {
  readonly key: string
  readonly tenant: string | null
  /** Of the body. */
  readonly contentType: string
  readonly headers: Readonly<Record<string, string>>
  readonly trace: string | null
  /** Its run reads everything again. */
  readonly reconcile: boolean
}

export type Slot =
  { readonly kind: 'chunk'; readonly body: Uint8Array } | { readonly kind: 'closed'; readonly intake: Intake }
