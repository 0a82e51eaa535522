/** The set of messages that a bulk is about, and a look at it before there is one. */
import { and, inArray, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { trash, trashBulkMessages, trashBulks } from '../schema/index.ts'
import type { Store } from '../store.ts'
import { storable } from '../text.ts'
import { withinTime } from '../trash/bounded.ts'
import { conditions } from '../trash/filter.ts'
import type { TrashFilter } from '../trash/filter.ts'

/** Ids that are asked for are in the set also when they are settled already: then they are refused one by one. */
const setOf = (filter: TrashFilter): SQL | undefined =>
  and(...conditions(filter.ids === undefined ? { ...filter, state: 'open' } : filter))

/** So many at a time: a statement has 20 s, and a set may have millions. */
const portion = 100_000
/** A portion is written, too, not only looked for. */
const portionMs = 15_000

/**
 * Writes down a bulk and its set, the oldest message first, as Trash is at one instant: what fails later doesn't join. The transaction
 * has to be a new one, in which nothing was asked yet. Answers how many messages it has.
 */
export async function insertBulk(
  inside: Store,
  id: string,
  filter: TrashFilter,
  bulkOf: (total: number) => Omit<typeof trashBulks.$inferInsert, 'id' | 'total' | 'waiting'>,
): Promise<number> {
  await inside.query((db) => db.execute(sql`set transaction isolation level repeatable read`))
  let total = 0
  let last: { at: string; id: string } | null = null
  for (;;) {
    const next: Portion = await insertPortion(inside, id, filter, total, last)
    total += next.count
    last = next.last
    if (next.count < portion || last === null) break
  }
  const values = { ...bulkOf(total), id, total, waiting: total }
  if (total > 0) await inside.query((db) => db.insert(trashBulks).values(values))
  return total
}

interface Portion {
  readonly count: number
  readonly last: { readonly at: string; readonly id: string } | null
}

async function insertPortion(
  inside: Store,
  bulkId: string,
  filter: TrashFilter,
  from: number,
  last: Portion['last'],
): Promise<Portion> {
  const after =
    last === null ? undefined : sql`(${trash.createdAt}, ${trash.id}) > (${last.at}::timestamptz, ${last.id})`
  const [row] = await withinTime(
    inside,
    filter,
    (db) =>
      db.execute<{ count: string; at: string | null; id: string | null }>(sql`
      with s as materialized (
        select ${trash.id} as id, ${trash.createdAt} as created_at from ${trash} where ${and(setOf(filter), after)}
        order by ${trash.createdAt}, ${trash.id} limit ${portion}
      ), i as (
        insert into ${trashBulkMessages} (bulk_id, position, trash_id)
        select ${bulkId}, ${from}::int + row_number() over (order by created_at, id), id from s
      )
      select count(*) as count, (select created_at::text from s order by created_at desc, id desc limit 1) as at,
        (select id from s order by created_at desc, id desc limit 1) as id
      from s`),
    portionMs,
  )
  const { count = '0', at = null, id = null } = row ?? {}
  return { count: Number(count), last: at === null || id === null ? null : { at, id } }
}

/** How many messages a set has, and the ids of at most `limit` of them, spread over it. */
export async function sampleSet(
  store: Store,
  filter: TrashFilter,
  limit: number,
): Promise<{ readonly count: number; readonly ids: readonly string[] }> {
  const rows = await withinTime(store, filter, (db) =>
    db.execute<{ id: string; count: string }>(sql`
      with s as (
        select ${trash.id} as id, row_number() over (order by ${trash.createdAt}, ${trash.id}) - 1 as n, count(*) over () as count
        from ${trash} where ${setOf(filter)}
      )
      select id, count from s where n * ${limit} / count <> (n - 1) * ${limit} / count or n = 0 order by n limit ${limit}`),
  )
  return { count: Number(rows[0]?.count ?? 0), ids: rows.map(({ id }) => id) }
}

/** Which of these are no ids of messages in Trash, or of another topology's. */
export async function unknownTrash(
  store: Store,
  ids: readonly string[],
  topologyId: string | undefined,
): Promise<string[]> {
  const wanted = ids.map(storable)
  const rows = await store.query((db) =>
    db
      .select({ id: trash.id })
      .from(trash)
      .where(and(inArray(trash.id, wanted), ...conditions({ topologyId }))),
  )
  const known = new Set(rows.map(({ id }) => id))
  return ids.filter((id) => !known.has(id))
}
