import { and, asc, eq, getTableColumns, inArray, sql } from 'drizzle-orm'
import { trash, trashVersions } from '../schema/index.ts'
import type { TrashHead, TrashRow, TrashVersion } from '../queries/trash.ts'
import type { Store } from '../store.ts'
import { withinTime } from './bounded.ts'
import { conditions } from './filter.ts'
import type { TrashFilter } from './filter.ts'

/** A row with its edits, all of them whole. */
export interface WholeRow {
  readonly row: TrashRow
  readonly versions: readonly TrashVersion[]
}

const { body: _, ...columns } = getTableColumns(trash)
const size = sql<number>`octet_length(${trash.body})`.mapWith(Number)
const edits = sql<number>`(select count(*) from trash_versions v where v.trash_id = ${trash.id})`.mapWith(Number)
const pageRows = 200
/** Bodies that are in memory at once, but for one that is larger. */
const groupBytes = 4 * 1024 * 1024

type Head = TrashHead & { readonly size: number; readonly edits: number }

/** All rows of a filter, the oldest first, each once; memory is that of a page, however many there are. */
export async function* wholeRows(store: Store, filter: TrashFilter): AsyncGenerator<WholeRow> {
  let last: Head | undefined
  do {
    const heads = await headsAfter(store, filter, last)
    for (const group of groupsOf(heads)) yield* whole(store, group)
    last = heads.at(-1)
  } while (last !== undefined)
}

function headsAfter(store: Store, filter: TrashFilter, last: Head | undefined): Promise<Head[]> {
  const later =
    last && sql`(${trash.createdAt}, ${trash.id}) > (${last.createdAt.toISOString()}::timestamptz, ${last.id})`
  return withinTime(store, filter, (db) =>
    db
      .select({ ...columns, size, edits })
      .from(trash)
      .where(and(...conditions(filter), later))
      .orderBy(asc(trash.createdAt), asc(trash.id))
      .limit(pageRows),
  )
}

function* groupsOf(heads: readonly Head[]): Generator<Head[]> {
  let group: Head[] = []
  let bytes = 0
  for (const head of heads) {
    if (group.length > 0 && bytes + head.size > groupBytes) {
      yield group
      group = []
      bytes = 0
    }
    group.push(head)
    bytes += head.size
  }
  if (group.length > 0) yield group
}

/** One that was deleted meanwhile is left out. */
async function* whole(store: Store, heads: readonly Head[]): AsyncGenerator<WholeRow> {
  const ids = heads.map(({ id }) => id)
  const found = await store.query((db) =>
    db.select({ id: trash.id, body: trash.body }).from(trash).where(inArray(trash.id, ids)),
  )
  const bodies = new Map(found.map(({ id, body }) => [id, body]))
  for (const { size: _, edits, ...head } of heads) {
    const body = bodies.get(head.id)
    if (body === undefined) continue
    const versions = edits === 0 ? [] : await versionsOf(store, head.id)
    yield { row: { ...head, body }, versions }
  }
}

function versionsOf(store: Store, id: string): Promise<TrashVersion[]> {
  return store.query((db) =>
    db.select().from(trashVersions).where(eq(trashVersions.trashId, id)).orderBy(asc(trashVersions.version)),
  )
}
