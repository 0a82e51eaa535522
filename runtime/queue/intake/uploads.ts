import { createHash } from 'node:crypto'
import type { ChunkHead, Intake } from '../../protocol/intake.ts'
import { untried } from '../../protocol/message.ts'
import type { Chunk } from '../../protocol/records/chunks.ts'
import type { Guarded } from '../publish/guarded.ts'
import { chunkHeader, encodeEnvelope, envelopeHeader } from '../envelope.ts'
import { decodeRecord, encodeRecord } from '../ledger.ts'
import { eventTail, ledgerTail, originOf } from '../names.ts'
import type { Guard } from '../publish/guard.ts'
import type { Upload, Uploads } from './slots.ts'

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
      return record.kind === 'started' && 'intake' in record ? record : 'other'
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
  const { topologyId, nodeId, key, run, tenant, contentType, headers, trace, reconcile } = upload
  const opened = {
    run,
    nodeId,
    at: intake.at,
    messages: 1,
    revision: null,
    tenant,
    contentType,
    headers,
    trace,
    ...(reconcile && { reconcile }),
    intake,
  }
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
  const { topologyId, nodeId, run, tenant, contentType, headers, trace, reconcile } = upload
  const { body, ...layout } = chunk
  const index = intake.chunks - 1
  const id = `${run}.${index}`
  const of = {
    id,
    run,
    from: '',
    created: intake.at,
    tenant,
    trace,
    headers,
    reconcile,
    contentType: 'application/json',
  }
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
