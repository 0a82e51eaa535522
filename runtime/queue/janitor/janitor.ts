import type { StreamInfo } from '@nats-io/jetstream'
import { textOf } from '../../errors.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Plan } from '../../topology/plan.ts'
import type { Connection } from '../connection.ts'
import { streamName } from '../names.ts'
import { ensureQueues, orNull, wantedConsumers } from '../streams.ts'
import { boundsOf } from './bounds.ts'
import { openFloors } from './floors.ts'
import type { Floor, Floors, Readers } from './floors.ts'
import { openHistory } from './history.ts'
import type { History } from './history.ts'
import { rearm } from './rearm.ts'
import { openSweep } from './sweep.ts'
import type { Sweep } from './sweep.ts'

/**
 * The janitor keeps streams from growing for ever, and this true:
 *
 *   **While a message can be delivered again or settled late, its successor is still there.**
 *
 * So the guard needs no time limit. A message's successor always has a higher sequence, so compacting a prefix keeps it true. A
 * round over one stream:
 *
 *   last sequence ─▶ floors of all readers ─▶ mark = lowest of the floors and what is older than the window
 *     ─▶ schedules up to the mark are moved to the end (rearm.ts) ─▶ purge up to the mark
 *     ─▶ still over its bytes? delete what is settled behind the message that holds the mark (sweep.ts)
 *
 * What the round knows is read in this order, so whatever arrives meanwhile can only make the mark too low. A message also stays
 * until what came of it is recorded: a Trash row whose replay isn't recorded yet looks open, and only that replay guards it. A
 * consumer that is missing reads nothing, and its queue would look settled: it is made again, and the round given up.
 */
export interface Janitor {
  /** One round over one stream; gives up with a warning when one of its requests fails. Several controls may do it at once. */
  compact(topologyId: string, sources: Sources): Promise<void>
  /** What the last round over each stream found, by topology id. */
  reports(): ReadonlyMap<string, HistoryReport>
}

/** What stands in Postgres; asked within a round. */
export interface Sources {
  /** Up to where the recorder has written down the stream of this epoch. */
  recorded(epoch: string): Promise<number>
  /** The plans in force since then, the newest first. */
  plansSince(time: Date): Promise<readonly Plan[]>
}

export interface HistoryReport {
  /** Of the stream: what waits and what is settled. */
  readonly bytes: number
  /** When the oldest message in the stream was stored; null: the stream is empty. */
  readonly oldestAt: Date | null
  /** Whether more is stored than `maxBytes`, and nothing of it may go. */
  readonly isFull: boolean
  /** What keeps settled messages that are older than the window. */
  readonly heldBack: HeldBack | null
}

export interface HeldBack {
  /** The node that hasn't settled its message; null: the recorder, or a schedule. */
  readonly nodeId: string | null
  /** When the message was stored that it hasn't settled; null: not known. */
  readonly since: Date | null
  /** About how much could go without it. */
  readonly bytes: number
}

export interface JanitorOptions {
  readonly connection: Connection
  /** Copies of a stream, for consumers that have to be made again. */
  readonly replicas: number
  /** How long settled messages stay. */
  readonly windowMs: number
  /**
   * How long they stay when the stream is over `maxBytes`. A publisher that was held up must still find the successor of what it
   * settles: never under ten minutes in service (`leastWindowMs`), less in tests only.
   */
  readonly leastWindowMs?: number
  /** Above it a stream keeps no more history than it must. */
  readonly maxBytes: number
  readonly log: Log
}

const leastWindowMs = 600_000
/** Messages that are purged as soon as they may go. */
const smallStream = 10_000
const warnEveryMs = 3_600_000

/** What is kept of one stream from round to round. */
interface Watched {
  readonly epoch: string
  readonly floors: Floors
  readonly history: History
  readonly sweep: Sweep
  report: HistoryReport | null
  warnAt: number
}

export function openJanitor(options: JanitorOptions): Janitor {
  const streams = new Map<string, Watched>()
  const { log } = options
  return {
    async compact(topologyId, sources) {
      try {
        const round = await begin(options, streams, topologyId, sources)
        if (round !== null) await compactOnce(round)
      } catch (error) {
        log.warn('a round of compaction was given up', { topology: topologyId, error: textOf(error) })
      }
    },
    reports: () => new Map([...streams].flatMap(([id, { report }]) => (report === null ? [] : [[id, report]]))),
  }
}

/** Everything that a round has read. */
interface Round extends JanitorOptions {
  readonly topologyId: string
  readonly stream: string
  readonly info: StreamInfo
  readonly plans: readonly Plan[]
  readonly readers: Readers
  readonly watched: Watched
}

/** Null when there is nothing to do. */
async function begin(
  options: JanitorOptions,
  streams: Map<string, Watched>,
  topologyId: string,
  sources: Sources,
): Promise<Round | null> {
  const { connection, replicas, windowMs, log } = options
  const stream = streamName(topologyId)
  // Read before every floor: what arrives later can't lower a mark that never exceeds it.
  const info = await connection.jsm.streams.info(stream).catch(orNull)
  if (info === null) return null
  const known = streams.get(topologyId)
  const watched = known?.epoch === info.created ? known : watch(connection, topologyId, stream, info.created, windowMs)
  streams.set(topologyId, watched)
  // A bridge may have gone by an older plan for a while.
  const plans = await sources.plansSince(new Date(oldestOf(info) - leastWindowMs))
  const readers = await watched.floors.read(info.state.last_seq, await sources.recorded(info.created))
  const [newest] = plans
  if (newest === undefined) return null
  const missing = wantedConsumers(newest).filter(({ name }) => !readers.consumers.has(name))
  if (missing.length > 0) {
    options.log.warn('consumers were missing, they are made again', {
      topology: topologyId,
      consumers: missing.map(({ name }) => name),
    })
    await ensureQueues(connection, newest, { replicas, log })
    return null
  }
  return { ...options, topologyId, stream, info, plans, readers, watched }
}

/** When the oldest message was stored, by the server's clock, in milliseconds since 1970; now if there is none. */
function oldestOf({ state, ts }: StreamInfo): number {
  return state.messages > 0 ? Date.parse(state.first_ts) : serverTime(ts)
}

const serverTime = (ts: string | undefined): number => (ts === undefined ? Date.now() : Date.parse(ts))

function watch(connection: Connection, topologyId: string, stream: string, epoch: string, windowMs: number): Watched {
  return {
    epoch,
    floors: openFloors(connection, topologyId, stream),
    history: openHistory(windowMs),
    sweep: openSweep(connection, stream),
    report: null,
    warnAt: 0,
  }
}

async function compactOnce(round: Round): Promise<void> {
  const { info, plans, readers, watched, maxBytes, windowMs } = round
  const { state } = info
  const least = Math.min(round.leastWindowMs ?? leastWindowMs, windowMs)
  const floor = Math.min(...readers.floors.map(({ sequence }) => sequence))
  watched.history.add({ last: state.last_seq, floor, bounds: boundsOf(plans, readers.floors) })
  const old = watched.history.before(state.bytes > maxBytes ? least : windowMs)
  const recorded = watched.history.recorded(readers.unrecorded)
  const wanted = Math.min(old?.last ?? 0, floor, recorded?.floor ?? 0)
  const mark = isWorthwhile(state, wanted) ? await compactTo(round, wanted) : wanted
  if (state.bytes > maxBytes) await sweep(round, least)
  await report(round, old?.last ?? 0, mark)
}

/**
 * A purge makes the server write its index of all that is stored, while nobody publishes (measured: 0.25 µs of its CPU for each
 * stored message, 100 to 250 ms with 300 000 of them, whether 1 message goes or 100 000): so only for a good part of the stream.
 */
function isWorthwhile({ first_seq: first, last_seq: last }: StreamInfo['state'], mark: number): boolean {
  return mark >= first && (last - first < smallStream || mark - first >= (last - first) / 8)
}

/** Resolves with how far it was compacted: less than `wanted` if a schedule has to stay. */
async function compactTo(
  { connection, stream, info, topologyId, watched, log }: Round,
  wanted: number,
): Promise<number> {
  const mark = await rearm({ connection, floors: watched.floors, topologyId, stream, log }, wanted)
  if (mark >= info.state.first_seq) await connection.jsm.streams.purge(stream, { seq: mark + 1 })
  return mark
}

/** By the bounds of a round that is old enough and recorded, or by those of now where they are lower: a consumer was made anew. */
async function sweep({ watched, log, topologyId, readers, plans }: Round, leastMs: number): Promise<void> {
  const { history } = watched
  const earlier = [history.before(leastMs), history.recorded(readers.unrecorded)].filter((found) => found !== null)
  if (earlier.length < 2) return
  const lowest = (nodeId: string, bound: number): number =>
    Math.min(bound, ...earlier.map(({ bounds }) => bounds.get(nodeId) ?? 0))
  const now = [...boundsOf(plans, readers.floors)]
  const deleted = await watched.sweep.round(new Map(now.map(([nodeId, bound]) => [nodeId, lowest(nodeId, bound)])))
  if (deleted > 0) log.debug('settled messages behind a waiting one are deleted', { topology: topologyId, deleted })
}

async function report(round: Round, historyMark: number, mark: number): Promise<void> {
  const { connection, stream, topologyId, readers, watched, maxBytes, log } = round
  const { state } = await connection.jsm.streams.info(stream)
  const heldBack = mark < historyMark ? holderOf(readers.floors, state, mark, historyMark) : null
  const oldestAt = state.messages === 0 ? null : new Date(state.first_ts)
  watched.report = { bytes: state.bytes, oldestAt, isFull: state.bytes > maxBytes, heldBack }
  const isNews = performance.now() >= watched.warnAt && (heldBack !== null || watched.report.isFull)
  if (!isNews) return
  watched.warnAt = performance.now() + warnEveryMs
  log.warn(
    heldBack === null
      ? 'the history of the last ten minutes is larger than a stream should be'
      : 'settled messages can not be compacted: one before them is not settled',
    { topology: topologyId, bytes: state.bytes, maxBytes, oldestAt, ...heldBack },
  )
}

function holderOf(floors: readonly Floor[], state: StreamInfo['state'], mark: number, historyMark: number): HeldBack {
  const lowest = floors.reduce((low, floor) => (floor.sequence < low.sequence ? floor : low))
  const share = (historyMark - mark) / Math.max(1, state.last_seq - state.first_seq + 1)
  const bytes = Math.round(state.bytes * Math.min(1, share))
  // The mark is below every floor only when a schedule has to stay.
  if (mark < lowest.sequence) return { nodeId: null, since: null, bytes }
  return { nodeId: lowest.nodeId, since: lowest.waitingSince, bytes }
}
