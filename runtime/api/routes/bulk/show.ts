import type { z } from '@hono/zod-openapi'
import type { Bulk } from '../../../store/bulk/bulks.ts'
import type { ListedMessage, Outcome } from '../../../store/bulk/messages.ts'
import { messagesOf, withoutBody } from '../../actions/bulk/tell.ts'
import type * as schemas from './schemas.ts'

const iso = (time: Date | null): string | null => time?.toISOString() ?? null

export function showBulk(bulk: Bulk, topology: string | null, isPayloadShown: boolean): z.output<typeof schemas.bulk> {
  const { id, topologyId, action, filter, patch, canary, ratePerSecond, stopAtFailedPercent, acceptWarnings } = bulk
  const { state, step, by, reason, stoppedBecause, waitsFor, createdAt, startedAt, finishedAt, rateNow } = bulk
  return {
    id,
    topology,
    topologyId,
    action,
    filter: isPayloadShown ? { ...filter } : withoutBody(filter),
    ...(isPayloadShown && { patch: patch as z.output<typeof schemas.bulk>['patch'] }),
    isPatched: patch !== null,
    canary,
    ratePerSecond,
    stopAtFailedPercent,
    acceptWarnings,
    state,
    step,
    messages: messagesOf(bulk),
    by,
    reason,
    stoppedBecause,
    waitsFor,
    createdAt: createdAt.toISOString(),
    startedAt: iso(startedAt),
    finishedAt: iso(finishedAt),
    ratePerSecondNow: rateNow,
    remainingMs: remainingMs(bulk),
  }
}

function remainingMs({ state, waiting, underWay, rateNow, finishedAt }: Bulk): number | null {
  if (finishedAt !== null) return 0
  if (state !== 'running' || rateNow <= 0) return null
  return Math.ceil(((waiting + underWay) / rateNow) * 1_000)
}

/** What is waiting in a cancelled bulk will never be sent; what is about to be sent is under way for everybody else. */
export function showMessage(message: ListedMessage, { state }: Bulk, isPayloadShown: boolean) {
  const { position, trashId, why, fault, againId, error, sentAt, settledAt } = message
  const isLeft = message.outcome === 'waiting' && state === 'cancelled'
  const outcome = isLeft ? 'cancelled' : message.outcome === 'sending' ? 'underWay' : message.outcome
  const left = isLeft ? 'it was not sent: the bulk was cancelled' : null
  return {
    position,
    trashId,
    outcome,
    why: why === null ? left : `${why}${isPayloadShown && fault !== null ? ` (${fault})` : ''}`,
    againId,
    error,
    sentAt: iso(sentAt),
    settledAt: iso(settledAt),
  }
}

type Shown = Exclude<Outcome, 'sending'>

/** Which are listed when these are asked for; null: none can be. */
export function listedOutcomes(outcome: Shown | undefined, { state }: Bulk): Outcome[] | null {
  if (outcome === undefined) return null
  if (outcome === 'underWay') return ['sending', 'underWay']
  if (state !== 'cancelled') return [outcome]
  if (outcome === 'waiting') return []
  return outcome === 'cancelled' ? ['waiting', 'cancelled'] : [outcome]
}
