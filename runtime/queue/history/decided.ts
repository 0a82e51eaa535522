import type { Connection } from '../connection.ts'
import type { Decided } from '../control.ts'
import { envelopeHeader } from '../envelope.ts'
import { lastStored } from '../janitor/stored.ts'
import { decodeRecord } from '../ledger.ts'
import { ledgerTail, originFilter, streamName } from '../names.ts'
import { trashOrigin } from '../publish/trash.ts'
import { decodeReply } from '../reply.ts'
import { orNull } from '../streams.ts'

/** What was decided of a row of Trash, as the leader has it; null: that isn't stored, and nothing is of a topology that is deleted. */
export async function decidedOf(
  connection: Connection,
  topologyId: string,
  trashId: string,
  replay: number,
): Promise<Decided | null> {
  const filter = originFilter(topologyId, trashOrigin(trashId, replay + 1))
  const stored = await lastStored(connection, streamName(topologyId), filter).catch(orNull)
  if (stored === null) return null
  if (stored.subject.endsWith(`.${ledgerTail}`)) {
    const record = decodeRecord(stored.data)
    return { as: 'discarded', bulk: (record.kind === 'discarded' && record.bulk) || null, id: null }
  }
  const reply = decodeReply(stored.header.get(envelopeHeader))
  if (reply.kind !== 'replay') throw new Error(`below the key of Trash ${trashId} there is a reply of another kind`)
  return { as: 'replayed', bulk: reply.bulk ?? null, id: reply.message.id }
}
