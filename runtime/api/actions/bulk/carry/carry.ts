import { setTimeout as wait } from 'node:timers/promises'
import { changeBulk, holdBulk, lockBulk } from '../../../../store/bulk/bulks.ts'
import type { Bulk, BulkChange } from '../../../../store/bulk/bulks.ts'
import { errorsOf } from '../../../../store/bulk/messages.ts'
import { normalisedTitle } from '../../../../store/fingerprint.ts'
import type { AtMost } from '../../../at-most.ts'
import type { ApiDeps } from '../../../deps.ts'
import { claimNext } from './claim.ts'
import { judge } from './judge.ts'
import type { Judgement } from './judge.ts'
import { openPace } from './pace.ts'
import type { Pace } from './pace.ts'
import { sendClaimed } from './send.ts'
import { tellBulk } from '../tell.ts'
import { openTracker } from './track.ts'
import type { Tracker } from './track.ts'
import { waitsFor } from './waits.ts'

export type CarryDeps = Pick<ApiDeps, 'store' | 'queues' | 'events' | 'log'> & {
  /** Does work that holds a transaction while something is checked or published; of all bulks few at once. */
  readonly inTurn: AtMost
}

/** What is known of a bulk that is carried out here. */
interface Carrying {
  readonly deps: CarryDeps
  readonly id: string
  readonly holder: string
  readonly tracker: Tracker
  pace: Pace
  /** Some are claimed and not sent. */
  hasClaimed: boolean
  /** What couldn't be done lately; null: all could. */
  trouble: string | null
  waitsFor: string | null
  movedAt: number
  askedAt: number
  told: string
  toldAt: number
}

const restMs = 100
const troubleMs = 500
/** What hasn't moved for so long waits for something, and is looked after less often. */
const stillMs = 3_000
const stillRestMs = 1_000
const askEveryMs = 5_000
const tellEveryMs = 500

/**
 * Carries a bulk out until there is nothing left to be done now, or another control does: round by round
 *
 *   hold it, and read how it stands ─▶ judge (pure) ─▶ claim the next ones ─▶ send them ─▶ look what became of those under way
 *
 * All that counts is in Postgres and in the queues; a control that dies in any place leaves a bulk that the next one carries on.
 */
export async function carryOut(deps: CarryDeps, id: string, holder: string, signal: AbortSignal): Promise<void> {
  const tracker = await openTracker(deps, id)
  const now = performance.now()
  const nothing = { trouble: null, waitsFor: null, movedAt: now, askedAt: 0, told: '', toldAt: 0 }
  const carrying: Carrying = { deps, id, holder, tracker, pace: openPace(null), hasClaimed: true, ...nothing }
  let hasPace = false
  while (!signal.aborted) {
    const { rate } = carrying.pace
    const said = { rateNow: Math.round(rate * 10) / 10, waitsFor: carrying.waitsFor }
    const bulk = await holdBulk(deps.store, id, holder, said)
    if (bulk === null) return
    if (!hasPace) carrying.pace = openPace(bulk.ratePerSecond)
    hasPace = true
    tellNow(carrying, bulk)
    if (await isOver(carrying, bulk)) return
    await catchUp(carrying, bulk)
    const moved = (await send(carrying, bulk)) + (await tracker.look())
    if (moved > 0) carrying.movedAt = performance.now()
    await ask(carrying)
    if (moved === 0) await wait(restOf(carrying), null, { signal }).catch(() => null)
  }
}

/** A control that was slow may have claimed and sent some after this one took over. */
async function catchUp(carrying: Carrying, { underWay }: Bulk): Promise<void> {
  if (carrying.hasClaimed || underWay <= carrying.tracker.size) return
  carrying.hasClaimed = true
  await carrying.tracker.load()
}

function restOf({ trouble, movedAt }: Carrying): number {
  if (trouble !== null) return troubleMs
  return performance.now() - movedAt < stillMs ? restMs : stillRestMs
}

function tellNow(carrying: Carrying, bulk: Bulk): void {
  const { waiting, underWay, done, failedAgain, refused, discarded, cancelled, state, step } = bulk
  const text = [waiting, underWay, done, failedAgain, refused, discarded, cancelled, state, step].join()
  const isDue = performance.now() - carrying.toldAt >= tellEveryMs
  if (text === carrying.told || !isDue) return
  carrying.told = text
  carrying.toldAt = performance.now()
  tellBulk(carrying.deps.events, bulk)
}

/** Ends one of which nothing is left, also when it is paused or has stopped meanwhile. */
async function isOver({ deps, id }: Carrying, known: Bulk): Promise<boolean> {
  if (!isAllDone(known)) return false
  const change = await deps.store.transaction(async (inside) => {
    const bulk = await lockBulk(inside, id)
    if (!isAllDone(bulk)) return null
    const end = { finishedAt: new Date(), rateNow: 0, waitsFor: null, leaseBy: null, leaseUntil: null }
    return changeBulk(inside, id, { ...end, state: bulk.state === 'cancelled' ? 'cancelled' : 'finished' }, true)
  })
  if (change !== null) tellBulk(deps.events, change)
  return change !== null
}

const isAllDone = ({ state, waiting, underWay }: Bulk): boolean =>
  underWay === 0 && (waiting === 0 || state === 'cancelled')

/** Answers how many messages moved. */
async function send(carrying: Carrying, bulk: Bulk): Promise<number> {
  const { deps, id, holder, pace } = carrying
  let moved = 0
  if (bulk.state === 'running') {
    const judgement = judge(bulk)
    await follow(carrying, bulk, judgement)
    const wanted = judgement.kind === 'go' && !carrying.hasClaimed ? Math.min(judgement.allowed, bulk.waiting) : 0
    const count = pace.allowed(wanted)
    if (count > 0) {
      const taken = await deps.inTurn(() => claimNext(deps, id, holder, count))
      pace.sent(taken.moved)
      moved += taken.moved
      carrying.hasClaimed = taken.claimed > 0
    }
  }
  // What was claimed is sent, whatever the bulk was told since.
  while (carrying.hasClaimed) {
    const { sent, settled, left } = await deps.inTurn(() => sendClaimed(deps, bulk))
    carrying.tracker.add(sent)
    moved += settled
    carrying.trouble = left
    carrying.hasClaimed = left !== null || settled > 0
    if (left !== null) break
  }
  return moved
}

/** Writes down what was judged. */
async function follow({ deps, id }: Carrying, bulk: Bulk, judgement: Judgement): Promise<void> {
  if (judgement.kind === 'stop') return stop(deps, bulk, judgement)
  const { step, window, stepBase } = judgement.stage
  if (step === bulk.step && window === bulk.window && stepBase === bulk.stepBase) return
  await change(deps, id, { ...judgement.stage }, false)
}

async function stop(
  deps: CarryDeps,
  bulk: Bulk,
  { failed, settled, isFirst }: Extract<Judgement, { kind: 'stop' }>,
): Promise<void> {
  const [error = null, times] = mostFrequent(await errorsOf(deps.store, bulk.id, errorsMax))
  const what = isFirst
    ? 'the first message failed again'
    : `${failed} of the last ${settled} messages failed again, more than ${bulk.stopAtFailedPercent} %`
  const most = error === null ? '' : `; most often (${times}×): ${error}`
  await change(deps, bulk.id, { state: 'stopped', stoppedBecause: `${what}${most}`, rateNow: 0 }, true)
}

const errorsMax = 200

/** The title without what differs from message to message: what these hold is not for everybody. */
function mostFrequent(errors: readonly { readonly title: string; readonly status?: number }[]): [string?, number?] {
  const counts = new Map<string, number>()
  for (const { title, status } of errors) {
    const text = `${status === undefined ? '' : `${status} `}${normalisedTitle(title)}`
    counts.set(text, (counts.get(text) ?? 0) + 1)
  }
  return [...counts].sort((a, b) => b[1] - a[1])[0] ?? []
}

/** Unless somebody has paused, stopped or cancelled it meanwhile. */
async function change({ store, events }: CarryDeps, id: string, to: BulkChange, isTold: boolean): Promise<void> {
  const changed = await store.transaction(async (inside) => {
    const bulk = await lockBulk(inside, id)
    return bulk.state === 'running' ? changeBulk(inside, id, to, isTold) : null
  })
  if (changed !== null && isTold) tellBulk(events, changed)
}

/** Finds out, now and then, for what those wait that don't move. */
async function ask(carrying: Carrying): Promise<void> {
  const { deps, tracker, trouble } = carrying
  const now = performance.now()
  if (now - carrying.movedAt < stillMs || (tracker.oldest === null && trouble === null)) {
    carrying.waitsFor = null
    return
  }
  if (now - carrying.askedAt < askEveryMs) return
  carrying.askedAt = now
  const { oldest } = tracker
  carrying.waitsFor = trouble ?? (oldest && (await waitsFor(deps, oldest)))
}
