import { setTimeout as wait } from 'node:timers/promises'
import { textOf } from '../../errors.ts'
import { deleteAuditBefore } from '../../store/queries/audit.ts'
import { deleteEndedSessions } from '../../store/queries/sessions.ts'
import { runsKeepDaysLeast } from '../../options.ts'
import { deleteRunsBefore, topologiesOfRuns } from '../../store/queries/history/retention.ts'
import type { Place } from '../../store/queries/runs.ts'
import type { ApiDeps } from '../deps.ts'
import { forgetTrash } from '../actions/trash/retention.ts'

/** Forgets, every hour, what is older than it has to be kept: the audit log, logins, Trash that is settled, and runs that have ended. Every control does this. */
export interface Retention {
  /** Resolves when nothing is under way; twice is harmless. */
  close(): Promise<void>
}

type Deps = Pick<ApiDeps, 'store' | 'access' | 'queues' | 'log'>
type Own = Omit<Deps, 'queues'>

const everyMs = 3_600_000
const dayMs = 86_400_000
const batch = 5_000

/**
 * However short runs are to be kept: a delivery of a webhook that comes again within 72 hours is known by its run; with an hour for
 * clocks that differ.
 */
const leastKeptMs = runsKeepDaysLeast * dayMs + 3_600_000

/** In days; 0: for ever. */
export interface Keeping {
  readonly auditDays: number
  readonly runsKeepDays: number
  /** Of what is settled. */
  readonly trashKeepDays: number
}

type Days = Omit<Keeping, 'trashKeepDays'>

export function openRetention(deps: Deps, keeping: Keeping): Retention {
  const stopping = new AbortController()
  const running = keepForgetting(deps, keeping, stopping.signal)
  return {
    async close() {
      stopping.abort()
      await running
    },
  }
}

async function keepForgetting(deps: Deps, keeping: Keeping, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await forgetAll(deps, keeping, signal).catch((error: unknown) => {
      deps.log.warn('what is old is forgotten later', { error: textOf(error) })
    })
    await wait(everyMs, null, { signal }).catch(() => null)
  }
}

async function forgetAll(deps: Deps, keeping: Keeping, signal: AbortSignal): Promise<void> {
  await forgetOnce(deps, keeping, signal)
  await forgetTrash(deps, keeping, signal)
}

/** All but Trash. */
export async function forgetOnce(deps: Own, keeping: Days, signal?: AbortSignal): Promise<void> {
  await deleteEndedSessions(deps.store, { idleMs: deps.access.sessionIdleMs })
  await forgetAudit(deps, keeping, signal)
  await forgetRuns(deps, keeping, signal)
}

async function forgetAudit({ store }: Own, { auditDays }: Days, signal?: AbortSignal): Promise<void> {
  if (auditDays === 0) return
  const before = new Date(Date.now() - auditDays * dayMs)
  // In batches, so that none holds its locks for long.
  while (signal?.aborted !== true && (await deleteAuditBefore(store, before, batch)) === batch);
}

/** Small, since the recorder waits for a batch whose runs it is about to change. */
const runsBatch = 500

async function forgetRuns({ store }: Own, { runsKeepDays }: Days, signal?: AbortSignal): Promise<void> {
  for (const { topologyId, keepDays } of await topologiesOfRuns(store)) {
    const days = keepDays ?? runsKeepDays
    if (days === 0) continue
    const before = new Date(Date.now() - Math.max(days * dayMs, leastKeptMs))
    let after: Place | null = null
    do after = (await deleteRunsBefore(store, { topologyId, before, after, limit: runsBatch })).next
    while (after !== null && signal?.aborted !== true)
  }
}
