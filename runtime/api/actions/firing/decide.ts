/** What becomes of a firing that is due. Pure. */
import type { Overlap, Schedule } from '../../../topology/plan.ts'
import { newestUpTo, nextAfter } from '../../../topology/schedule/next.ts'
import type { Timetable } from '../../../topology/schedule/next.ts'

/** So late a firing still begins as if it were in time; when the oldest one is later, firings were missed. */
const lateMs = 60_000
/** Runs of one node that may wait for those before them. */
export const queuedMax = 100

/** A firing, and what there is beside it. */
export interface Situation {
  readonly timetable: Timetable
  /** Its instant: the first one of which nothing was decided yet. */
  readonly at: Date
  readonly now: Date
  /** False: nothing is to be started, since the node isn't published, or it or its topology is disabled. */
  readonly active: boolean
  readonly overlap: Overlap
  readonly missed: Schedule['missed']
  /** A run of the node that is going on. */
  readonly busyWith: string | null
  /** Runs of the node that wait already. */
  readonly queued: number
}

/** `next` is the instant after it of which is decided then. */
export type Verdict = { readonly next: Date | null } & (
  | { readonly kind: 'pass' }
  | { readonly kind: 'skip'; readonly at: Date; readonly reason: string; readonly runId: string | null }
  | { readonly kind: 'begin' | 'queue'; readonly at: Date; readonly missedSince: Date | null }
)

export function decideFiring(situation: Situation): Verdict {
  const { timetable, at, now, active, missed } = situation
  if (!active) return { kind: 'pass', next: nextAfter(timetable, now) }
  if (now.getTime() - at.getTime() <= lateMs) return weigh(situation, at, null)
  if (missed === 'skip') {
    const reason = `missed: nobody could start it for more than a minute after ${at.toISOString()}`
    return { kind: 'skip', at, reason, runId: null, next: nextAfter(timetable, now) }
  }
  // One run for all that were missed, as the newest of them.
  const newest = newestUpTo(timetable, at, now) ?? at
  return weigh(situation, newest, at)
}

function weigh({ timetable, overlap, busyWith, queued }: Situation, at: Date, missedSince: Date | null): Verdict {
  const next = nextAfter(timetable, at)
  if (overlap === 'allow' || (busyWith === null && queued === 0)) return { kind: 'begin', at, missedSince, next }
  if (overlap === 'skip' || queued >= queuedMax) {
    const reason = overlap === 'skip' ? skipReason(busyWith, queued) : fullReason
    return { kind: 'skip', at, reason, runId: busyWith, next }
  }
  return { kind: 'queue', at, missedSince, next }
}

export const fullReason = `${queuedMax} runs of the node wait already, which is as many as may`

export function skipReason(busyWith: string | null, queued: number): string {
  return busyWith === null ? `${queued} runs of the node wait to begin` : `the run ${busyWith} is still going on`
}
