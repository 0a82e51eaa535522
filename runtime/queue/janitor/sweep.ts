import { AckPolicy, DeliverPolicy, JetStreamApiError } from '@nats-io/jetstream'
import type { JsMsg } from '@nats-io/jetstream'
import type { Connection } from '../connection.ts'
import { envelopeHeader } from '../envelope.ts'
import { ledgerTail, queueOwner, trashTail } from '../names.ts'
import { storedAt } from './stored.ts'

/**
 * Deletes, one by one, what is settled behind a message that holds the prefix of a stream. Like compaction it keeps this true:
 *
 *   **While a message can be delivered again or settled late, its successor is still there.**
 *
 * - What a message becomes is later in the stream, and belongs to the same node (a reply, a delayed message, an outcome) or to a
 *   follower. A node's bound is never above that of a node before it (bounds.ts), and messages are deleted in the stream's
 *   order, one after the other: so a message goes before its successor.
 * - A message up to its node's bound is acked and recorded, and the bounds are those of a round at least ten minutes ago: a
 *   server that crashes forgets newer acks only.
 * - Schedules are never deleted, nor what belongs to no node that the plans know.
 *
 * Not by purging subjects: a filtered purge looks through all of a stream (measured with 300 000 messages: 300 to 650 ms, in which
 * nobody publishes, however little it deletes); a deletion takes about 0.1 ms, and stalls nobody.
 */
export interface Sweep {
  /** One round; resolves with how many messages it deleted. Rejects when a request fails; the next round does that part again. */
  round(bounds: ReadonlyMap<string, number>): Promise<number>
}

/** Messages read at once. */
const portion = 500
/** Other streams have their turn, too. */
const roundMs = 5_000
const fetchMs = 2_000
const gone = { noMessage: 10037, noSequence: 10043 } as const

export function openSweep(connection: Connection, stream: string): Sweep {
  const place = new Place()
  return {
    async round(bounds) {
      const limit = Math.max(0, ...bounds.values())
      place.begin(bounds)
      if (place.next > limit) return 0
      const until = performance.now() + roundMs
      let deleted = 0
      for await (const messages of portionsOf(connection, stream, place.next, limit)) {
        const owners = await Promise.all(messages.map((message) => ownerOf(connection, stream, message)))
        const settled = messages.filter((message, n) => isSettled(message, owners[n] ?? null, bounds, place))
        // In order, one after the other: when one fails, what follows from it is still there.
        for (const { seq } of settled) await remove(connection, stream, seq)
        deleted += settled.length
        place.next = (messages.at(-1)?.seq ?? limit) + 1
        if (performance.now() > until) return deleted
      }
      place.next = limit + 1
      return deleted
    },
  }
}

/** How far the stream has been gone through, and what had to be left behind. */
class Place {
  next = 1
  /** By node: the first of its messages that was left. */
  readonly #left = new Map<string, number>()

  leave(nodeId: string, sequence: number): void {
    if (!this.#left.has(nodeId)) this.#left.set(nodeId, sequence)
  }

  /** Goes back once the bound of a node has come a good way through what was left: each message is read a few times at most. */
  begin(bounds: ReadonlyMap<string, number>): void {
    for (const [nodeId, from] of this.#left) {
      const cleared = (bounds.get(nodeId) ?? 0) - from
      if (cleared >= 0 && cleared >= (this.next - from) / 4) this.next = Math.min(this.next, from)
    }
    for (const [nodeId, from] of this.#left) if (from >= this.next) this.#left.delete(nodeId)
  }
}

/** Subjects and headers of all messages of a range. */
async function* portionsOf(connection: Connection, stream: string, from: number, to: number): AsyncGenerator<JsMsg[]> {
  const { name } = await connection.jsm.consumers.add(stream, {
    // Without a filter: to count what matches one, the server would look through the whole stream.
    ack_policy: AckPolicy.None,
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: from,
    headers_only: true,
    inactive_threshold: 30_000_000_000,
    mem_storage: true,
    num_replicas: 1,
  })
  try {
    const consumer = await connection.js.consumers.get(stream, name)
    for (;;) {
      const messages: JsMsg[] = []
      let pending = 0
      for await (const message of await consumer.fetch({ max_messages: portion, expires: fetchMs })) {
        pending = message.info.pending
        if (message.seq <= to) messages.push(message)
        if (message.seq >= to) break
      }
      if (messages.length > 0) yield messages
      if (messages.length < portion || pending === 0) return
    }
  } finally {
    await connection.jsm.consumers.delete(stream, name).catch(() => undefined)
  }
}

/** The node whose hop a message is the input, the reply or the outcome of; null for schedules and what nobody knows. */
async function ownerOf(
  connection: Connection,
  stream: string,
  { subject, seq, headers }: JsMsg,
): Promise<string | null> {
  const tail = subject.split('.')[3]
  if (tail === trashTail) return nodeIdOf(headers?.get(envelopeHeader) ?? '')
  if (tail !== ledgerTail) return queueOwner(subject)
  const record = await storedAt(connection, stream, seq)
  return record === null ? null : nodeIdOf(record.string())
}

function nodeIdOf(json: string): string | null {
  try {
    return (JSON.parse(json) as { nodeId?: string }).nodeId ?? null
  } catch {
    // The recorder has logged it; it goes with the prefix.
    return null
  }
}

function isSettled({ seq }: JsMsg, nodeId: string | null, bounds: ReadonlyMap<string, number>, place: Place): boolean {
  if (nodeId === null) return false
  if (seq <= (bounds.get(nodeId) ?? 0)) return true
  place.leave(nodeId, seq)
  return false
}

/** Deleted by another control meanwhile: just as well. */
async function remove(connection: Connection, stream: string, sequence: number): Promise<void> {
  try {
    await connection.jsm.streams.deleteMessage(stream, sequence, false)
  } catch (error) {
    const isGone = error instanceof JetStreamApiError && Object.values<number>(gone).includes(error.code)
    if (!isGone && (await storedAt(connection, stream, sequence)) !== null) throw error
  }
}
