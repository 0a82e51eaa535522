import { textOf } from '../errors.ts'
import type { Log } from '../telemetry/log.ts'
import type { Connection } from './connection.ts'
import { outcomeFilters } from './ledger.ts'
import { laterTail, streamName, tailFilter } from './names.ts'
import { orNull } from './streams.ts'

/**
 * The janitor compacts a prefix of a stream, never anything else. A message's successor always has a higher sequence; so while
 * a message can still be delivered again, its successor is still there, and the guard needs no time limit.
 *
 * The mark is the lowest of: the floor of every consumer and of the recorder, what was stored before the history window,
 * and one less than the oldest pending schedule.
 */
export interface Compaction {
  readonly topologyId: string
  /** The recorder's position in Postgres. */
  readonly recorded: number
}

export interface Janitor {
  /** One round over one stream; gives up quietly when one of its requests fails. Resolves with the mark, or null. */
  compact(compaction: Compaction): Promise<number | null>
}

interface Sample {
  readonly at: number
  readonly sequence: number
}

/**
 * @param historyMs how long settled messages stay. A publisher that was held up must still find the successor of what it settles:
 * never under ten minutes in service (options.ts), less only in tests
 */
export function openJanitor(connection: Connection, historyMs: number, log: Log): Janitor {
  const samples = new Map<string, Sample[]>()
  return {
    async compact(compaction) {
      try {
        return await compactOnce(connection, compaction, historyMs, samples)
      } catch (error) {
        log.warn('a round of compaction was given up', { topology: compaction.topologyId, error: textOf(error) })
        return null
      }
    },
  }
}

async function compactOnce(
  connection: Connection,
  { topologyId, recorded }: Compaction,
  historyMs: number,
  samples: Map<string, Sample[]>,
): Promise<number | null> {
  const stream = streamName(topologyId)
  // Read before every floor: what arrives later can't lower a mark that never exceeds it.
  const info = await connection.jsm.streams.info(stream).catch(orNull)
  if (info === null) return null
  const last = info.state.last_seq
  const history = historyMark(samples, `${topologyId}@${info.created}`, last, historyMs)
  if (history < info.state.first_seq) return null
  const floors: number[] = []
  for await (const consumer of connection.jsm.consumers.list(stream)) {
    if (consumer.config.durable_name === undefined) continue
    floors.push(
      await floorOf(connection, stream, consumer.ack_floor.stream_seq, consumer.config.filter_subject ?? '>', last),
    )
  }
  for (const filter of outcomeFilters(topologyId))
    floors.push(await floorOf(connection, stream, recorded, filter, last))
  const schedule = await firstFrom(connection, stream, 1, tailFilter(topologyId, laterTail))
  const mark = Math.min(last, history, ...floors, (schedule ?? Infinity) - 1)
  if (mark < info.state.first_seq) return null
  await connection.jsm.streams.purge(stream, { seq: mark + 1 })
  return mark
}

/** Last sequence of the newest sample that is older than the window; 0 while there is none. Forgets older samples. */
function historyMark(samples: Map<string, Sample[]>, key: string, last: number, historyMs: number): number {
  const now = performance.now()
  const taken = samples.get(key) ?? []
  taken.push({ at: now, sequence: last })
  const old = taken.filter((sample) => now - sample.at >= historyMs)
  const mark = old.at(-1)
  samples.set(key, mark === undefined ? taken : taken.slice(taken.indexOf(mark)))
  return mark?.sequence ?? 0
}

/**
 * Highest sequence below which nothing waits for a reader that is done up to `done`: the first stored message of its filter after
 * that, less one. A consumer's own count of pending messages lags behind the store (measured: 11 of 255 623 messages lost by a
 * janitor that trusted it) and is never used.
 */
async function floorOf(
  connection: Connection,
  stream: string,
  done: number,
  filter: string,
  last: number,
): Promise<number> {
  const first = await firstFrom(connection, stream, done + 1, filter)
  return first === null ? last : Math.min(first - 1, last)
}

async function firstFrom(
  connection: Connection,
  stream: string,
  sequence: number,
  filter: string,
): Promise<number | null> {
  const message = await connection.jsm.direct.getMessage(stream, { seq: sequence, next_by_subj: filter })
  return message?.seq ?? null
}
