import { sql } from 'drizzle-orm'
import type { Store } from '../../store.ts'
import type { Place } from '../runs.ts'

/** Topologies that runs are of, deleted ones too, and how many days their runs are kept; null: as the engine is told to. */
export async function topologiesOfRuns(
  store: Store,
): Promise<{ readonly topologyId: string; readonly keepDays: number | null }[]> {
  // One step in the index for each topology, however many runs they have.
  const rows = await store.query((db) =>
    db.execute<{ id: string; days: number | null }>(sql`
      with recursive ids as (
        (select topology_id as id from runs order by topology_id limit 1)
        union all
        select (select r.topology_id from runs r where r.topology_id > ids.id order by r.topology_id limit 1)
        from ids where ids.id is not null
      )
      select ids.id, t.runs_keep_days as days from ids left join topologies t on t.id = ids.id where ids.id is not null`),
  )
  return rows.map(({ id, days }) => ({ topologyId: id, keepDays: days }))
}

/**
 * Of the next `limit` runs of a topology that began before a time, in order, deletes those that ended before it: never one that runs,
 * has something open in Trash, or is being made again. With them goes what is kept for them: milestones, cursors with their history, settled Trash.
 * Waits for nobody: a run whose row somebody changes just now is left for the next time. Answers where to go on; null: that was all.
 */
export async function deleteRunsBefore(
  store: Store,
  { topologyId, before, after, limit }: { topologyId: string; before: Date; after: Place | null; limit: number },
): Promise<{ readonly next: Place | null; readonly deleted: number }> {
  return store.transaction(async (inside) => {
    const looked = await inside.query((db) =>
      db.execute<{ id: string; at: string }>(sql`
        select id, started_at::text as at from runs where topology_id = ${topologyId}
          and started_at < ${before.toISOString()}::timestamptz
          ${after === null ? sql`` : sql`and (started_at, id) > (${after.at.toISOString()}::timestamptz, ${after.id})`}
        order by started_at, id limit ${limit}`),
    )
    const last = looked.at(-1)
    if (last === undefined) return { next: null, deleted: 0 }
    const ids = await ended(
      inside,
      looked.map(({ id }) => id),
      before,
    )
    if (ids.length > 0) await deleteAll(inside, ids)
    const next = looked.length < limit ? null : { at: new Date(last.at), id: last.id }
    return { next, deleted: ids.length }
  })
}

async function ended(inside: Store, ids: readonly string[], before: Date): Promise<string[]> {
  const rows = await inside.query((db) =>
    db.execute<{ id: string }>(sql`
      select id from runs r where r.id = any(${sql.param([...ids])}::text[]) and r.state <> 'running'
        and r.finished_at < ${before.toISOString()}::timestamptz
        and not exists (select from trash t where t.run_id = r.id and t.state = 'open')
        and not exists (select from reruns n where n.state = 'open' and (n.rerun_of = r.id or n.run_id = r.id))
      order by id for update skip locked`),
  )
  return rows.map(({ id }) => id)
}

async function deleteAll(inside: Store, ids: readonly string[]): Promise<void> {
  const these = sql`any(${sql.param([...ids])}::text[])`
  await inside.query(async (db) => {
    await db.execute(sql`delete from run_milestones where run_id = ${these}`)
    await db.execute(sql`delete from cursor_history h using cursors c where c.id = h.cursor_id and c.run_id = ${these}`)
    await db.execute(sql`delete from cursors where run_id = ${these}`)
    await db.execute(sql`delete from trash where run_id = ${these} and state <> 'open'`)
    await db.execute(sql`delete from reruns where run_id = ${these}`)
    await db.execute(sql`delete from runs where id = ${these}`)
  })
}
