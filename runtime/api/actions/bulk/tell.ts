import type { Events } from '../../../queue/events.ts'
import type { Bulk } from '../../../store/bulk/bulks.ts'

/** What of a bulk is counted, as it is shown: what a cancelled one has not sent, it never will. */
export function messagesOf(bulk: Bulk) {
  const { total, underWay, done, failedAgain, refused, discarded } = bulk
  const isCancelled = bulk.state === 'cancelled'
  return {
    total,
    waiting: isCancelled ? 0 : bulk.waiting,
    underWay,
    done,
    failedAgain,
    refused,
    discarded,
    cancelled: bulk.cancelled + (isCancelled ? bulk.waiting : 0),
  }
}

/** What a filter looks for in bodies is of what messages hold. */
export function withoutBody(filter: Bulk['filter']): Record<string, unknown> {
  const { body: _, ...rest } = filter as Record<string, unknown>
  return rest
}

/** For those who watch. */
export function tellBulk(events: Pick<Events, 'emit'>, bulk: Bulk): void {
  const { id: bulkId, topologyId, action, state, step } = bulk
  const messages = messagesOf(bulk)
  events.emit({ kind: 'bulk', bulkId, action, state, step, messages, ...(topologyId !== null && { topologyId }) })
}
