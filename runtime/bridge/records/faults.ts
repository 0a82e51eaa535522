import { problem } from '../../call/verdict.ts'
import type { Trashed } from '../../protocol/outcome.ts'
import { faultsOf } from '../../protocol/records/chunks.ts'
import type { Fault } from '../../protocol/records/chunks.ts'
import { envelopeHeader } from '../../queue/envelope.ts'
import { originOf, trashTail } from '../../queue/names.ts'
import type { GuardedPublish } from '../../queue/publish/guard.ts'
import type { StoredOutputs } from '../../queue/reply.ts'

/**
 * What in a chunk is no record lands in Trash at the event node, as it came: mended, it is replayed from there. Like the messages of the
 * chunk each is guarded under `<key of the hop>/<k>`, and its origin is the id of its row: redoing it changes nothing (I3).
 */
export function* trashOf(
  reply: StoredOutputs,
  topologyId: string,
  nodeId: string,
  stored: Uint8Array,
): Generator<GuardedPublish> {
  if (reply.faults === undefined) return
  let k = 0
  for (const fault of faultsOf(stored, reply.faults)) {
    const origin = originOf(`${reply.hopKey}/fault${k}`)
    const trashed = trashedOf(reply, nodeId, origin, fault, k)
    yield {
      topologyId,
      origin,
      tail: trashTail,
      headers: [[envelopeHeader, JSON.stringify(trashed)]],
      body: fault.raw,
    }
    k++
  }
}

function trashedOf(
  { input, at, revision, faults }: StoredOutputs,
  nodeId: string,
  trashId: string,
  { detail }: Fault,
  k: number,
): Omit<Trashed, 'body'> {
  return {
    kind: 'trashed',
    run: input.run,
    nodeId,
    at,
    trashId,
    revision,
    error: problem('no-record', 'a record of the start can not be read', detail),
    attempts: [],
    message: {
      id: `${input.id}.fault${k}`,
      from: '',
      created: at,
      replay: 0,
      page: 0,
      cursor: null,
      tenant: input.tenant,
      key: null,
      trace: input.trace,
      headers: input.headers,
      contentType: faults?.contentType ?? input.contentType,
    },
  }
}
