import { Unavailable } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import { decodeEnvelope } from '../envelope.ts'
import { lastStored } from '../janitor/stored.ts'
import { decodeRecord } from '../ledger.ts'
import { hopKey, ledgerTail, originFilter, originOf, queueOwner, streamName, trashTail } from '../names.ts'
import type { Guard, Stored } from '../publish/guard.ts'
import { orNull } from '../streams.ts'
import type { Followed, Hop, Whereabouts } from './types.ts'

interface Deps {
  readonly connection: Connection
  readonly guard: Guard
}

const answerMs = 5_000
/** More than any graph has nodes and any policy rounds, in one look. */
const stepsMax = 1_000

/** Where each of them is; null: the topology's stream is gone. All are looked for at once. */
export async function followed(
  deps: Deps,
  topologyId: string,
  messages: readonly Followed[],
): Promise<Whereabouts[] | null> {
  const info = await deps.connection.jsm.streams.info(streamName(topologyId)).catch(orNull)
  if (info === null) return null
  const stream = { topologyId, epoch: info.created, first: info.state.first_seq }
  const at = { ...deps, ...stream, signal: AbortSignal.timeout(answerMs) }
  return Promise.all(messages.map((message) => follow(at, message)))
}

interface At extends Deps {
  readonly topologyId: string
  /** Of the stream. */
  readonly epoch: string
  /** Of the stream, before anything was looked for. */
  readonly first: number
  readonly signal: AbortSignal
}

async function follow(at: At, message: Followed): Promise<Whereabouts> {
  let { hop } = message
  for (let steps = 0; steps < stepsMax; steps++) {
    const stored = await at.guard.stored(at.topologyId, originOf(hopKey(hop, hop.nodeId)), at.signal)
    if (stored === null) return message.isLate ? rested(at, message.trashKey, hop) : { kind: 'here', hop }
    const next = after(at, hop, stored)
    if (next.kind !== 'here' || next.hop === hop) return next
    hop = next.hop
  }
  throw new Unavailable('nats', `a message has more than ${stepsMax} hops`)
}

/** What the hop left behind says of the message. `here` with the same hop: it is delayed. */
function after({ epoch }: At, hop: Hop, { tail, body, sequence, envelope }: Stored): Whereabouts {
  const [kind] = tail.split('.')
  if (kind === trashTail) return { kind: 'failed', trashId: originOf(hopKey(hop, hop.nodeId)), epoch, sequence }
  if (kind === 'later') return { kind: 'here', hop }
  if (kind === 'reply') return { kind: 'done' }
  if (kind === ledgerTail) {
    const record = decodeRecord(body)
    return { kind: record.kind === 'ended' && record.cancelled ? 'cancelled' : 'done' }
  }
  const { id, page, replay, round } = decodeEnvelope(envelope, nothing)
  return { kind: 'here', hop: { nodeId: queueOwner(`...${tail}`) ?? hop.nodeId, id, page, replay, round, sequence } }
}

const nothing = new Uint8Array()

/**
 * It hasn't been settled here, as far as is to be seen: is that because it waits, or because all of it is compacted? The janitor takes
 * away from the front, and a successor goes later than its message: so a message that is gone was settled.
 */
async function rested(at: At, trashKey: string, hop: Hop): Promise<Whereabouts> {
  const here = { kind: 'here' as const, hop }
  if (hop.sequence !== null && hop.sequence >= at.first) return here
  if (hop.sequence === null) {
    const entered = await shown(at, `${trashKey}/0`)
    if (entered !== null) return { kind: 'here', hop: { ...hop, sequence: entered.seq } }
    if ((await shown(at, trashKey)) !== null) return here
  }
  // It may have been settled between the two looks.
  return (await shown(at, hopKey(hop, hop.nodeId))) === null ? { kind: 'gone' } : here
}

/** As the leader has it: a copy may be behind. */
const shown = ({ connection, topologyId }: At, key: string) =>
  lastStored(connection, streamName(topologyId), originFilter(topologyId, originOf(key)))
