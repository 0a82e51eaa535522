import { untried } from '../../protocol/message.ts'
import type { Connection } from '../connection.ts'
import type { Decided, DiscardMessage, ReplayMessage } from '../control.ts'
import { envelopeHeader } from '../envelope.ts'
import { lastStored } from '../janitor/stored.ts'
import { decodeRecord, encodeRecord } from '../ledger.ts'
import { ledgerTail, originFilter, originOf, replyTail, streamName } from '../names.ts'
import { decodeReply, encodeReply } from '../reply.ts'
import type { Guard } from './guard.ts'
import type { Guarded } from './guarded.ts'

/** Replay and discard of one row share a key: one of them wins. */
export const trashKey = (trashId: string, replay: number): string => `trash:${trashId}!${replay}`
const trashOrigin = (trashId: string, replay: number): string => originOf(trashKey(trashId, replay))

export function publishReplay(
  guard: Guard,
  { topologyId, nodeId, failedAt, trashId, run, message, edited, body, bulk }: ReplayMessage,
): Promise<Guarded> {
  const replay = message.replay + 1
  const id = edited ? `${message.id}!${replay}` : message.id
  const reply = encodeReply({
    kind: 'replay',
    hopKey: trashKey(trashId, replay),
    trashId,
    ...(failedAt !== undefined && { failedAt }),
    bulk,
    message: { ...untried, ...message, id, run, replay, trail: [] },
  })
  return guard.publish(
    {
      topologyId,
      origin: trashOrigin(trashId, replay),
      tail: replyTail(nodeId),
      headers: [[envelopeHeader, reply]],
      body,
    },
    null,
  )
}

export function publishDiscard(
  guard: Guard,
  { topologyId, nodeId, trashId, run, reason, replay, bulk }: DiscardMessage,
): Promise<Guarded> {
  const record = encodeRecord({ kind: 'discarded', run, nodeId, at: new Date().toISOString(), trashId, reason, bulk })
  return guard.publish(
    { topologyId, origin: trashOrigin(trashId, replay + 1), tail: ledgerTail, headers: [], body: record },
    null,
  )
}

/** As the leader has it. */
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
