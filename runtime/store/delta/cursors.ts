import { and, asc, desc, eq, gt, inArray, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { Conflict, LostRace, NotFound } from '../../errors.ts'
import { cursorHistory, cursors } from '../schema/index.ts'
import type { Store } from '../store.ts'
import { storable } from '../text.ts'
import { namesOf } from './names.ts'
import type { Place } from '../queries/runs.ts'

type Row = typeof cursors.$inferSelect

/** `reading`: pages are read; `stopped`: its page is in Trash; `ended`: all are read; `abandoned`: cancelled, or its page was discarded. */
export const readingStates = ['reading', 'stopped', 'ended', 'abandoned'] as const
export type ReadingState = (typeof readingStates)[number]

/** A cursor with the names of what it belongs to; what is deleted shows its id. */
export interface Cursor extends Row {
  readonly topologyName: string
  readonly nodeName: string
  readonly state: ReadingState
  /** Where its page lies in Trash. */
  readonly trashId: string | null
}

export type CursorDeed = typeof cursorHistory.$inferSelect

export interface CursorFilter {
  readonly topologyId?: string | undefined
  readonly nodeIds?: readonly string[] | undefined
  readonly runId?: string | undefined
  readonly tenant?: string | undefined
  /** Only those that read or are stopped; or only the others. */
  readonly isActive?: boolean | undefined
}

const runState = sql`(select r.state from runs r where r.id = cursors.run_id)`
/** Its pages that failed for good, edited or not: a reading has one at a time. */
const inTrash = sql`from trash t where t.run_id = cursors.run_id and t.node_id = cursors.node_id
  and regexp_replace(t.message_id, '(![0-9]+)+$', '') = cursors.message_id`
const trashId = sql<string | null>`(select t.id ${inTrash} and t.state = 'open' limit 1)`
const state = sql<ReadingState>`(case when cursors.is_ended then 'ended' when ${trashId} is not null then 'stopped'
  when ${runState} = 'running' and not exists (select 1 ${inTrash} and t.state = 'discarded') then 'reading'
  else 'abandoned' end)`
const isActive = sql`(${state} in ('reading', 'stopped'))`

function select(store: Store, where: SQL | undefined, limit: number): Promise<Cursor[]> {
  return store.query(async (db) => {
    const rows = await db
      .select({ row: cursors, ...namesOf('cursors'), state, trashId })
      .from(cursors)
      .where(where)
      .orderBy(desc(cursors.startedAt), desc(cursors.id))
      .limit(limit)
    return rows.map(({ row, ...more }) => ({ ...row, ...more }))
  })
}

/** Those that began last first. */
export function listCursors(store: Store, filter: CursorFilter, limit: number, after: Place | null): Promise<Cursor[]> {
  const where = and(
    filter.topologyId === undefined ? undefined : eq(cursors.topologyId, filter.topologyId),
    filter.nodeIds === undefined ? undefined : inArray(cursors.nodeId, [...filter.nodeIds]),
    filter.runId === undefined ? undefined : eq(cursors.runId, storable(filter.runId)),
    filter.tenant === undefined ? undefined : eq(cursors.tenant, filter.tenant),
    filter.isActive === undefined ? undefined : filter.isActive ? isActive : sql`not ${isActive}`,
    after === null ? undefined : sql`(${cursors.startedAt}, ${cursors.id}) < (${after.at.toISOString()}, ${after.id})`,
  )
  return select(store, where, limit)
}

/** Throws `NotFound`. */
export async function getCursor(store: Store, id: string): Promise<Cursor> {
  const [row] = await select(store, eq(cursors.id, storable(id)), 1)
  if (!row)
    throw new NotFound(
      `there is no cursor "${id}" (yet: it appears with the first page that was read, or failed for good)`,
    )
  return row
}

/** The last row of the page before. */
export interface DeedPlace {
  readonly page: number
  readonly edit: number
}

/** Newest first: pages, and edits after the page that was the newest then. */
export function cursorDeeds(store: Store, id: string, limit: number, after: DeedPlace | null): Promise<CursorDeed[]> {
  const before = after && sql`(${cursorHistory.page}, ${cursorHistory.edit}) < (${after.page}, ${after.edit})`
  return store.query((db) =>
    db
      .select()
      .from(cursorHistory)
      .where(and(eq(cursorHistory.cursorId, id), before ?? undefined))
      .orderBy(desc(cursorHistory.page), desc(cursorHistory.edit))
      .limit(limit),
  )
}

/** With which cursor a page was read. Throws `NotFound` for one that wasn't, or isn't kept any more. */
export async function cursorOfPage(store: Store, id: string, page: number): Promise<string | null> {
  const [row] = await store.query((db) =>
    db
      .select({ cursor: cursorHistory.cursor })
      .from(cursorHistory)
      .where(and(eq(cursorHistory.cursorId, id), eq(cursorHistory.page, page), eq(cursorHistory.edit, 0))),
  )
  if (row) return row.cursor
  throw new NotFound(`page ${page} wasn't read, or is too long ago to be kept: look at the history`)
}

export interface CursorEditing {
  readonly deed: 'edited' | 'rewound' | 'reset'
  /** Null: from the beginning. */
  readonly cursor: string | null
  readonly by: string
  readonly reason: string | null
}

/** Reads a cursor and keeps others from changing it until the transaction ends. Throws `NotFound`, `Conflict` when nothing more is read. */
export async function lockActive(inside: Store, id: string): Promise<Cursor> {
  await inside.query((db) => db.execute(sql`select 1 from cursors where id = ${storable(id)} for update`))
  const cursor = await getCursor(inside, id)
  if (cursor.state === 'reading' || cursor.state === 'stopped') return cursor
  const why = cursor.state === 'ended' ? 'it has read its last page' : 'its run was cancelled, or its page discarded'
  throw new Conflict(
    `nothing more is read from this cursor: ${why}. To read again, start a run; what it begins with is the node's watermark`,
  )
}

/** Stores an edit of a cursor that is locked. `ifEdit`: the number of the newest edit that the caller knows. Throws `LostRace`. */
export async function editCursor(
  inside: Store,
  { id, edit, editTaken, page }: Cursor,
  { deed, cursor, by, reason }: CursorEditing,
  ifEdit: number | null,
): Promise<void> {
  if (ifEdit !== null && ifEdit !== edit)
    throw new LostRace(`the cursor was edited since it was read (now edit ${edit})`)
  // A restored database may be behind what was taken.
  const next = Math.max(edit, editTaken) + 1
  const at = new Date()
  await inside.query(async (db) => {
    await db
      .update(cursors)
      .set({ edit: next, editedCursor: cursor, editedBy: by, editedAt: at })
      .where(eq(cursors.id, id))
    await db.insert(cursorHistory).values({ cursorId: id, page, edit: next, deed, cursor, by, reason, at })
  })
}

type Tell = (topologyId: string, reading: string, edit: { edit: number; cursor: string | null }) => Promise<void>

/** Tells the bridges of the newest edit, unless they know; holds the row meanwhile, so that nothing older is told later. */
export async function tellCursor(store: Store, id: string, tell: Tell): Promise<void> {
  await store.transaction(async (inside) => {
    const [row] = await inside.query((db) => db.select().from(cursors).where(eq(cursors.id, id)).for('update'))
    if (!row || row.editTold >= row.edit) return
    if (row.editTaken < row.edit) await tell(row.topologyId, id, { edit: row.edit, cursor: row.editedCursor })
    await inside.query((db) => db.update(cursors).set({ editTold: row.edit }).where(eq(cursors.id, id)))
  })
}

/** Ids of cursors of whose edits bridges are still to be told, upwards. */
export async function untoldCursors(store: Store, after: string, limit: number): Promise<string[]> {
  const rows = await store.query((db) =>
    db
      .select({ id: cursors.id })
      .from(cursors)
      .where(and(sql`edit_told < edit`, gt(cursors.id, after)))
      .orderBy(asc(cursors.id))
      .limit(limit),
  )
  return rows.map(({ id }) => id)
}

/** Which of these edits no bridge needs any more: a page was asked for with them, or nothing more is read. */
export async function settledEdits<T extends { readonly reading: string; readonly edit: number }>(
  store: Store,
  edits: readonly T[],
): Promise<T[]> {
  if (edits.length === 0) return []
  const ids = edits.map(({ reading }) => reading)
  const rows = await select(store, inArray(cursors.id, ids), ids.length)
  const known = new Map(rows.map((row) => [row.id, row]))
  return edits.filter(({ reading, edit }) => {
    const row = known.get(reading)
    return row === undefined || row.editTaken >= edit || row.state === 'ended' || row.state === 'abandoned'
  })
}
