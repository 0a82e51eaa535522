import { forgetBulkOf } from '../../../store/bulk/bulks.ts'
import { deleteRows, eraseStarts, rowsOfTenant, runningOfTenant } from '../../../store/queries/history/trash.ts'
import type { TenantRow } from '../../../store/queries/history/trash.ts'
import { findTopology } from '../../../store/queries/topologies.ts'
import { lockPosition, settleDirectly } from '../../../store/outcomes.ts'
import type { Changing } from '../../deps.ts'
import { discardRows } from './retention.ts'

export interface Erased {
  /** Messages of Trash, with all their versions. */
  readonly erased: number
  /** Of them those that were open. */
  readonly discarded: number
  /** Start messages of runs that have ended. */
  readonly starts: number
  /** Runs that still go on: what they hold is in queues. */
  readonly runsLeft: number
  /** False: there is more, ask again. */
  readonly isDone: boolean
}

interface Whose {
  readonly tenant: string
  /** Null: of every topology. */
  readonly topologyId: string | null
}

const batch = 200
const startsBatch = 500
const bulkBatch = 10_000
/** A request takes no longer than about this. */
const untilMs = 20_000
const reason = 'its tenant was erased'

/**
 * Deletes what Trash and ended runs hold of a tenant, the oldest first, and bulks that are over and name it. What is open is discarded before, so that counters of runs come
 * out right: the record of a discard counts, too, when its row is gone. May be broken off anywhere and done again.
 */
export async function eraseTenant(deps: Changing, whose: Whose): Promise<Erased> {
  const { store } = deps
  const until = performance.now() + untilMs
  const counts = { erased: 0, discarded: 0, starts: 0 }
  let isDone = false
  while (!isDone && performance.now() < until) {
    const rows = await rowsOfTenant(store, { ...whose, limit: batch })
    if (rows.length > 0 && counts.erased === 0) await note(deps, whose)
    counts.discarded += await discardOpen(deps, rows)
    counts.erased += await deleteAll(deps, rows)
    isDone = rows.length < batch
  }
  while (isDone && performance.now() < until) {
    if (await forgetBulkOf(store, { ...whose, limit: bulkBatch })) continue
    const erased = await eraseStarts(store, { ...whose, limit: startsBatch })
    if (erased > 0 && counts.erased + counts.starts === 0) await note(deps, whose)
    counts.starts += erased
    if (erased < startsBatch) return { ...counts, isDone, runsLeft: await runsLeft(deps, whose) }
  }
  return { ...counts, isDone: false, runsLeft: await runsLeft(deps, whose) }
}

const runsLeft = ({ store }: Changing, { tenant, topologyId }: Whose): Promise<number> =>
  runningOfTenant(store, tenant, topologyId)

/** Once, when something is erased. */
async function note({ store, audit }: Changing, { tenant, topologyId }: Whose): Promise<void> {
  const target = { kind: 'trash', id: tenant, name: null, topologyId } as const
  await audit(store, { ...target, before: { tenant }, after: null })
}

/** Answers how many were open. */
async function discardOpen(deps: Changing, rows: readonly TenantRow[]): Promise<number> {
  const open = rows.filter(({ state }) => state === 'open')
  const there = new Map<string, boolean>()
  for (const { topologyId: id } of open)
    if (!there.has(id)) there.set(id, (await findTopology(deps.store, id)) !== null)
  await discardRows(
    deps,
    open.filter(({ topologyId }) => there.get(topologyId)),
    reason,
  )
  for (const row of open) if (!there.get(row.topologyId)) await settleGone(deps, row)
  return open.length
}

/** Of a deleted topology there is no stream, and so no recorder that would read it. */
async function settleGone(
  { store }: Changing,
  { topologyId, nodeId, runId: run, id: trashId }: TenantRow,
): Promise<void> {
  const at = new Date().toISOString()
  await settleDirectly(store, topologyId, { kind: 'discarded', run, nodeId, at, trashId, reason })
}

function deleteAll({ store }: Changing, rows: readonly TenantRow[]): Promise<number> {
  const topologies = [...new Set(rows.map(({ topologyId }) => topologyId))].sort()
  return store.transaction(async (inside) => {
    for (const id of topologies) await lockPosition(inside, id)
    return deleteRows(
      inside,
      rows.map(({ id }) => id),
    )
  })
}
