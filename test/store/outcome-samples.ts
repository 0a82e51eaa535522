import type {
  Discarded,
  Ended,
  Outcome,
  PageRead,
  Replayed,
  Split,
  Started,
  Trashed,
} from '../../runtime/protocol/outcome.ts'
import type { Counters } from '../../runtime/store/tally/tally.ts'

/** Outcomes with everything filled in; a test names only what it is about. */
const at = '2026-03-01T10:00:00.000Z'
const text = (body: string) => new TextEncoder().encode(body)

export function started(run: string, more: Partial<Started> = {}): Started {
  const message = { tenant: null, contentType: 'application/json', headers: { 'x-a': '1' }, body: text('{"a":1}') }
  return { kind: 'started', run, nodeId: 'node-start', at, messages: 1, revision: 1, ...message, ...more }
}

export function ended(run: string, more: Partial<Ended> = {}): Ended {
  return { kind: 'ended', run, nodeId: 'node-a', at, cancelled: false, ...more }
}

export function split(run: string, delta: number, batch: Split['batch'] = null): Split {
  return { kind: 'split', run, nodeId: 'node-a', at, delta, batch }
}

/** A page of the reading that the message `message` of the node makes. */
export function pageRead(more: Partial<PageRead> = {}): PageRead {
  const place = { message: 'message', tenant: null, page: 0, cursor: null, next: null, edit: 0, reconcile: false }
  return { ...place, watermark: null, progress: null, since: null, commit: null, ...more }
}

export function trashed(run: string, trashId: string, more: Partial<Trashed> = {}): Trashed {
  const origin = { from: 'start', created: at, replay: 0, page: 0, cursor: null, tenant: null, key: null, trace: null }
  const message = { id: `message-${trashId}`, ...origin, headers: {}, contentType: 'text/plain' }
  const error = { type: 'about:blank', title: 'Order 17 not found', status: 422 }
  const failed = { revision: 1, error, attempts: [], message, body: text('payload') }
  return { kind: 'trashed', run, nodeId: 'node-a', at, trashId, ...failed, ...more }
}

export function replayed(run: string, trashId: string): Replayed {
  return { kind: 'replayed', run, nodeId: 'node-a', at, trashId }
}

export function discarded(run: string, trashId: string, reason: string | null = null): Discarded {
  return { kind: 'discarded', run, nodeId: 'node-a', at, trashId, reason }
}

/** What the table in protocol/outcome.ts says, one outcome at a time: the law that the set-based statements are held to. */
export function countOneByOne(outcomes: readonly Outcome[]): Map<string, Counters> {
  const runs = new Map<string, Counters>()
  for (const outcome of outcomes) {
    const run = runs.get(outcome.run) ?? { done: 0, failed: 0, discarded: 0, cancelled: 0, inProgress: 0 }
    runs.set(outcome.run, run)
    if (outcome.kind === 'started') run.inProgress += outcome.messages
    if (outcome.kind === 'split') run.inProgress += outcome.delta
    if (outcome.kind === 'ended') {
      run.inProgress -= 1
      if (outcome.cancelled) run.cancelled += 1
      else run.done += 1
    }
    if (outcome.kind === 'trashed') {
      run.inProgress -= 1
      run.failed += 1
    }
    if (outcome.kind === 'replayed') {
      run.failed -= 1
      run.inProgress += 1
    }
    if (outcome.kind === 'discarded') {
      run.failed -= 1
      run.discarded += 1
    }
  }
  return runs
}
