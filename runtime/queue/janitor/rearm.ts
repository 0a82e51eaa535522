import { headers as newHeaders } from '@nats-io/transport-node'
import type { MsgHdrs } from '@nats-io/transport-node'
import { JetStreamApiError } from '@nats-io/jetstream'
import type { StoredMsg } from '@nats-io/jetstream'
import { textOf } from '../../errors.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Connection } from '../connection.ts'
import { laterTail, tailFilter } from '../names.ts'
import { refusal } from '../publish/publisher.ts'
import type { Floors } from './floors.ts'

/** Schedules that one round takes: about a second's work. */
const largestRound = 1_000
/** What the server added, and conditions that held for the first publish only. */
const ofTheFirst = /^Nats-(Stream|Subject|Sequence|Time-Stamp|Num-Pending|Expected-.*)$/i

export interface Rearming {
  readonly connection: Connection
  readonly floors: Floors
  readonly topologyId: string
  readonly stream: string
  readonly log: Log
}

/**
 * Publishes every schedule up to `mark` anew, at the end of the stream, so that the stream can be compacted past it. Resolves with
 * the mark that is then free of schedules: a lower one when some have to stay for now.
 *
 * The new one replaces the old one in one step, on the condition that the old one is still there: one that fires meanwhile is
 * gone, and the condition fails. So each fires once, whenever it is due.
 */
export async function rearm(rearming: Rearming, mark: number): Promise<number> {
  const filter = tailFilter(rearming.topologyId, laterTail)
  let done = 0
  for (let n = 0; n < largestRound; n++) {
    const first = await rearming.floors.firstAfter(filter, done, mark)
    if (first === null || first.seq > mark) return mark
    if (!(await rearmOne(rearming, first))) return first.seq - 1
    done = first.seq
  }
  return done
}

/** False when it has to stay. */
async function rearmOne(rearming: Rearming, schedule: StoredMsg): Promise<boolean> {
  const { connection, stream, log } = rearming
  const headers = copied(schedule.header)
  try {
    await connection.js.publish(schedule.subject, schedule.data, {
      headers,
      expect: { lastSubjectSequence: schedule.seq },
    })
    return true
  } catch (error) {
    if (!(error instanceof JetStreamApiError)) throw error
    if (error.code === refusal.settled) return true
    // With the disk full it can't be stored; what is before it can still be compacted, which makes space.
    log.warn('a schedule can not be moved on, it holds up compaction', {
      stream,
      sequence: schedule.seq,
      error: textOf(error),
    })
    return false
  }
}

function copied(from: MsgHdrs): MsgHdrs {
  const headers = newHeaders()
  for (const name of from.keys()) {
    if (ofTheFirst.test(name)) continue
    for (const value of from.values(name)) headers.append(name, value)
  }
  return headers
}
