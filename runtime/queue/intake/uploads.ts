import { createHash } from 'node:crypto'
import type { ChunkHead, Intake } from '../../protocol/intake.ts'
import { untried } from '../../protocol/message.ts'
import type { Chunk } from '../../protocol/records/chunks.ts'
import type { Guarded } from '../control.ts'
import { chunkHeader, encodeEnvelope, envelopeHeader } from '../envelope.ts'
import { decodeRecord, encodeRecord } from '../ledger.ts'
import type { Opened } from '../ledger.ts'
import { eventTail, ledgerTail, originOf } from '../names.ts'
import type { Guard } from '../publish/guard.ts'

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
}

export type Slot =
  { readonly kind: 'chunk'; readonly body: Uint8Array } | { readonly kind: 'closed'; readonly intake: Intake }

export const startOrigin = (topologyId: string, nodeId: string, key: string): string =>
  originOf(`start:${topologyId}/${nodeId}/${key}`)

const slotOrigin = (run: string, index: number): string => originOf(`intake:${run}/${index}`)

export function openUploads(guard: Guard): Uploads {
  return {
    open: (upload, intake) => publishOpened(guard, upload, intake),
    async opened({ topologyId, nodeId, key }) {
      const stored = await guard.stored(topologyId, startOrigin(topologyId, nodeId, key))
      if (stored === null) return null
      if (stored.tail !== ledgerTail) return 'other'
      const record = decodeRecord(stored.body)
      return record.kind === 'started' ? record : 'other'
    },
    put: (upload, chunk, intake) => publishChunk(guard, upload, chunk, intake),
    close({ topologyId, nodeId, run }, intake) {
      const body = encodeRecord({ kind: 'closed', run, nodeId, at: intake.at, intake })
      return guard.publish(
        { topologyId, origin: slotOrigin(run, intake.chunks), tail: ledgerTail, headers: [], body },
        null,
      )
    },
    async slot({ topologyId, run }, index) {
      const stored = await guard.stored(topologyId, slotOrigin(run, index))
      if (stored === null) return null
      if (stored.tail !== ledgerTail) return { kind: 'chunk', body: stored.body }
      const record = decodeRecord(stored.body)
      if (record.kind !== 'closed')
        throw new Error(`the slot ${index} of the run ${run} holds a record of ${record.kind}`)
      return { kind: 'closed', intake: record.intake }
    },
  }
}

function publishOpened(guard: Guard, upload: Upload, intake: Intake): Promise<Guarded> {
  const { topologyId, nodeId, key, run, tenant, contentType, headers, trace } = upload
  const opened = { run, nodeId, at: intake.at, revision: null, tenant, contentType, headers, trace, intake }
  return guard.publish(
    {
      topologyId,
      origin: startOrigin(topologyId, nodeId, key),
      tail: ledgerTail,
      headers: [],
      body: encodeRecord({ kind: 'started', ...opened }),
    },
    null,
  )
}

function publishChunk(guard: Guard, upload: Upload, chunk: Chunk, intake: Intake): Promise<Guarded> {
  const { topologyId, nodeId, run, tenant, contentType, headers, trace } = upload
  const { body, ...layout } = chunk
  const index = intake.chunks - 1
  const id = `${run}.${index}`
  const of = { id, run, from: '', created: intake.at, tenant, trace, headers, contentType: 'application/json' }
  const head: ChunkHead = { ...layout, intake, contentType }
  return guard.publish(
    {
      topologyId,
      origin: slotOrigin(run, index),
      tail: eventTail(nodeId),
      headers: [
        [envelopeHeader, encodeEnvelope({ ...untried, ...of })],
        [chunkHeader, JSON.stringify(head)],
      ],
      body,
    },
    null,
  )
}

/** How far it is with one more chunk. */
export function withChunk(intake: Intake, chunk: Chunk, at: string): Intake {
  const digest = createHash('sha256').update(intake.digest).update(chunk.body).digest('hex')
  return {
    ...intake,
    chunks: intake.chunks + 1,
    records: intake.records + chunk.records,
    trashed: intake.trashed + chunk.faults,
    digest,
    head: intake.head ?? digest,
    at,
  }
}
