import { setTimeout as wait } from 'node:timers/promises'
import { Stopped, textOf, Unavailable, Unsure } from '../../errors.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Connection } from '../connection.ts'
import type { Guarded } from './guarded.ts'
import { envelopeHeader, guardHeaders, headerBlock } from '../envelope.ts'
import type { Lease } from '../deliver/lease.ts'
import { originFilter, streamName } from '../names.ts'
import { LostAck, PublishRefused, refusal } from './publisher.ts'
import type { Publisher } from './publisher.ts'

/**
 * The guarded publish (I2): whatever a hop publishes carries the condition that nothing was published below its origin before.
 * The queue itself is the memory of what has been done: a hop settles once, with one verdict, whoever tries again and however late.
 */
export interface GuardedPublish {
  readonly topologyId: string
  readonly origin: string
  /** Last tokens of the subject: `node.<id>.0`, `ledger`, … */
  readonly tail: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Uint8Array
}

/** The held message from which something is published: while it is in the stream, so is whatever was published from it. */
export interface Claim {
  readonly lease: Lease
  readonly sequence: number
}

/** What is stored below an origin. */
export interface Stored {
  /** Last tokens of the subject, as in `GuardedPublish`. */
  readonly tail: string
  readonly body: Uint8Array
  readonly sequence: number
  /** As it is stored; see envelope.ts. */
  readonly envelope: string
}

export interface Guard {
  /**
   * Publishes, again and again while JetStream can't take it (away, disk full), until it is stored or known to be settled.
   * With a claim whose lease is void it first asks whether the claimed message is still there, and goes on only if it is.
   * @throws Stopped when `signal` aborts first; PublishRefused (`refusal.tooLarge`) when it can never be stored; without a claim also
   * Unavailable when NATS can't be asked or refuses it, and Unsure when its answer is lost: then it may be stored
   */
  publish(publish: GuardedPublish, claim: Claim | null, signal?: AbortSignal): Promise<Guarded>
  /** Was anything published below the origin? A message that is gone was settled and compacted: its successor goes later than it. */
  ask(topologyId: string, origin: string, claim: Claim, signal?: AbortSignal): Promise<'open' | 'settled'>
  /** Body of what was published last below the origin; null when nothing is found there (any more, or yet: on a cluster a copy may lag). */
  published(topologyId: string, origin: string, signal?: AbortSignal): Promise<Uint8Array | null>
  /** The same, with the end of its subject. */
  stored(topologyId: string, origin: string, signal?: AbortSignal): Promise<Stored | null>
  /** Is something stored below the origin? */
  isStored(topologyId: string, origin: string, signal?: AbortSignal): Promise<boolean>
  /** May be published from this message, now? Then its successors are still there, if it has some, and the guard sees them. */
  mayPublish(topologyId: string, claim: Claim, signal?: AbortSignal): Promise<boolean>
}

/** What was learned by asking counts for so long: a process may have been stopped between the answer and what follows from it. */
const freshMs = 5_000
const retryMs = 500
/** A leader has what was stored long before. */
const catchUpMs = 60_000
/** Looks for a message in the middle of a stream, after the first one, before it counts as deleted. */
const enoughMisses = 2
/** Nobody serves that now: JetStream starts, or a leader is being elected. */
const noResponders = 503
/** The server's code for a message that isn't there. */
const noMessage = 10037
const complainEveryMs = 30_000
const encoder = new TextEncoder()
const empty = new Uint8Array()

/** @param replicas copies of each stream: of several, each may be asked, and the one that answers may be behind */
export function openGuard(connection: Connection, publisher: Publisher, log: Log, replicas: number): Guard {
  const deps = { connection, publisher, log }
  const stored: Guard['stored'] = (topologyId, origin, signal) => read(deps, placeOf(topologyId, origin), signal)
  const published: Guard['published'] = async (...place) => (await stored(...place))?.body ?? null
  const isStored: Guard['isStored'] = async (...place) => (await published(...place)) !== null
  const isThere = (topologyId: string, { sequence }: Claim, signal?: AbortSignal): Promise<boolean> =>
    isKept(deps, streamName(topologyId), sequence, signal)

  const ask: Guard['ask'] = async (topologyId, origin, claim, signal) => {
    if (await isStored(topologyId, origin, signal)) return 'settled'
    if (replicas > 1 && (await isLastShown(deps, topologyId, origin, signal))) return 'settled'
    // In this order: a successor that went between the two looks went after its message.
    return (await isThere(topologyId, claim, signal)) ? 'open' : 'settled'
  }
  const mayPublish: Guard['mayPublish'] = async (topologyId, claim, signal) => {
    while (!claim.lease.valid()) {
      const asked = performance.now()
      if (!(await isThere(topologyId, claim, signal))) return false
      if (performance.now() - asked < freshMs) return true
    }
    return true
  }

  const publish: Guard['publish'] = async (one, claim, signal) => {
    const subject = `sluice.${one.topologyId}.${one.origin}.${one.tail}`
    const block = headerBlock([...guardHeaders(originFilter(one.topologyId, one.origin)), ...one.headers])
    let complainAt = 0
    for (;;) {
      if (signal?.aborted) throw new Stopped('stopped before the message could be stored')
      if (claim !== null && !claim.lease.valid() && !(await mayPublish(one.topologyId, claim, signal))) return 'settled'
      try {
        await publisher.publish(subject, block, one.body)
        return 'accepted'
      } catch (error) {
        const next = afterFailure(error, claim)
        if (next === 'settled') return 'settled'
        if (next === retryMs && performance.now() >= complainAt) {
          log.error('NATS refuses to store a message, trying again', { subject, error: textOf(error) })
          complainAt = performance.now() + complainEveryMs
        }
        await pause(connection, next, signal)
      }
    }
  }
  return { publish, ask, published, stored, isStored, mayPublish }
}

const placeOf = (topologyId: string, origin: string): string =>
  `${streamName(topologyId)}.${originFilter(topologyId, origin)}`

/** What follows from a publish that failed: settled, or try again after so many milliseconds. */
function afterFailure(error: unknown, claim: Claim | null): 'settled' | number {
  if (error instanceof PublishRefused && error.code === refusal.settled) return 'settled'
  if (error instanceof PublishRefused && error.code === refusal.undecided) return 5 + Math.random() * 20
  if (claim === null) throw notStored(error)
  if (error instanceof LostAck || error instanceof Unavailable) return 0
  if (error instanceof PublishRefused && !refusal.tooLarge.includes(error.code)) return retryMs
  throw error
}

function notStored(error: unknown): Unavailable {
  if (error instanceof LostAck)
    return new Unsure('nats', `NATS didn't say whether it has stored the message (${error.message}): it may have`, {
      cause: error,
    })
  const isFull = error instanceof PublishRefused && refusal.full.includes(error.code)
  const advice = isFull ? ': its storage is full; raise max_file_store, or let what is queued be finished' : ''
  return new Unavailable('nats', `NATS can't store the message (${textOf(error)})${advice}`, { cause: error })
}

type Answer = Awaited<ReturnType<Publisher['request']>>

async function pause(connection: Connection, ms: number, signal?: AbortSignal): Promise<void> {
  if (ms > 0) await wait(ms, undefined, { signal }).catch(() => undefined)
  await connection.whenConnected(signal).catch((error: unknown) => {
    throw signal?.aborted ? new Stopped('stopped while NATS is away', { cause: error }) : error
  })
}

interface Reach {
  readonly connection: Connection
  readonly publisher: Publisher
  readonly log: Log
}

/** A direct get of the last message of a subject, or null. */
function read(reach: Reach, place: string, signal?: AbortSignal): Promise<Stored | null> {
  return untilAnswered(reach, `$JS.API.DIRECT.GET.${place}`, empty, signal, ({ headers, data }) => {
    if (headers?.code === 404) return null
    if (headers?.code !== 0) return undefined
    const tail = headers.get('Nats-Subject').split('.').slice(3).join('.')
    return { tail, body: data, sequence: Number(headers.get('Nats-Sequence')), envelope: headers.get(envelopeHeader) }
  })
}

/**
 * Is the message still there? Asked of the stream's leader: any replica answers a direct get, also one that was away and may still
 * show what is compacted. But a server that has just become the leader, or still thinks that it is, may not show what is there
 * (seen after kills of one of three servers). So a message is gone when it is before the first one, or when it isn't shown again
 * and again by who has reached it.
 */
async function isKept(reach: Reach, stream: string, sequence: number, signal?: AbortSignal): Promise<boolean> {
  const until = performance.now() + catchUpMs
  let missed = 0
  for (;;) {
    if (await isShown(reach, stream, sequence, signal)) return true
    const { first, last } = await rangeOf(reach, stream, signal)
    if (sequence < first || missed === enoughMisses) return false
    if (performance.now() > until) {
      // Not a leader that is behind, but a stream that was restored from before the message: there it has never been.
      reach.log.error('a message that is held is unknown to its stream, which ends before it', {
        stream,
        sequence,
        last,
      })
      return false
    }
    if (sequence <= last) missed++
    else await pause(reach.connection, 100, signal)
  }
}

function isShown(reach: Reach, stream: string, sequence: number, signal?: AbortSignal): Promise<boolean> {
  return leaderShows(reach, stream, { seq: sequence }, signal)
}

/** Does the leader show something below the origin? */
function isLastShown(reach: Reach, topologyId: string, origin: string, signal?: AbortSignal): Promise<boolean> {
  return leaderShows(reach, streamName(topologyId), { last_by_subj: originFilter(topologyId, origin) }, signal)
}

function leaderShows(reach: Reach, stream: string, what: object, signal?: AbortSignal): Promise<boolean> {
  const query = encoder.encode(JSON.stringify(what))
  return untilAnswered(reach, `$JS.API.STREAM.MSG.GET.${stream}`, query, signal, (answer) => {
    const { message, error } = answer.json<{ message?: object; error?: { err_code?: number } }>()
    if (message !== undefined) return true
    return error?.err_code === noMessage ? false : undefined
  })
}

/** First and last sequence of a stream, by one and the same server. */
function rangeOf(reach: Reach, stream: string, signal?: AbortSignal): Promise<{ first: number; last: number }> {
  return untilAnswered(reach, `$JS.API.STREAM.INFO.${stream}`, empty, signal, (answer) => {
    const { state } = answer.json<{ state?: { first_seq: number; last_seq: number } }>()
    return state && { first: state.first_seq, last: state.last_seq }
  })
}

/** Asks until the answer says something. Any failure but "not found" is tried again: it must never be read as "none". */
async function untilAnswered<T>(
  { connection, publisher }: Reach,
  subject: string,
  query: Uint8Array,
  signal: AbortSignal | undefined,
  read: (answer: Answer) => T | undefined,
): Promise<T> {
  for (;;) {
    try {
      const answer = await publisher.request(subject, query)
      const found = answer.headers?.code === noResponders ? undefined : read(answer)
      if (found !== undefined) return found
    } catch (error) {
      if (!(error instanceof LostAck || error instanceof Unavailable)) throw error
    }
    if (signal?.aborted) throw new Stopped('stopped while asking NATS')
    await pause(connection, 100, signal)
  }
}
