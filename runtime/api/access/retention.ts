import { setTimeout as wait } from 'node:timers/promises'
import { textOf } from '../../errors.ts'
import { deleteAuditBefore } from '../../store/queries/audit.ts'
import { deleteEndedSessions } from '../../store/queries/sessions.ts'
import type { ApiDeps } from '../deps.ts'

/** Forgets, every hour, what is older than it has to be kept: the audit log, and logins that have ended. Every control does this. */
export interface Retention {
  /** Resolves when nothing is under way; twice is harmless. */
  close(): Promise<void>
}

type Deps = Pick<ApiDeps, 'store' | 'access' | 'log'>

const everyMs = 3_600_000
const dayMs = 86_400_000
const batch = 5_000

/** `auditDays` 0: the audit log is kept for ever. */
export function openRetention(deps: Deps, auditDays: number): Retention {
  const stopping = new AbortController()
  const running = keepForgetting(deps, auditDays, stopping.signal)
  return {
    async close() {
      stopping.abort()
      await running
    },
  }
}

async function keepForgetting(deps: Deps, auditDays: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await forgetOnce(deps, auditDays, signal).catch((error: unknown) => {
      deps.log.warn('what is old is forgotten later', { error: textOf(error) })
    })
    await wait(everyMs, null, { signal }).catch(() => null)
  }
}

export async function forgetOnce({ store, access }: Deps, auditDays: number, signal?: AbortSignal): Promise<void> {
  await deleteEndedSessions(store, { idleMs: access.sessionIdleMs })
  if (auditDays === 0) return
  const before = new Date(Date.now() - auditDays * dayMs)
  // In batches, so that none holds its locks for long.
  while (signal?.aborted !== true && (await deleteAuditBefore(store, before, batch)) === batch);
}
