import { setTimeout as wait } from 'node:timers/promises'
import { Stopped, textOf, Unavailable } from '../../errors.ts'
import type { Connection } from '../connection.ts'
import type { Guarded } from '../control.ts'
import { guardHeaders, headerBlock } from '../envelope.ts'
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

export interface Guard {
  /**
   * Publishes, again and again while JetStream can't take it (away, disk full), until it is stored or known to be settled.
   * With a claim whose lease is void it first asks whether the hop is still open, and goes on only if it is.
   * @throws Stopped when `signal` aborts first; without a claim also Unavailable when NATS doesn't answer
   */
  publish(publish: GuardedPublish, claim: Claim | null, signal?: AbortSignal): Promise<Guarded>
  /** Was anything published below the origin? A message that is gone was settled and compacted: its successor goes later than it. */
  ask(topologyId: string, origin: string, sequence: number, signal?: AbortSignal): Promise<'open' | 'settled'>
}

const retryMs = 500

export function openGuard(connection: Connection, publisher: Publisher): Guard {
  const ask: Guard['ask'] = async (topologyId, origin, sequence, signal) => {
    const stream = streamName(topologyId)
    const successor = await directGet(connection, stream, { last_by_subj: originFilter(topologyId, origin) }, signal)
    if (successor) return 'settled'
    return (await directGet(connection, stream, { seq: sequence }, signal)) ? 'open' : 'settled'
  }

  const publish: Guard['publish'] = async (one, claim, signal) => {
    const subject = `sluice.${one.topologyId}.${one.origin}.${one.tail}`
    const block = headerBlock([...guardHeaders(originFilter(one.topologyId, one.origin)), ...one.headers])
    for (;;) {
      if (signal?.aborted) throw new Stopped('stopped before the message could be stored')
      if (claim !== null && !claim.lease.valid()) {
        if ((await ask(one.topologyId, one.origin, claim.sequence, signal)) === 'settled') return 'settled'
      }
      try {
        await publisher.publish(subject, block, one.body)
        return 'accepted'
      } catch (error) {
        const next = afterFailure(error, claim)
        if (next === 'settled') return 'settled'
        await pause(connection, next, signal)
      }
    }
  }
  return { publish, ask }
}

/** What follows from a publish that failed: settled, or try again after so many milliseconds. */
function afterFailure(error: unknown, claim: Claim | null): 'settled' | number {
  if (error instanceof PublishRefused && error.code === refusal.settled) return 'settled'
  if (error instanceof PublishRefused && error.code === refusal.undecided) return 5 + Math.random() * 20
  if (claim === null) throw new Unavailable('nats', `NATS can't store the message (${textOf(error)})`, { cause: error })
  if (error instanceof LostAck || error instanceof Unavailable) return 0
  if (error instanceof PublishRefused) return retryMs
  throw error
}

async function pause(connection: Connection, ms: number, signal?: AbortSignal): Promise<void> {
  if (ms > 0) await wait(ms, undefined, { signal }).catch(() => undefined)
  await connection.whenConnected(signal)
}

type DirectQuery = { last_by_subj: string } | { seq: number; next_by_subj?: string }

/** One stored message or null when there is none. Any other failure is tried again: it must never be read as "none". */
async function directGet(connection: Connection, stream: string, query: DirectQuery, signal?: AbortSignal) {
  for (;;) {
    try {
      return await connection.jsm.direct.getMessage(stream, query)
    } catch (error) {
      if (signal?.aborted) throw new Stopped('stopped while asking NATS', { cause: error })
      await pause(connection, 100, signal)
    }
  }
}
