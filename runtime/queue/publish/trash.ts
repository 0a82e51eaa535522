import { untried } from '../../protocol/message.ts'
import type { DiscardMessage, ReplayMessage } from '../control.ts'
import { envelopeHeader } from '../envelope.ts'
import { encodeRecord } from '../ledger.ts'
import { ledgerTail, originOf, replyTail } from '../names.ts'
import { encodeReply } from '../reply.ts'
import type { Guard } from './guard.ts'
import type { Guarded } from './guarded.ts'

/** Replay and discard of one row share a key: one of them wins. */
export const trashKey = (trashId: string, replay: number): string => `trash:${trashId}!${replay}`
export const trashOrigin = (trashId: string, replay: number): string => originOf(trashKey(trashId, replay))

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
