import type { ConsumerInfo, StoredMsg } from '@nats-io/jetstream'
import { isEventNode } from '../../topology/plan.ts'
import type { PlanNode } from '../../topology/plan.ts'
import type { Connection } from '../connection.ts'
import type { Peek, Peeked, StoredMessage } from '../control.ts'
import { decodeEnvelope, envelopeHeader } from '../envelope.ts'
import { firstStored, storedAt } from '../janitor/stored.ts'
import { eventFilter, hopKey, inputQueues, nodeFilter, originOf, queueOwner, streamName } from '../names.ts'
import type { InputQueue } from '../names.ts'
import type { Guard } from '../publish/guard.ts'
import { bornAt, orNull } from '../streams.ts'

/**
 * Looks into a node's queue without taking anything: each message is read from the stream's leader by its place, no consumer is made.
 */

interface Deps {
  readonly connection: Connection
  readonly guard: Guard
}

type Found = Peeked['items'][number]

/** Messages may be 8 MiB each. */
const bytesMax = 32 * 1024 * 1024
/** Messages behind the first unsettled one are mostly settled: so many are looked at to find the others. */
const doubtsMax = 500
const askMs = 2_000

export async function peekAt(deps: Deps, topologyId: string, node: PlanNode, peek: Peek): Promise<Peeked> {
  const { connection } = deps
  const queues = inputQueues(topologyId, node)
  const stream = streamName(topologyId)
  const infos = await Promise.all(
    queues.map(({ consumer }) => connection.jsm.consumers.info(stream, consumer).catch(orNull)),
  )
  const held = infos.reduce((sum, info) => sum + (info?.num_ack_pending ?? 0), 0)
  const isAllKnown = held <= peek.held.size
  const sources = queues.map((queue, n) => queued(deps, { stream, node, queue, peek, isAllKnown }, infos[n] ?? null))
  return taken(merged([heldOf(connection, stream, peek), ...sources]), peek)
}

/** In the stream's order, from sources that are each in that order. */
async function* merged(sources: readonly AsyncGenerator<Found>[]): AsyncGenerator<Found> {
  const heads = await Promise.all(sources.map(async (source) => ({ source, result: await source.next() })))
  for (;;) {
    let first: { source: AsyncGenerator<Found>; result: IteratorResult<Found> } | null = null
    for (const head of heads)
      if (head.result.done !== true && (first === null || head.result.value.sequence < sequenceOf(first.result)))
        first = head
    if (first === null || first.result.done === true) return
    yield first.result.value
    first.result = await first.source.next()
  }
}

const sequenceOf = (result: IteratorResult<Found>): number => (result.done === true ? Infinity : result.value.sequence)

async function taken(found: AsyncGenerator<Found>, { limit, states }: Peek): Promise<Peeked> {
  const items: Found[] = []
  let bytes = 0
  for await (const one of found) {
    if (!states[one.state]) continue
    items.push(one)
    bytes += one.message.body.length
    if (items.length >= limit || bytes >= bytesMax) return { items, more: true }
  }
  return { items, more: false }
}

async function* heldOf(connection: Connection, stream: string, { held, after, states }: Peek): AsyncGenerator<Found> {
  if (!states.held) return
  for (const sequence of [...held].sort((a, b) => a - b)) {
    const stored = sequence > after ? await storedAt(connection, stream, sequence) : null
    if (stored !== null) yield { ...shown(stored), state: 'held' }
  }
}

interface Place {
  readonly stream: string
  readonly node: PlanNode
  readonly queue: InputQueue
  readonly peek: Peek
  /** The bridges hold all that is unsettled of what was delivered. */
  readonly isAllKnown: boolean
}

/**
 * What of a queue no bridge has said to hold. Up to where it was delivered, most is settled: what isn't was held by somebody who is
 * gone, or doesn't answer. A consumer that was made anew delivers from the beginning what its forerunner had.
 */
async function* queued(deps: Deps, place: Place, info: ConsumerInfo | null): AsyncGenerator<Found> {
  const { stream, queue, peek, isAllKnown } = place
  if (info === null) return
  const { connection } = deps
  const delivered = info.delivered.stream_seq
  const doubtful = Math.max(delivered, bornAt(info))
  const isSkipped = isAllKnown && doubtful === delivered
  let sequence = Math.max(peek.after, isSkipped ? delivered : info.ack_floor.stream_seq) + 1
  for (let doubts = 0; ;) {
    const stored = await firstStored(connection, stream, sequence, queue.filter)
    if (stored === null) return
    sequence = stored.seq + 1
    if (peek.held.has(stored.seq)) continue
    if (stored.seq > doubtful) {
      yield { ...shown(stored), state: 'waiting' }
      continue
    }
    if (!(await isSettled(deps, place, stored)))
      yield { ...shown(stored), state: stored.seq > delivered ? 'waiting' : 'held' }
    if (++doubts >= doubtsMax) sequence = Math.max(sequence, doubtful + 1)
  }
}

function isSettled({ guard }: Deps, { node }: Place, stored: StoredMsg): Promise<boolean> {
  const origin = originOf(hopKey(decodeEnvelope(stored.header.get(envelopeHeader), stored.data), node.id))
  const [, topologyId = ''] = stored.subject.split('.')
  return guard.isStored(topologyId, origin, AbortSignal.timeout(askMs))
}

function shown({ seq, time, header, data }: StoredMsg): StoredMessage {
  return { sequence: seq, storedAt: time, message: decodeEnvelope(header.get(envelopeHeader), data) }
}

export async function tailOf(
  connection: Connection,
  topologyId: string,
  node: PlanNode,
  after: number | null,
  limit: number,
): Promise<{ items: StoredMessage[]; next: number }> {
  const stream = streamName(topologyId)
  const filter = isEventNode(node) ? eventFilter(topologyId, node.id) : nodeFilter(topologyId, node.id)
  const { state } = await connection.jsm.streams.info(stream)
  const items: StoredMessage[] = []
  let bytes = 0
  // A stream that was made anew counts from the beginning.
  let next = after === null || after > state.last_seq ? state.last_seq : after
  while (next < state.last_seq) {
    const stored = await firstStored(connection, stream, next + 1, filter)
    if (stored === null || stored.seq > state.last_seq) return { items, next: state.last_seq }
    next = stored.seq
    items.push(shown(stored))
    bytes += stored.data.length
    if (items.length >= limit || bytes >= bytesMax) break
  }
  return { items, next }
}

export async function messageOf(
  connection: Connection,
  topologyId: string,
  nodeId: string,
  sequence: number,
): Promise<StoredMessage | null> {
  const stored = await storedAt(connection, streamName(topologyId), sequence)
  if (stored === null) return null
  const [, , , kind] = stored.subject.split('.')
  const subject = kind === 'later' ? stored.header.get('Nats-Schedule-Target') : stored.subject
  return kind !== 'reply' && queueOwner(subject) === nodeId ? shown(stored) : null
}
