import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  JetStreamApiError,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream'
import type { ConsumerInfo } from '@nats-io/jetstream'
import { isEventNode, isOrdered } from '../topology/plan.ts'
import type { Plan, PlanNode } from '../topology/plan.ts'
import type { Connection } from './connection.ts'
import { raiseCopies } from './look/copies.ts'
import type { Copies } from './look/copies.ts'
import type { Backlog, StreamMark, QueueDepth, Storage } from './control.ts'
import { ackWaitMs } from './deliver/lease.ts'
import { firstStored } from './janitor/stored.ts'
import { consumersOf } from './look/consumers.ts'
import {
  delayedConsumer,
  inputQueues,
  isOwnConsumer,
  laterTail,
  replyConsumer,
  replyFilter,
  streamName,
  subjectsOf,
  tailFilter,
} from './names.ts'

const nanos = (ms: number): number => ms * 1_000_000
/** Replies of a parallel node split side by side; an ordered node's and a batch node's one after the other (I5). */
const parallelReplies = 20
const codes = {
  streamNotFound: 10059,
  consumerNotFound: 10014,
  /** With another configuration: somebody made it at the same time, from another `bornAt`. */
  consumerExists: 10148,
} as const

/** Makes the stream and the durable consumers of a plan, or brings them up to date; idempotent, safe from many processes. */
export async function ensureQueues(connection: Connection, plan: Plan, copies: Copies): Promise<void> {
  await ensureStream(connection, plan.topologyId, copies)
  await Promise.all([
    ...wantedConsumers(plan).map((wanted) => ensureConsumer(connection, plan.topologyId, wanted)),
    ensureDelayedCount(connection, plan.topologyId),
  ])
}

/** A durable consumer as the plan wants it. */
interface WantedConsumer {
  readonly name: string
  readonly filter: string
  readonly maxAckPending: number
}

/** The readers of all queues of a plan: without one of them, what waits in its queue would look settled. */
export function wantedConsumers(plan: Plan): WantedConsumer[] {
  const { topologyId, nodes } = plan
  const byId = new Map(nodes.map((node) => [node.id, node]))
  return nodes.flatMap((node) => [
    ...inputQueues(topologyId, node).map(({ consumer, filter, generation }) => ({
      name: consumer,
      filter,
      maxAckPending: generation?.prefetch ?? heldAtOnce(node, byId),
    })),
    {
      name: replyConsumer(node.id),
      filter: replyFilter(topologyId, node.id),
      maxAckPending: repliesAtOnce(node, byId),
    },
  ])
}

async function ensureStream(connection: Connection, topologyId: string, copies: Copies): Promise<void> {
  const name = streamName(topologyId)
  const known = await connection.jsm.streams.info(name).catch(orNull)
  if (known !== null) {
    // A deletion that was given up halfway may have closed it.
    if (known.config.subjects[0] !== subjectsOf(topologyId))
      await connection.jsm.streams.update(name, { subjects: [subjectsOf(topologyId)] })
    return raiseCopies(connection, known, copies)
  }
  await connection.jsm.streams.add({
    name,
    subjects: [subjectsOf(topologyId)],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    // Without limits nothing is ever discarded; the server takes schedules only with this policy.
    discard: DiscardPolicy.Old,
    num_replicas: copies.replicas,
    allow_direct: true,
    allow_atomic: true,
    allow_msg_schedules: true,
    // The guard replaces it; the server wants at least 100 ms.
    duplicate_window: nanos(1_000),
  })
}

function heldAtOnce(node: PlanNode, byId: ReadonlyMap<string, PlanNode>): number {
  if (!isEventNode(node)) return node.prefetch
  return node.followers.some((id) => isOrdered(byId.get(id) ?? node)) ? 1 : parallelReplies
}

function repliesAtOnce(node: PlanNode, byId: ReadonlyMap<string, PlanNode>): number {
  const inOrder = node.type === 'batch' || isOrdered(node) || (isEventNode(node) && heldAtOnce(node, byId) === 1)
  return inOrder ? 1 : parallelReplies
}

/**
 * Durable, without an inactive threshold. One that was deleted by hand or lost begins with the oldest message again, since
 * anything of its queue may be unsettled: its readers ask of each message up to `bornAt` before they call (delivery.ts).
 */
async function ensureConsumer(
  connection: Connection,
  topologyId: string,
  { name, filter, maxAckPending }: WantedConsumer,
): Promise<void> {
  const stream = streamName(topologyId)
  const known = await connection.jsm.consumers.info(stream, name).catch(orNull)
  if (known?.config.max_ack_pending === maxAckPending && known.config.filter_subject === filter) return
  if (known !== null) {
    await connection.jsm.consumers.update(stream, name, { max_ack_pending: maxAckPending, filter_subject: filter })
    return
  }
  // After it was found to be gone: what comes later was delivered by none before.
  const { state } = await connection.jsm.streams.info(stream)
  const made = connection.jsm.consumers.add(stream, {
    durable_name: name,
    filter_subject: filter,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ackWaitMs),
    deliver_policy: DeliverPolicy.All,
    max_ack_pending: maxAckPending,
    max_deliver: -1,
    max_waiting: 512,
    metadata: { [bornAtKey]: String(state.last_seq) },
  })
  await made.catch(unless(codes.consumerExists))
}

/** The server keeps count for this consumer. To count them when asked, it would look through the whole stream. */
async function ensureDelayedCount({ jsm }: Connection, topologyId: string): Promise<void> {
  const stream = streamName(topologyId)
  if ((await jsm.consumers.info(stream, delayedConsumer).catch(orNull)) !== null) return
  await jsm.consumers.add(stream, {
    durable_name: delayedConsumer,
    filter_subject: tailFilter(topologyId, laterTail),
    ack_policy: AckPolicy.None,
    headers_only: true,
  })
}

const bornAtKey = 'sluice-born-at'

/**
 * The stream's last sequence when the consumer was about to be made: what is later was never delivered by a forerunner that was
 * lost, so it can't have been settled.
 */
export function bornAt(info: ConsumerInfo): number {
  const text = info.config.metadata?.[bornAtKey]
  return text === undefined ? 0 : Number(text)
}

/** For `.catch`: a stream or consumer that isn't there is null, anything else is thrown on. */
export const orNull = unless(codes.streamNotFound, codes.consumerNotFound)

/** For `.catch`: null for errors of the server with one of these codes, anything else is thrown on. */
function unless(...expected: readonly number[]): (error: unknown) => null {
  return (error) => {
    if (error instanceof JetStreamApiError && expected.includes(error.code)) return null
    throw error
  }
}

/** One request for each 256 consumers, whatever is stored: the server keeps these figures. */
export async function depthsOf(connection: Connection, plan: Plan): Promise<QueueDepth[]> {
  const found = (await consumersOf(connection, streamName(plan.topologyId)).catch(orNull)) ?? []
  const byName = new Map(found.map((info) => [info.name, info]))
  return plan.nodes.map((node) => {
    const inputs = inputQueues(plan.topologyId, node).map(({ consumer }) => byName.get(consumer) ?? null)
    return {
      nodeId: node.id,
      pending: pendingIn(inputs),
      inFlight: inputs.reduce((sum, info) => sum + (info?.num_ack_pending ?? 0), 0),
      places: inputs.reduce((sum, info) => sum + (info?.config.max_ack_pending ?? 0), 0),
      replies: waitingIn(byName.get(replyConsumer(node.id)) ?? null),
    }
  })
}

/** Messages that wait for delivery to these consumers together; one that isn't there counts nothing. */
export async function pendingOf(
  connection: Connection,
  topologyId: string,
  consumers: readonly string[],
): Promise<number> {
  return pendingIn(await infosOf(connection, streamName(topologyId), consumers))
}

/** Null for one that isn't there. */
function infosOf({ jsm }: Connection, stream: string, consumers: readonly string[]): Promise<(ConsumerInfo | null)[]> {
  return Promise.all(consumers.map((consumer) => jsm.consumers.info(stream, consumer).catch(orNull)))
}

function pendingIn(infos: readonly (ConsumerInfo | null)[]): number {
  return infos.reduce((sum, info) => sum + (info?.num_pending ?? 0), 0)
}

/** Sequence of the node's first stored reply that isn't split yet; null: none. Asks the store: a count of pending messages lags. */
export async function firstUnsplitReply(
  connection: Connection,
  topologyId: string,
  nodeId: string,
): Promise<number | null> {
  const stream = streamName(topologyId)
  const info = await connection.jsm.consumers.info(stream, replyConsumer(nodeId))
  const filter = replyFilter(topologyId, nodeId)
  return (await firstStored(connection, stream, info.ack_floor.stream_seq + 1, filter))?.seq ?? null
}

/** Sequence of what was stored last in the topology's stream. */
export async function lastSequence(connection: Connection, topologyId: string): Promise<number> {
  return (await connection.jsm.streams.info(streamName(topologyId))).state.last_seq
}

function waitingIn(info: ConsumerInfo | null): number {
  return (info?.num_pending ?? 0) + (info?.num_ack_pending ?? 0)
}

/** Two requests, whatever is stored: the server keeps these figures. */
export async function backlogOf(connection: Connection, topologyId: string): Promise<Backlog> {
  const stream = streamName(topologyId)
  const info = await connection.jsm.streams.info(stream).catch(orNull)
  if (info === null) return { messages: 0, bytes: 0 }
  const consumers = (await consumersOf(connection, stream)).filter(({ name }) => isOwnConsumer(name))
  const messages = consumers.reduce((sum, consumer) => sum + waitingIn(consumer), 0)
  return { messages, bytes: info.state.bytes }
}

/** By topology id, each stream that there is. */
export async function marksOf({ jsm }: Connection): Promise<Map<string, StreamMark>> {
  const marks = new Map<string, StreamMark>()
  const prefix = streamName('')
  for await (const { config, state } of jsm.streams.list()) {
    const { last_seq: last, messages, bytes } = state
    if (config.name.startsWith(prefix)) marks.set(config.name.slice(prefix.length), { last, messages, bytes })
  }
  return marks
}

export async function storageOf({ jsm }: Connection): Promise<Storage> {
  const { storage, limits } = await jsm.getAccountInfo()
  return { usedBytes: storage, limitBytes: limits.max_storage > 0 ? limits.max_storage : null }
}
