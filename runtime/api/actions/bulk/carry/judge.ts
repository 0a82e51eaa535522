import type { Bulk } from '../../../../store/bulk/bulks.ts'

/** What is known of how a bulk goes, and what it was told. */
export type Going = Pick<
  Bulk,
  | 'action'
  | 'canary'
  | 'step'
  | 'window'
  | 'stepBase'
  | 'baseDone'
  | 'baseFailed'
  | 'recent'
  | 'waiting'
  | 'underWay'
  | 'done'
  | 'failedAgain'
  | 'stopAtFailedPercent'
  | 'ratePerSecond'
>

/** Where in its canary it is. */
export type Stage = Pick<Bulk, 'step' | 'window' | 'stepBase'>

/** `go`: so many more may be sent now. `stop`: too many failed again. */
export type Judgement =
  | { readonly kind: 'go'; readonly stage: Stage; readonly allowed: number }
  | { readonly kind: 'stop'; readonly failed: number; readonly settled: number; readonly isFirst: boolean }

/** Messages under way at once: what is sent can't be called back, so a bulk never sends far ahead of what it knows. */
const underWayMax = 2_000
/** Discards are settled when they are sent. */
const discardsAtOnce = 5_000
const rampFrom = 10
/** Of fewer nothing can be said. */
const settledLeast = 5

/**
 * How a bulk goes on. A canary sends a first message and waits until it has ended well, then a few, then ever more at once: whenever as
 * many have settled as may be under way, twice as many may. Pure.
 *
 * It stops when the first one fails, and when more than `stopAtFailedPercent` failed again: of all that settled since it was begun or
 * resumed, or of the last ones. What only waits says nothing, and when all is sent there is nothing to stop any more.
 */
export function judge(going: Going): Judgement {
  if (going.waiting === 0) return { kind: 'go', stage: stageOf(going), allowed: 0 }
  if (going.action === 'discard') return { kind: 'go', stage: stageOf(going), allowed: discardsAtOnce }
  const failed = going.failedAgain - going.baseFailed
  const settled = failed + going.done - going.baseDone
  if (going.step === 'first' && failed > 0) return { kind: 'stop', failed, settled, isFirst: true }
  if (isTooMuch(failed, settled, going.stopAtFailedPercent)) return { kind: 'stop', failed, settled, isFirst: false }
  const lately = settled > 0 ? going.recent.slice(-settled) : ''
  const latelyFailed = lately.split('f').length - 1
  if (isTooMuch(latelyFailed, lately.length, going.stopAtFailedPercent))
    return { kind: 'stop', failed: latelyFailed, settled: lately.length, isFirst: false }
  const stage = nextStage(going)
  return { kind: 'go', stage, allowed: Math.max(0, room(going, stage)) }
}

function isTooMuch(failed: number, settled: number, percent: number): boolean {
  return settled >= settledLeast && failed * 100 > percent * settled
}

const stageOf = ({ step, window, stepBase }: Stage): Stage => ({ step, window, stepBase })

function nextStage(going: Going): Stage {
  const settled = going.done + going.failedAgain
  const since = settled - going.stepBase
  const { canary, step, window } = going
  if (canary === null || step === 'all') return { step: 'all', window: 0, stepBase: going.stepBase }
  if (step === 'first') return since < canary.first ? stageOf(going) : { step: 'five', window: 0, stepBase: settled }
  if (step === 'five')
    return since < canary.five ? stageOf(going) : { step: 'ramp', window: rampFrom, stepBase: settled }
  if (since < window) return stageOf(going)
  return window * 2 < underWayMax
    ? { step: 'ramp', window: window * 2, stepBase: settled }
    : { step: 'all', window: 0, stepBase: settled }
}

/** How many more may be under way. What was refused, or cancelled with its run, makes room for another one. */
function room({ canary, underWay, done, failedAgain }: Going, { step, window, stepBase }: Stage): number {
  const since = done + failedAgain - stepBase
  if (step === 'first') return (canary?.first ?? 0) - since - underWay
  if (step === 'five') return (canary?.five ?? 0) - since - underWay
  return (step === 'ramp' ? window : underWayMax) - underWay
}
