import type { Connection } from '../connection.ts'
import type { Decided } from '../control.ts'
import { envelopeHeader } from '../envelope.ts'
import { lastStored } from '../janitor/stored.ts'
import { decodeRecord } from '../ledger.ts'
import { ledgerTail, originFilter, streamName } from '../names.ts'
import { trashOrigin } from '../publish/trash.ts'
import { decodeReply } from '../reply.ts'

/** What was decided of a row of Trash, as the leader has it. */
export async function decidedOf(
  connection: Connection,
  topologyId: string,
  trashId: string,
  replay: number,
): Promise<Decided | null> {
  const filter = originFilter(topologyId, trashOrigin(trashId, replay + 1))
  const stored = await lastStored(connection, streamName(topologyId), filter)
  if (stored === null) return null
  if (stored.subject.endsWith(`.${ledgerTail}`)) {
    const record = decodeRecord(stored.data)
    return { as: 'discarded', bulk: (record.kind === 'discarded' && record.bulk) || null }
  }
  const reply = decodeReply(stored.header.get(envelopeHeader))
  return { as: 'replayed', bulk: (reply.kind === 'replay' && reply.bulk) || null }
}
