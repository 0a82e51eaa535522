import { sql } from 'drizzle-orm'
import { baseOf, readingOf } from '../../protocol/reading.ts'
import { column } from '../columns.ts'
import type { Database } from '../store.ts'
import type { ReadPage } from '../tally/tally.ts'

/** So many pages of a reading are kept, the newest: to those a person can rewind it. */
export const pagesKept = 1_000

/** Writes where readings are, and what they read; a page that arrives late never replaces a newer one. */
export async function writePages(db: Database, topologyId: string, pages: readonly ReadPage[]): Promise<void> {
  if (pages.length === 0) return
  await writeCursors(db, topologyId, newestOf(pages))
  await writeHistory(db, pages)
}

interface Newest extends ReadPage {
  readonly startedAt: string
}

/** The newest page of each reading; of the proposals of a batch the last that was made stays. */
function newestOf(pages: readonly ReadPage[]): Newest[] {
  const newest = new Map<string, Newest>()
  for (const page of pages) {
    const id = readingOf(page.nodeId, page.message)
    const known = newest.get(id)
    if (known !== undefined && known.page > page.page) continue
    newest.set(id, {
      ...page,
      watermark: page.watermark ?? known?.watermark ?? null,
      startedAt: known?.startedAt ?? page.at,
    })
  }
  return [...newest.values()]
}

async function writeCursors(db: Database, topologyId: string, pages: readonly Newest[]): Promise<void> {
  await db.execute(sql`
    insert into cursors as c (id, topology_id, node_id, run_id, message_id, tenant, page, cursor, next, is_ended, progress,
      watermark, since, epoch, commit, reconcile, edit_taken, started_at, updated_at)
    select s.id, ${topologyId}, s.node, s.run, s.message, s.tenant, s.page, s.cursor, s.next, s.next is null, s.progress,
      s.watermark, s.since, s.epoch, s.commit, s.reconcile, s.edit, s.started, s.at
    from unnest(
      ${column(pages, (page) => readingOf(page.nodeId, page.message))},
      ${column(pages, (page) => page.nodeId)},
      ${column(pages, (page) => page.run)},
      ${column(pages, (page) => baseOf(page.message))},
      ${column(pages, (page) => page.tenant)},
      ${column(pages, (page) => page.page, 'int')},
      ${column(pages, (page) => page.cursor)},
      ${column(pages, (page) => page.next)},
      ${column(pages, (page) => page.progress)},
      ${column(pages, (page) => page.watermark)},
      ${column(pages, (page) => page.since?.watermark ?? null)},
      ${column(pages, (page) => page.since?.epoch ?? null, 'int')},
      ${column(pages, (page) => page.commit)},
      ${column(pages, (page) => page.reconcile, 'boolean')},
      ${column(pages, (page) => page.edit, 'int')},
      ${column(pages, (page) => page.startedAt, 'timestamptz')},
      ${column(pages, (page) => page.at, 'timestamptz')}
    ) as s(id, node, run, message, tenant, page, cursor, next, progress, watermark, since, epoch, commit, reconcile, edit,
      started, at)
    on conflict (id) do update set page = excluded.page, cursor = excluded.cursor,
      next = excluded.next, is_ended = excluded.is_ended, progress = coalesce(excluded.progress, c.progress),
      watermark = coalesce(excluded.watermark, c.watermark), since = excluded.since, epoch = excluded.epoch,
      commit = excluded.commit, edit_taken = greatest(c.edit_taken, excluded.edit_taken),
      updated_at = excluded.updated_at
    where c.page <= excluded.page`)
}

async function writeHistory(db: Database, pages: readonly ReadPage[]): Promise<void> {
  const ids = column(pages, (page) => readingOf(page.nodeId, page.message))
  const numbers = column(pages, (page) => page.page, 'int')
  await db.execute(sql`
    insert into cursor_history (cursor_id, page, edit, deed, cursor, next, progress, at)
    select s.id, s.page, 0, 'read', s.cursor, s.next, s.progress, s.at
    from unnest(
      ${ids}, ${numbers},
      ${column(pages, (page) => page.cursor)},
      ${column(pages, (page) => page.next)},
      ${column(pages, (page) => page.progress)},
      ${column(pages, (page) => page.at, 'timestamptz')}
    ) as s(id, page, cursor, next, progress, at)
    on conflict do nothing`)
  if (!pages.some(({ page }) => page >= pagesKept)) return
  await db.execute(sql`
    delete from cursor_history h using (
      select id, max(page) as page from unnest(${ids}, ${numbers}) as s(id, page) group by id
    ) as newest
    where h.cursor_id = newest.id and h.page <= newest.page - ${pagesKept}`)
}
