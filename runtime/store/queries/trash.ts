import { and, asc, desc, eq, getTableColumns, max, sql } from 'drizzle-orm'
import { Conflict, LostRace, NotFound } from '../../errors.ts'
import type { Place } from './runs.ts'
import { trash, trashVersions } from '../schema/index.ts'
import type { Store } from '../store.ts'
import { storable } from '../text.ts'
import { withinTime } from '../trash/bounded.ts'
import { conditions } from '../trash/filter.ts'
import type { TrashFilter } from '../trash/filter.ts'

export type TrashRow = typeof trash.$inferSelect
/** A row without its body, for lists. */
export type TrashHead = Omit<TrashRow, 'body'>
export type TrashVersion = typeof trashVersions.$inferSelect

const { body: _, ...columns } = getTableColumns(trash)

/** Newest first. */
export async function listTrash(
  store: Store,
  filter: TrashFilter,
  limit: number,
  after: Place | null,
): Promise<TrashHead[]> {
  const before = after && sql`(${trash.createdAt}, ${trash.id}) < (${after.at.toISOString()}, ${after.id})`
  const where = and(...conditions(filter), before ?? undefined)
  return withinTime(store, filter, (db) =>
    db.select(columns).from(trash).where(where).orderBy(desc(trash.createdAt), desc(trash.id)).limit(limit),
  )
}

/** What of one message of a run came to Trash, its edited replays too, the oldest first. */
export async function trashOfMessage(
  store: Store,
  runId: string,
  messageId: string,
  limit: number,
): Promise<TrashHead[]> {
  const clean = storable(messageId)
  const isIt = sql`(${trash.messageId} = ${clean} or starts_with(${trash.messageId}, ${`${clean}!`}))`
  const where = and(eq(trash.runId, runId), isIt)
  return store.query((db) =>
    db.select(columns).from(trash).where(where).orderBy(asc(trash.createdAt), asc(trash.id)).limit(limit),
  )
}

/** Throws `NotFound`. */
export async function getTrash(store: Store, id: string): Promise<TrashRow> {
  const [row] = await store.query((db) =>
    db
      .select()
      .from(trash)
      .where(eq(trash.id, storable(id))),
  )
  if (!row) throw new NotFound(`there is no message "${id}" in Trash`)
  return row
}

/**
 * Reads a row and keeps others from changing or editing it until the transaction ends. Whoever then writes the row as the recorder does
 * has to have locked the topology's position before (`lockPosition`). Throws `NotFound`, `Conflict` when it is settled.
 */
export async function lockTrash(inside: Store, id: string): Promise<TrashRow> {
  const [row] = await inside.query((db) => db.select().from(trash).where(eq(trash.id, id)).for('update'))
  if (!row) throw new NotFound(`there is no message "${id}" in Trash`)
  if (row.state !== 'open') throw new Conflict(`the message is ${row.state} already`)
  return row
}

const { body: __, ...versionColumns } = getTableColumns(trashVersions)

/**
 * Edits of a row, oldest first; the row itself is the original. Bodies of the newest ones only, so many bytes of them at most: the others
 * are null.
 */
export async function trashVersionsOf(
  store: Store,
  id: string,
  bodiesMaxBytes: number,
): Promise<(Omit<TrashVersion, 'body'> & { readonly body: Uint8Array | null })[]> {
  const sum = sql`sum(octet_length(${trashVersions.body})) over (order by ${trashVersions.version} desc)`
  const body = sql<Uint8Array | null>`case when ${sum} <= ${bodiesMaxBytes} then ${trashVersions.body} end`
  return store.query((db) =>
    db
      .select({ ...versionColumns, body })
      .from(trashVersions)
      .where(eq(trashVersions.trashId, id))
      .orderBy(asc(trashVersions.version)),
  )
}

/** Null: it wasn't edited. */
export async function newestEditOf(store: Store, id: string): Promise<TrashVersion | null> {
  const [newest] = await store.query((db) =>
    db.select().from(trashVersions).where(eq(trashVersions.trashId, id)).orderBy(desc(trashVersions.version)).limit(1),
  )
  return newest ?? null
}

/** Number of the newest version; 0: the original. */
export async function newestVersionOf(store: Store, id: string): Promise<number> {
  const [row] = await store.query((db) =>
    db
      .select({ newest: max(trashVersions.version) })
      .from(trashVersions)
      .where(eq(trashVersions.trashId, id)),
  )
  return row?.newest ?? 0
}

/** What a row was in a version; 0: the original. Throws `NotFound`. */
export async function formOf(store: Store, row: TrashRow, version: number): Promise<TrashRow | TrashVersion> {
  if (version === 0) return row
  const isIt = and(eq(trashVersions.trashId, row.id), eq(trashVersions.version, version))
  const [found] = await store.query((db) => db.select().from(trashVersions).where(isIt))
  if (found) return found
  const newest = await newestVersionOf(store, row.id)
  throw new NotFound(`the message has no version ${version}: ${newest} is the newest, 0 the original`)
}

export type TrashEdit = Pick<TrashVersion, 'headers' | 'contentType' | 'body' | 'reason' | 'by'>

/** All of them are kept, and shown together. */
const editsMax = 100

/**
 * Adds a version made from the newest one; the original is kept. `ifVersion` is the number of the newest version
 * (0: the original). Throws `NotFound`, `Conflict` when the row is settled or was edited too often, `LostRace`.
 */
export async function editTrash(
  store: Store,
  id: string,
  ifVersion: number | null,
  edit: (newest: Pick<TrashVersion, 'headers' | 'contentType' | 'body'>) => TrashEdit,
): Promise<TrashVersion> {
  return store.transaction(async (inside) => {
    const row = await lockTrash(inside, id)
    const newest = await newestEditOf(inside, id)
    const version = newest?.version ?? 0
    refuseEdited(version, ifVersion)
    if (version >= editsMax)
      throw new Conflict(
        `the message was edited ${editsMax} times, which is as often as it can be: replay or discard it`,
      )
    const values = { trashId: id, version: version + 1, ...edit(newest ?? row) }
    const [added] = await inside.query((db) => db.insert(trashVersions).values(values).returning())
    if (!added) throw new Error('an insert returned no row')
    return added
  })
}

/** Throws `LostRace` when the newest version isn't `ifVersion` (null: whatever it is). */
export function refuseEdited(version: number, ifVersion: number | null): void {
  if (ifVersion !== null && ifVersion !== version)
    throw new LostRace(`the message was edited since it was read (now version ${version})`)
}
