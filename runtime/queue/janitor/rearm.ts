import { headers as newHeaders } from '@nats-io/transport-node'
import type { MsgHdrs } from '@nats-io/transport-node'
import { JetStreamApiError } from '@nats-io/jetstream'
import type { StoredMsg } from '@nats-io/jetstream'
import { textOf } from '../../errors.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Connection } from '../connection.ts'
import { scheduleFilters } from '../names.ts'
import { refusal } from '../publish/publisher.ts'
import type { Floors } from './floors.ts'

/** Schedules that one round takes: about a second's work. */
const largestRound = 1_000
const pattern = 'Nats-Schedule'
const target = 'Nats-Schedule-Target'
/** What the server added, and conditions that held for the first publish only. */
const ofTheFirst = /^Nats-(Stream|Subject|Sequence|Time-Stamp|Num-Pending|Expected-.*)$/i

export interface Rearming {
  readonly connection: Connection
  readonly floors: Floors
  readonly topologyId: string
  readonly stream: string
  /** Of the server, in milliseconds since 1970. */
  readonly now: number
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
  let free = mark
  for (const filter of scheduleFilters(rearming.topologyId))
    free = Math.min(free, await rearmAll(rearming, filter, free))
  return free
}

async function rearmAll(rearming: Rearming, filter: string, mark: number): Promise<number> {
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
  if (!(await isSafe(rearming, schedule))) return false
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

/**
 * A schedule for an instant can be moved at any time. A repeating one loses a firing that is due and not carried out yet, so it
 * is moved only when none is near: away from the full minute if it fires at full minutes, else right after a firing. `@every`
 * counts from when it was stored: it is late by what has passed since that firing.
 */
async function isSafe({ connection, stream, now }: Rearming, { header }: StoredMsg): Promise<boolean> {
  const text = header.get(pattern)
  if (text.startsWith('@at ')) return true
  if (firesAtFullMinutes(text)) return now % 60_000 > 5_000 && now % 60_000 < 55_000
  const fired = await connection.jsm.streams.getMessage(stream, { last_by_subj: header.get(target) })
  if (fired === null) return false
  const next = Date.parse(fired.header.get('Nats-Schedule-Next'))
  return now - fired.time.getTime() < 30_000 && next - now > 300
}

function firesAtFullMinutes(text: string): boolean {
  const fields = text.trim().split(/\s+/)
  if (text.startsWith('@')) return !text.startsWith('@every')
  return fields.length === 5 || fields[0] === '0'
}
