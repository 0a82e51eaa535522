import type { StoredMsg } from '@nats-io/jetstream'
import { Unavailable } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import { decodeEnvelope, envelopeHeader, headerBlock, waitHeader } from '../envelope.ts'
import type { DelayedFor } from '../limits/told.ts'
import { firstStored, lastStored } from '../janitor/stored.ts'
import type { Delay, Delays } from '../control.ts'
import { delayedConsumer, generationOf, laterTail, queueOwner, streamName, tailFilter } from '../names.ts'
import { PublishRefused, refusal } from '../publish/publisher.ts'
import type { Publisher } from '../publish/publisher.ts'
import { orNull } from '../streams.ts'

/** A delayed message: the server keeps it, and puts it into the node's queue when its delay is over. */
interface Delayed {
  readonly run: string
  readonly nodeId: string | null
}

/**
 * Messages of a stream that match a filter, from a sequence on, in order; each is looked up when it is asked for. Those that are
 * stored after this began don't come; a stream that isn't there has none.
 */
async function* storedFrom(
  connection: Connection,
  stream: string,
  filter: string,
  from: number,
): AsyncGenerator<StoredMsg> {
  const info = await connection.jsm.streams.info(stream).catch(orNull)
  const last = info?.state.last_seq ?? 0
  let sequence = from
  while (sequence <= last) {
    const message = await firstStored(connection, stream, sequence, filter)
    if (message === null || message.seq > last) return
    yield message
    sequence = message.seq + 1
  }
}

const portion = { max_messages: 1_000, expires: 2_000 }

/** A delayed message as its headers tell of it. */
interface Schedule {
  readonly sequence: number
  /** Subject of the queue into which it will be put. */
  readonly target: string
  /** RFC 3339: when. */
  readonly at: string
  readonly limit: DelayedFor | null
}

/**
 * The delayed messages of a topology, in the stream's order; reads headers only.
 * @throws Unavailable when its reader isn't shown all that the stream's leader had before: it is where a replica is behind
 */
async function* schedulesOf(connection: Connection, topologyId: string): AsyncGenerator<Schedule> {
  const stream = streamName(topologyId)
  const filter = tailFilter(topologyId, laterTail)
  const newest = await lastStored(connection, stream, filter).catch(orNull)
  if (newest === null) return
  let seen = 0
  const schedules = await connection.js.consumers.get(stream, { filter_subjects: filter, headers_only: true })
  try {
    for (let left = 1; left > 0;) {
      left = 0
      for await (const message of await schedules.fetch(portion)) {
        left = message.info.pending
        seen = message.seq
        const target = message.headers?.get('Nats-Schedule-Target') ?? ''
        const at = (message.headers?.get('Nats-Schedule') ?? '').replace(/^@at /, '')
        yield { sequence: message.seq, target, at, limit: limitOf(message.headers?.get(waitHeader) ?? '') }
        if (left === 0) break
      }
    }
  } finally {
    await schedules.delete().catch(() => undefined)
  }
  const missed = seen < newest.seq ? await firstStored(connection, stream, seen + 1, filter) : null
  // What has fired meanwhile isn't missed.
  if (missed !== null && missed.seq <= newest.seq)
    throw new Unavailable('nats', `the copy of ${stream} that was read for delays is behind its leader`)
}

const limitOf = (header: string): DelayedFor | null => (header === '' ? null : (JSON.parse(header) as DelayedFor))

/**
 * Into which generations of which nodes (by id) the delayed messages of a topology will be put.
 * @throws Unavailable as `schedulesOf` does
 */
export async function delayedInto(connection: Connection, topologyId: string): Promise<Map<string, Set<number>>> {
  const found = new Map<string, Set<number>>()
  for await (const { target } of schedulesOf(connection, topologyId)) {
    const nodeId = queueOwner(target)
    if (nodeId !== null) found.set(nodeId, (found.get(nodeId) ?? new Set()).add(generationOf(target)))
  }
  return found
}

/** A look at delays reads so many of them at most. */
const delaysMax = 50_000

/**
 * The delayed messages of each node of a topology. Asks the server first whether there are any, which costs little.
 * @throws Unavailable as `schedulesOf` does
 */
export async function delaysOf(connection: Connection, topologyId: string): Promise<Delays> {
  const nodes = new Map<string, Delay[]>()
  const info = await connection.jsm.consumers.info(streamName(topologyId), delayedConsumer).catch(orNull)
  if ((info?.num_pending ?? 0) === 0) return { nodes, isComplete: true }
  let read = 0
  for await (const { sequence, target, at, limit } of schedulesOf(connection, topologyId)) {
    if (++read > delaysMax) return { nodes, isComplete: false }
    const nodeId = queueOwner(target)
    if (nodeId === null) continue
    const delays = nodes.get(nodeId) ?? []
    if (delays.length === 0) nodes.set(nodeId, delays)
    delays.push({ sequence, at, limit })
  }
  for (const delays of nodes.values()) delays.sort((a, b) => (a.at < b.at ? -1 : 1))
  return { nodes, isComplete: true }
}

/** Makes the delayed messages of a topology that `isMeant` picks due at once; one that fires meanwhile fires once. Answers how many. */
export async function hasten(
  { connection, publisher }: { connection: Connection; publisher: Publisher },
  topologyId: string,
  isMeant: (delayed: Delayed) => boolean,
): Promise<number> {
  let hastened = 0
  const filter = tailFilter(topologyId, laterTail)
  for await (const message of storedFrom(connection, streamName(topologyId), filter, 1)) {
    if (isMeant(delayedOf(message)) && (await fireNow(publisher, message))) hastened++
  }
  return hastened
}

function delayedOf({ header, data }: StoredMsg): Delayed {
  const { run } = decodeEnvelope(header.get(envelopeHeader), data)
  return { run, nodeId: queueOwner(header.get('Nats-Schedule-Target')) }
}

/** Put on its own subject again on the condition that it is still there, which replaces it. False when it has fired meanwhile. */
async function fireNow(publisher: Publisher, { subject, seq, header, data }: StoredMsg): Promise<boolean> {
  return (await fireAt(publisher, { subject, seq, header, data }, new Date().toISOString())) !== null
}

/** Resolves with the sequence that it has now; null: it has fired meanwhile. `isTurn`: whose limit it waits for is still said. */
async function fireAt(
  publisher: Publisher,
  { subject, seq, header, data }: Pick<StoredMsg, 'subject' | 'seq' | 'header' | 'data'>,
  at: string,
  isTurn = false,
): Promise<number | null> {
  const headers = [
    ['Nats-Schedule', `@at ${at}`],
    ['Nats-Schedule-Target', header.get('Nats-Schedule-Target')],
    ['Nats-Expected-Last-Subject-Sequence', String(seq)],
    ...(isTurn ? [[waitHeader, header.get(waitHeader)] as const] : []),
    [envelopeHeader, header.get(envelopeHeader)],
  ] as const
  try {
    return await publisher.publish(subject, headerBlock(headers), data)
  } catch (error) {
    if (error instanceof PublishRefused && error.code === refusal.settled) return null
    throw error
  }
}

/** A message that waits for its turn at a limit. */
export interface Turned {
  readonly nodeId: string
  readonly limit: DelayedFor
  /** RFC 3339 */
  readonly at: string
}

interface Moving {
  /** When a message that waits for a turn shall come instead (RFC 3339); null: as it is. Asked for each, in the stream's order. */
  readonly to: (turned: Turned) => Promise<string | null>
  /** Called for each message that is read, whatever it waits for. When it rejects, nothing more is moved. */
  readonly onRead: () => Promise<void>
}

/** Messages that are read and put again side by side. */
const movedAtOnce = 32

/**
 * Moves messages that wait for a turn. One that fires meanwhile fires once, and so does one that several move. Reads headers only, but of those
 * that are moved. Answers how many were.
 * @throws Unavailable as `schedulesOf` does
 */
export async function moveTurns(
  { connection, publisher }: { connection: Connection; publisher: Publisher },
  topologyId: string,
  { to, onRead }: Moving,
): Promise<number> {
  const stream = streamName(topologyId)
  // They come once more at the stream's end, and have their turns already.
  const moved = new Set<number>()
  let due: (readonly [sequence: number, at: string])[] = []
  const move = async ([seq, at]: readonly [number, string]): Promise<void> => {
    const message = await connection.jsm.streams.getMessage(stream, { seq }).catch(orNull)
    const now = message === null ? null : await fireAt(publisher, message, at, true)
    if (now !== null) moved.add(now)
  }
  for await (const { sequence, target, at, limit } of schedulesOf(connection, topologyId)) {
    await onRead()
    const nodeId = queueOwner(target)
    const isTurn = limit !== null && nodeId !== null && !moved.has(sequence)
    const sooner = isTurn ? await to({ nodeId, limit, at }) : null
    if (sooner === null || due.push([sequence, sooner]) < movedAtOnce) continue
    await Promise.all(due.map(move))
    due = []
  }
  await Promise.all(due.map(move))
  return moved.size
}
