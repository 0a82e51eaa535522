import type { Whereabouts } from '../../../../queue/history/types.ts'
import { trashKey } from '../../../../queue/publish/trash.ts'
import { lockBulk } from '../../../../store/bulk/bulks.ts'
import { laterTrashOf, underWayOf, writeOutcomes } from '../../../../store/bulk/messages.ts'
import type { Settled } from '../../../../store/bulk/messages.ts'
import { positionsOf } from '../../../../store/outcomes.ts'
import type { BulkPlace } from '../../../../store/schema/index.ts'
import type { ApiDeps } from '../../../deps.ts'
import type { Sent } from './send.ts'

/**
 * What became of messages that were sent. The queue is the memory of what has been done, so each is followed from hop to hop there, for
 * as long as it stays one message; what is compacted was written down by the recorder. See docs/decisions/ and docs/bulk.md.
 */
export interface Tracker {
  /** Of the bulk, under way. */
  readonly size: number
  /** The oldest of them. */
  readonly oldest: BulkPlace | null
  add(sent: readonly Sent[]): void
  /** Begins with those that are under way and not known here. */
  load(): Promise<void>
  /** Looks where those are whose turn it is, and writes down what became of them. Answers how many have ended. */
  look(): Promise<number>
}

type Deps = Pick<ApiDeps, 'store' | 'queues'>

interface Tracked extends Sent {
  place: BulkPlace
  lookAt: number
  waitMs: number
  /** The place that is written down. */
  saved: BulkPlace
}

/** In one look: the answers hold whole messages. */
const chunk = { count: 100, bytes: 16 * 1024 * 1024 }
const firstWaitMs = 50
const waitMaxMs = 5_000
/** What hasn't moved for so long is asked for more closely. */
const lateMs = 1_000
const loadedAtOnce = 1_000

/** Begins with what is under way already. */
export async function openTracker(deps: Deps, bulkId: string): Promise<Tracker> {
  const tracked = new Map<number, Tracked>()
  const add = (sent: readonly Sent[]): void => {
    for (const one of sent)
      tracked.set(one.position, { ...one, saved: one.place, waitMs: firstWaitMs, lookAt: performance.now() })
  }
  const load = async (): Promise<void> => {
    for (let after = 0; ;) {
      const rows = await underWayOf(deps.store, bulkId, after, loadedAtOnce)
      const fresh = rows.filter(({ position }) => !tracked.has(position))
      add(fresh.flatMap(({ place, ...row }) => (place === null ? [] : [{ ...row, place }])))
      after = rows.at(-1)?.position ?? after
      if (rows.length < loadedAtOnce) return
    }
  }
  await load()
  return {
    get size() {
      return tracked.size
    },
    get oldest() {
      return tracked.values().next().value?.place ?? null
    },
    add,
    load,
    look: () => lookAtAll(deps, bulkId, tracked),
  }
}

/**
 * The oldest first, chunk by chunk, until in one of them nothing has ended: messages end about in the order in which they were sent, so
 * that what is looked at in vain costs little. What was, comes later and later.
 */
async function lookAtAll(deps: Deps, bulkId: string, tracked: Map<number, Tracked>): Promise<number> {
  const now = performance.now()
  let ended = 0
  const due = [...tracked.values()].filter(({ lookAt }) => lookAt <= now)
  for (const some of chunksOf(due)) {
    const settled = await lookAt(deps, some)
    const over = settled.filter(({ outcome }) => outcome !== 'underWay')
    if (settled.length > 0)
      await deps.store.transaction(async (inside) => {
        await lockBulk(inside, bulkId)
        await writeOutcomes(inside, bulkId, settled)
      })
    for (const { position } of over) tracked.delete(position)
    ended += over.length
    if (over.length === 0) break
  }
  return ended
}

function* chunksOf(due: readonly Tracked[]): Generator<Tracked[]> {
  let some: Tracked[] = []
  let bytes = 0
  for (const one of due) {
    if (some.length > 0 && (some.length === chunk.count || bytes + one.bytes > chunk.bytes)) {
      yield some
      some = []
      bytes = 0
    }
    some.push(one)
    bytes += one.bytes
  }
  if (some.length > 0) yield some
}

async function lookAt(deps: Deps, some: readonly Tracked[]): Promise<Settled[]> {
  const byTopology = new Map<string, Tracked[]>()
  for (const one of some) {
    const { topologyId } = one.place
    byTopology.set(topologyId, [...(byTopology.get(topologyId) ?? []), one])
  }
  const settled: Settled[] = []
  for (const [topologyId, messages] of byTopology) {
    const found = await deps.queues.history.follow(
      topologyId,
      messages.map(({ place, trashId, waitMs }) => ({
        // Needed only until its first place in the queue is known.
        trashKey: trashKey(trashId, place.replay),
        hop: place,
        isLate: waitMs >= lateMs,
      })),
    )
    const hasFailed = found?.some(({ kind }) => kind === 'failed') === true
    const recorded = hasFailed ? ((await positionsOf(deps.store, [topologyId])).get(topologyId) ?? null) : null
    const outcomes = await Promise.all(
      messages.map((message, n) => outcomeOf(deps, message, found?.[n] ?? null, recorded)),
    )
    settled.push(...outcomes.flatMap((one) => one ?? []))
  }
  return settled
}

/** How far the recorder has read a topology's stream, and of which life of that. */
type Recorded = { readonly epoch: string; readonly position: number } | null

/** Null: nothing is to be written. `found` null: the topology has no stream any more. */
async function outcomeOf(
  { store }: Deps,
  message: Tracked,
  found: Whereabouts | null,
  recorded: Recorded,
): Promise<Settled | null> {
  const { position, trashId, place } = message
  if (found === null) {
    const again = await laterTrashOf(store, trashId, place)
    if (again !== null) return { position, outcome: 'failedAgain', againId: again }
    return { position, outcome: 'cancelled', why: 'its topology was deleted before it was seen what became of it' }
  }
  switch (found.kind) {
    case 'gone': {
      const again = await laterTrashOf(store, trashId, place)
      return again === null ? { position, outcome: 'done' } : { position, outcome: 'failedAgain', againId: again }
    }
    case 'done':
      return { position, outcome: 'done' }
    case 'cancelled':
      return { position, outcome: 'cancelled', why: 'it settled as cancelled, with its run or its topology' }
    case 'failed':
      // A moment later the recorder has written it down, and it can be looked at, unless somebody has erased it since.
      return recorded?.epoch === found.epoch && recorded.position >= found.sequence
        ? { position, outcome: 'failedAgain', againId: found.trashId }
        : null
    case 'here':
      return moved(message, { ...place, ...found.hop })
    default:
      return found satisfies never
  }
}

/** It is looked at again later. A place where it rests is written down: what lies before it may be compacted when another control goes on. */
function moved(message: Tracked, place: BulkPlace): Settled | null {
  const isElsewhere = hasMoved(message.place, place)
  message.place = place
  message.waitMs = isElsewhere ? firstWaitMs : Math.min(message.waitMs * 1.5, waitMaxMs)
  message.lookAt = performance.now() + message.waitMs
  if (message.waitMs < lateMs || !hasMoved(message.saved, place)) return null
  message.saved = place
  return { position: message.position, outcome: 'underWay', place }
}

const hasMoved = (one: BulkPlace, other: BulkPlace): boolean =>
  one.nodeId !== other.nodeId || one.round !== other.round || one.sequence !== other.sequence
