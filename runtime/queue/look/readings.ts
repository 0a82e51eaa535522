import type { ConsumerInfo, StreamInfo } from '@nats-io/jetstream'
import type { Connection } from '../connection.ts'
import type { ControlQueues, NodeQueue, Reading, ReadQueue } from '../control.ts'
import { envelopeHeader } from '../envelope.ts'
import { openFloors } from '../janitor/floors.ts'
import type { Floors } from '../janitor/floors.ts'
import {
  eventFilter,
  generationFilter,
  generationOf,
  queueOwner,
  replyConsumer,
  replyFilter,
  streamName,
} from '../names.ts'
import { decodeReply } from '../reply.ts'
import { orNull } from '../streams.ts'
import { consumersOf } from './consumers.ts'

/**
 * Tells how far queues of a topology have been read, be their nodes in its plan or not. Asks the store for messages: a consumer's
 * own count of what waits lags behind it. Where it has looked before it doesn't look again.
 */
export function openReadings(connection: Connection): ControlQueues['readings'] {
  const known = new Map<string, { readonly epoch: string; readonly floors: Floors }>()
  const floorsOf = (topologyId: string, { created }: StreamInfo): Floors => {
    const before = known.get(topologyId)
    if (before?.epoch === created) return before.floors
    const floors = openFloors(connection, topologyId, streamName(topologyId))
    known.set(topologyId, { epoch: created, floors })
    return floors
  }
  return async (topologyId, isWanted, ever = []) => {
    const stream = streamName(topologyId)
    const info = await connection.jsm.streams.info(stream).catch(orNull)
    if (info === null) {
      known.delete(topologyId)
      return { last: 0, queues: [] }
    }
    const owned = (await consumersOf(connection, stream)).flatMap((consumer) => ownedOf(consumer) ?? [])
    const wanted = [...owned, ...withoutConsumer(topologyId, ever, owned)].filter(({ queue }) => isWanted(queue))
    const floors = floorsOf(topologyId, info)
    return { last: info.state.last_seq, queues: await Promise.all(wanted.map((each) => readingOf(floors, info, each))) }
  }
}

interface Owned {
  readonly queue: ReadQueue
  readonly consumer: ConsumerInfo | null
  readonly filter: string
}

/** Null: it reads no queue of a node. */
function ownedOf(consumer: ConsumerInfo): Owned | null {
  const { durable_name: name, filter_subject: filter } = consumer.config
  const nodeId = name === undefined || filter === undefined ? null : queueOwner(filter)
  if (nodeId === null || filter === undefined) return null
  const [, , , kind] = filter.split('.')
  const generation = kind === 'node' ? generationOf(filter) : null
  const isReplies = name === replyConsumer(nodeId)
  return { queue: { nodeId, isReplies, generation, isHeld: consumer.num_ack_pending > 0 }, consumer, filter }
}

/** A set of lanes counts as having consumers as long as one of its lanes has: what is stored in the others may be history. */
function withoutConsumer(topologyId: string, ever: readonly NodeQueue[], owned: readonly Owned[]): Owned[] {
  const keyOf = ({ nodeId, isReplies, generation }: NodeQueue): string => `${nodeId} ${isReplies} ${generation}`
  const known = new Set(owned.map(({ queue }) => keyOf(queue)))
  return ever
    .filter((queue) => !known.has(keyOf(queue)))
    .map((queue) => ({ queue: { ...queue, isHeld: false }, consumer: null, filter: filterOf(topologyId, queue) }))
}

function filterOf(topologyId: string, { nodeId, isReplies, generation }: NodeQueue): string {
  if (isReplies) return replyFilter(topologyId, nodeId)
  return generation === null ? eventFilter(topologyId, nodeId) : generationFilter(topologyId, nodeId, generation)
}

async function readingOf(floors: Floors, { state }: StreamInfo, { queue, consumer, filter }: Owned): Promise<Reading> {
  const acked = consumer?.ack_floor.stream_seq ?? 0
  const first = await floors.firstAfter(filter, acked, state.last_seq)
  const reply = queue.isReplies && first !== null ? decodeReply(first.header.get(envelopeHeader)) : null
  return {
    ...queue,
    consumer: consumer?.name ?? null,
    next: first?.seq ?? null,
    since: first?.time ?? null,
    leadsTo: reply?.kind === 'outputs' ? reply.followers.map(([, id]) => id) : [],
    isBlank: first === null && (state.messages === 0 || state.first_seq > acked),
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
