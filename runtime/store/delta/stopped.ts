import { sql } from 'drizzle-orm'
import type { Trashed } from '../../protocol/outcome.ts'
import { baseOf, readingOf } from '../../protocol/reading.ts'
import { column } from '../columns.ts'
import type { Database } from '../store.ts'

/**
 * Writes the readings whose first page failed for good: nothing of them was read, and yet their run commits nothing for their node
 * and tenant. One of which a page was read is there already, and stays as it is.
 */
export async function writeStopped(db: Database, topologyId: string, trashed: readonly Trashed[]): Promise<void> {
  const rows = trashed.filter(({ reading, message }) => reading !== undefined && message.page === 0)
  if (rows.length === 0) return
  await db.execute(sql`
    insert into cursors (id, topology_id, node_id, run_id, message_id, tenant, page, cursor, since, epoch, commit, reconcile,
      edit_taken, started_at, updated_at)
    select s.id, ${topologyId}, s.node, s.run, s.message, s.tenant, 0, s.cursor, s.since, s.epoch, s.commit, s.reconcile,
      s.edit, s.at, s.at
    from unnest(
      ${column(rows, ({ nodeId, message }) => readingOf(nodeId, message.id))},
      ${column(rows, ({ nodeId }) => nodeId)},
      ${column(rows, ({ run }) => run)},
      ${column(rows, ({ message }) => baseOf(message.id))},
      ${column(rows, ({ message }) => message.tenant)},
      ${column(rows, ({ message }) => message.cursor)},
      ${column(rows, ({ message }) => message.since?.watermark ?? null)},
      ${column(rows, ({ message }) => message.since?.epoch ?? null, 'int')},
      ${column(rows, ({ reading }) => reading?.commit ?? null)},
      ${column(rows, ({ message }) => message.reconcile ?? false, 'boolean')},
      ${column(rows, ({ message }) => message.edit ?? 0, 'int')},
      ${column(rows, ({ at }) => at, 'timestamptz')}
    ) as s(id, node, run, message, tenant, cursor, since, epoch, commit, reconcile, edit, at)
    on conflict (id) do nothing`)
}
