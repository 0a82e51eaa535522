import type { ConsumerInfo, StreamInfo } from '@nats-io/jetstream'
import type { Connection } from '../connection.ts'
import type { Reading, Readings, ReadQueue } from '../control.ts'
import { envelopeHeader } from '../envelope.ts'
import { openFloors } from '../janitor/floors.ts'
import type { Floors } from '../janitor/floors.ts'
import { queueOwner, replyConsumer, streamName } from '../names.ts'
import { decodeReply } from '../reply.ts'
import { orNull } from '../streams.ts'
import { consumersOf } from './consumers.ts'

type Look = (topologyId: string, isWanted: (queue: ReadQueue) => boolean) => Promise<Readings>

/**
 * Tells how far queues of a topology have been read, be their nodes in its plan or not. Asks the store for messages: a consumer's
 * own count of what waits lags behind it. Where it has looked before it doesn't look again.
 */
export function openReadings(connection: Connection): Look {
  const known = new Map<string, { readonly epoch: string; readonly floors: Floors }>()
  const floorsOf = (topologyId: string, { created }: StreamInfo): Floors => {
    const before = known.get(topologyId)
    if (before?.epoch === created) return before.floors
    const floors = openFloors(connection, topologyId, streamName(topologyId))
    known.set(topologyId, { epoch: created, floors })
    return floors
  }
  return async (topologyId, isWanted) => {
    const stream = streamName(topologyId)
    const info = await connection.jsm.streams.info(stream).catch(orNull)
    if (info === null) {
      known.delete(topologyId)
      return { last: 0, queues: [] }
    }
    const wanted: Owned[] = []
    for (const consumer of await consumersOf(connection, stream)) {
      const owned = ownedOf(consumer)
      if (owned !== null && isWanted(owned.queue)) wanted.push(owned)
    }
    const floors = floorsOf(topologyId, info)
    return { last: info.state.last_seq, queues: await Promise.all(wanted.map((each) => readingOf(floors, info, each))) }
  }
}

interface Owned {
  readonly queue: ReadQueue
  readonly consumer: ConsumerInfo
  readonly filter: string
}

/** Null: it reads no queue of a node. */
function ownedOf(consumer: ConsumerInfo): Owned | null {
  const { durable_name: name, filter_subject: filter } = consumer.config
  const nodeId = name === undefined || filter === undefined ? null : queueOwner(filter)
  if (nodeId === null || filter === undefined) return null
  const queue = { nodeId, isReplies: name === replyConsumer(nodeId), isHeld: consumer.num_ack_pending > 0 }
  return { queue, consumer, filter }
}

async function readingOf(
  floors: Floors,
  { state }: StreamInfo,
  { queue, consumer: { name, ack_floor }, filter }: Owned,
): Promise<Reading> {
  const acked = ack_floor.stream_seq
  const first = await floors.firstAfter(filter, acked, state.last_seq)
  const reply = queue.isReplies && first !== null ? decodeReply(first.header.get(envelopeHeader)) : null
  return {
    ...queue,
    consumer: name,
    next: first?.seq ?? null,
    leadsTo: reply?.kind === 'outputs' ? reply.followers.map(([, id]) => id) : [],
    isBlank: first === null && state.first_seq > acked,
  }
}

/** Deletes consumers of queues in which nothing is stored: made again later they would have nothing to replay. */
export async function deleteConsumers(
  { jsm }: Connection,
  topologyId: string,
  names: readonly string[],
): Promise<void> {
  for (const name of names) await jsm.consumers.delete(streamName(topologyId), name).catch(orNull)
}
