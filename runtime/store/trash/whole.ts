import { and, asc, getTableColumns, inArray, sql } from 'drizzle-orm'
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
/** Of all edits in sum; null: it has none. */
const editsSize = sql<
  number | null
>`(select sum(octet_length(v.body)) from trash_versions v where v.trash_id = ${trash.id})`.mapWith(Number)
const pageRows = 200
/** Bodies that are in memory at once, but for one that is larger. */
const groupBytes = 4 * 1024 * 1024

type Head = TrashHead & { readonly size: number; readonly editsSize: number | null }

type Last = Pick<TrashHead, 'createdAt' | 'id'> | undefined

/**
 * Where rows have to be looked into, so many at a time, however few of them fit: so no statement takes long, and an export of any filter
 * comes to its end. Null: all at once.
 */
function windowOf({ text, body }: TrashFilter): number | null {
  if (body !== undefined) return 2_000
  return text === undefined ? null : 20_000
}

/** All rows of a filter, the oldest first, each once; memory is that of a page, however many there are. */
export async function* wholeRows(
  store: Store,
  filter: TrashFilter,
  rows: number | null = windowOf(filter),
): AsyncGenerator<WholeRow> {
  let begin: Last
  do {
    const end = rows === null ? undefined : await windowEnd(store, filter, begin, rows)
    for (let last = begin; ;) {
      const heads = await headsBetween(store, filter, last, end)
      for (const group of groupsOf(heads)) yield* whole(store, group)
      if (heads.length < pageRows) break
      last = heads.at(-1)
    }
    begin = end
  } while (begin !== undefined)
}

/** Undefined: there are no more than so many. */
async function windowEnd(store: Store, filter: TrashFilter, begin: Last, rows: number): Promise<Last> {
  const { text: _, body: __, ...cheap } = filter
  const [end] = await store.query((db) =>
    db
      .select({ createdAt: trash.createdAt, id: trash.id })
      .from(trash)
      .where(and(...conditions(cheap), begin && sql`${place} > ${placeOf(begin)}`))
      .orderBy(asc(trash.createdAt), asc(trash.id))
      .offset(rows - 1)
      .limit(1),
  )
  return end
}

const place = sql`(${trash.createdAt}, ${trash.id})`
const placeOf = ({ createdAt, id }: NonNullable<Last>) => sql`(${createdAt.toISOString()}::timestamptz, ${id})`

function headsBetween(store: Store, filter: TrashFilter, last: Last, end: Last): Promise<Head[]> {
  const between = [last && sql`${place} > ${placeOf(last)}`, end && sql`${place} <= ${placeOf(end)}`]
  return withinTime(store, filter, (db) =>
    db
      .select({ ...columns, size, editsSize })
      .from(trash)
      .where(and(...conditions(filter), ...between))
      .orderBy(asc(trash.createdAt), asc(trash.id))
      .limit(pageRows),
  )
}

function* groupsOf(heads: readonly Head[]): Generator<Head[]> {
  let group: Head[] = []
  let bytes = 0
  for (const head of heads) {
    const more = head.size + (head.editsSize ?? 0)
    if (group.length > 0 && bytes + more > groupBytes) {
      yield group
      group = []
      bytes = 0
    }
    group.push(head)
    bytes += more
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
  const edits = await versionsOf(
    store,
    heads.flatMap(({ id, editsSize }) => (editsSize === null ? [] : [id])),
  )
  for (const { size: _, editsSize: __, ...head } of heads) {
    const body = bodies.get(head.id)
    if (body !== undefined) yield { row: { ...head, body }, versions: edits.get(head.id) ?? [] }
  }
}

/** By the message that they are of. */
async function versionsOf(store: Store, ids: readonly string[]): Promise<ReadonlyMap<string, TrashVersion[]>> {
  const found = new Map<string, TrashVersion[]>()
  if (ids.length === 0) return found
  const { trashId, version } = trashVersions
  const rows = await store.query((db) =>
    db
      .select()
      .from(trashVersions)
      .where(inArray(trashId, [...ids]))
      .orderBy(asc(trashId), asc(version)),
  )
  for (const row of rows) found.set(row.trashId, [...(found.get(row.trashId) ?? []), row])
  return found
}
