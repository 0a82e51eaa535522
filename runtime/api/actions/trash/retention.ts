import { deleteSettledBefore, openBefore, topologiesOfTrash } from '../../../store/queries/history/trash.ts'
import type { OpenRow, TrashKeeping } from '../../../store/queries/history/trash.ts'
import type { Place } from '../../../store/queries/runs.ts'
import type { ApiDeps } from '../../deps.ts'
import { eachOf } from '../look/each.ts'

type Deps = Pick<ApiDeps, 'store' | 'queues' | 'log'>

const dayMs = 86_400_000
/** Small, so that a batch holds its locks for a moment only. */
const batch = 500
/** Discards that are under way at once. */
const atOnce = 50

/**
 * Deletes what was settled long ago, and discards what is open for longer than its topology allows. Nothing that is open is ever
 * deleted: a discard is recorded first, so runs' counters and groups stay exact, and then it is kept as any other.
 */
export async function forgetTrash(
  deps: Deps,
  { trashKeepDays }: { readonly trashKeepDays: number },
  signal?: AbortSignal,
): Promise<void> {
  for (const keeping of await topologiesOfTrash(deps.store)) {
    const days = keeping.keepDays ?? trashKeepDays
    if (days > 0) await deleteSettled(deps, keeping.topologyId, daysAgo(days), signal)
    if (keeping.openDays !== null) await discardOld(deps, keeping, keeping.openDays, signal)
  }
}

const daysAgo = (days: number): Date => new Date(Date.now() - days * dayMs)

async function deleteSettled({ store }: Deps, topologyId: string, before: Date, signal?: AbortSignal): Promise<void> {
  while (
    signal?.aborted !== true &&
    (await deleteSettledBefore(store, { topologyId, before, limit: batch })) === batch
  );
}

async function discardOld(deps: Deps, { topologyId }: TrashKeeping, days: number, signal?: AbortSignal): Promise<void> {
  const before = daysAgo(days)
  const reason = `it was open for more than ${days} days (trashOpenDays)`
  let after: Place | null = null
  let discarded = 0
  for (;;) {
    const rows: OpenRow[] = await openBefore(deps.store, { topologyId, before, after, limit: batch })
    const last = rows.at(-1)
    if (last === undefined || signal?.aborted === true) break
    discarded += await discardRows(deps, rows, reason)
    after = { at: new Date(last.at), id: last.id }
  }
  if (discarded > 0) deps.log.info('Trash that was open for too long is discarded', { topology: topologyId, discarded })
}

/**
 * Asks for the discard of rows of topologies that are there; answers how many weren't being replayed or discarded already. The rows
 * follow when the recorder has read it.
 */
export async function discardRows({ queues }: Deps, rows: readonly OpenRow[], reason: string): Promise<number> {
  const answers = await eachOf(rows, atOnce, ({ topologyId, nodeId, id, runId: run, replay }) =>
    queues.discard({ topologyId, nodeId, trashId: id, run, reason, replay }),
  )
  return answers.filter((answer) => answer === 'accepted').length
}
