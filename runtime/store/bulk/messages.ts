/** The messages of bulks, and what became of each. */
import { and, asc, eq, gt, inArray, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { column } from '../columns.ts'
import { trash, trashBulkMessages, trashBulks, trashVersions } from '../schema/index.ts'
import type { bulkOutcomes, BulkPlace } from '../schema/index.ts'
import type { Store } from '../store.ts'
import type { TrashRow, TrashVersion } from '../queries/trash.ts'

export type Outcome = (typeof bulkOutcomes)[number]
export type BulkMessage = typeof trashBulkMessages.$inferSelect

/** One of the set, by its place in it. */
export interface Member {
  readonly position: number
  readonly trashId: string
}

export interface Portion {
  readonly count: number
  /** Of the bodies, in sum; a larger one comes alone. */
  readonly bytes: number
}

/** One of the next ones; where it goes is known from its claim on. */
export interface NextMember extends Member {
  readonly place: BulkPlace | null
}

/** The next ones of an outcome, in order, and no more bytes than are wanted. */
export async function nextMembers(
  inside: Store,
  bulkId: string,
  outcome: 'waiting' | 'sending',
  { count, bytes }: Portion,
): Promise<NextMember[]> {
  return inside.query((db) =>
    db.execute<{ position: number; trashId: string; place: BulkPlace | null }>(sql`
      with n as materialized (
        select position, trash_id, place from trash_bulk_messages
        where bulk_id = ${bulkId} and outcome = ${outcome} order by position limit ${count}
      ), sized as (
        select n.*, sum(greatest(coalesce(octet_length(t.body), 0), coalesce((
          select max(octet_length(v.body)) from trash_versions v where v.trash_id = t.id), 0))) over (order by position) as bytes
        from n left join trash t on t.id = n.trash_id
      )
      select position, trash_id as "trashId", place from sized
      where bytes <= ${bytes} or position = (select min(position) from n) order by position`),
  ) as Promise<NextMember[]>
}

/** A message in Trash, with its newest version, if it was edited. */
export interface Whole {
  readonly row: TrashRow
  readonly edit: TrashVersion | null
}

/**
 * Reads messages and keeps others from changing or editing them until the transaction ends. Those that somebody else holds are left out,
 * so that nobody waits for another in a circle; `gone` are there no more.
 */
export async function lockWhole(
  inside: Store,
  ids: readonly string[],
): Promise<{ readonly locked: ReadonlyMap<string, Whole>; readonly gone: ReadonlySet<string> }> {
  const rows = await inside.query((db) =>
    db
      .select()
      .from(trash)
      .where(inArray(trash.id, [...ids]))
      .for('update', { skipLocked: true }),
  )
  const locked = await withEdits(inside, rows)
  const missing = ids.filter((id) => !locked.has(id))
  if (missing.length === 0) return { locked, gone: new Set() }
  const there = await inside.query((db) => db.select({ id: trash.id }).from(trash).where(inArray(trash.id, missing)))
  const held = new Set(there.map(({ id }) => id))
  return { locked, gone: new Set(missing.filter((id) => !held.has(id))) }
}

/** The same without keeping anybody out. */
export async function readWhole(store: Store, ids: readonly string[]): Promise<ReadonlyMap<string, Whole>> {
  const rows = await store.query((db) =>
    db
      .select()
      .from(trash)
      .where(inArray(trash.id, [...ids])),
  )
  return withEdits(store, rows)
}

async function withEdits(store: Store, rows: readonly TrashRow[]): Promise<ReadonlyMap<string, Whole>> {
  const ids = rows.map(({ id }) => id)
  const newest = await store.query((db) =>
    db
      .selectDistinctOn([trashVersions.trashId])
      .from(trashVersions)
      .where(inArray(trashVersions.trashId, ids))
      .orderBy(trashVersions.trashId, sql`${trashVersions.version} desc`),
  )
  const edits = new Map(newest.map((edit) => [edit.trashId, edit]))
  return new Map(rows.map((row) => [row.id, { row, edit: edits.get(row.id) ?? null }]))
}

export async function insertVersions(
  inside: Store,
  versions: readonly (typeof trashVersions.$inferInsert)[],
): Promise<void> {
  if (versions.length > 0) await inside.query((db) => db.insert(trashVersions).values([...versions]))
}

/** What became of one. */
export interface Settled {
  readonly position: number
  readonly outcome: Outcome
  readonly why?: string
  readonly fault?: string
  readonly againId?: string
  readonly place?: BulkPlace
}

/**
 * Writes what became of messages, with the counters of their bulk, which has to be locked. What is over stays what it is, whoever says
 * something else. Answers how many changed.
 */
export async function writeOutcomes(inside: Store, bulkId: string, settled: readonly Settled[]): Promise<number> {
  if (settled.length === 0) return 0
  const rows = await inside.query((db) =>
    db.execute<{ was: Outcome; outcome: Outcome }>(sql`
      update trash_bulk_messages m set outcome = s.outcome, why = s.why, fault = s.fault, again_id = s.again_id,
        place = coalesce(s.place::jsonb, m.place),
        sent_at = case when s.outcome in ('underWay', 'discarded') then coalesce(m.sent_at, clock_timestamp()) else m.sent_at end,
        settled_at = case when s.outcome in ('waiting', 'sending', 'underWay') then null else clock_timestamp() end
      from unnest(
        ${column(settled, ({ position }) => position, 'int')},
        ${column(settled, ({ outcome }) => outcome)},
        ${column(settled, ({ why }) => why ?? null)},
        ${column(settled, ({ fault }) => fault ?? null)},
        ${column(settled, ({ againId }) => againId ?? null)},
        ${column(settled, ({ place }) => (place === undefined ? null : JSON.stringify(place)))}
      ) as s(position, outcome, why, fault, again_id, place), trash_bulk_messages o
      where m.bulk_id = ${bulkId} and m.position = s.position and o.bulk_id = m.bulk_id and o.position = m.position
        and m.outcome in ('waiting', 'sending', 'underWay')
      returning o.outcome as was, m.outcome as outcome`),
  )
  await count(inside, bulkId, rows)
  return rows.length
}

/** Those that settled last, for the look at how it goes lately. */
const recentMax = 50

async function count(
  inside: Store,
  bulkId: string,
  rows: readonly { readonly was: Outcome; readonly outcome: Outcome }[],
): Promise<void> {
  const moved = rows.filter(({ was, outcome }) => counterOf(was) !== counterOf(outcome))
  if (moved.length === 0) return
  const change = (counter: Counter): SQL => {
    const by = moved.reduce(
      (sum, { was, outcome }) => sum + Number(counterOf(outcome) === counter) - Number(counterOf(was) === counter),
      0,
    )
    return sql`${trashBulks[counter]} + ${by}::int`
  }
  const letters = moved.map(({ outcome }) => (outcome === 'done' ? 'd' : outcome === 'failedAgain' ? 'f' : '')).join('')
  const set = Object.fromEntries(counters.map((counter) => [counter, change(counter)]))
  const recent = sql`right(${trashBulks.recent} || ${letters}, ${recentMax}::int)`
  await inside.query((db) =>
    db
      .update(trashBulks)
      .set({ ...set, recent })
      .where(eq(trashBulks.id, bulkId)),
  )
}

const counters = ['waiting', 'underWay', 'done', 'failedAgain', 'refused', 'discarded', 'cancelled'] as const
type Counter = (typeof counters)[number]
const counterOf = (outcome: Outcome): Counter => (outcome === 'sending' ? 'underWay' : outcome)

/** What is sent and hasn't ended, with the size of its body, in order. */
export async function underWayOf(
  store: Store,
  bulkId: string,
  after: number,
  limit: number,
): Promise<(Member & { readonly place: BulkPlace | null; readonly bytes: number })[]> {
  const { position, trashId, outcome, place } = trashBulkMessages
  const bytes = sql<number>`coalesce(octet_length(${trash.body}), 0)`
  return store.query((db) =>
    db
      .select({ position, trashId, place, bytes })
      .from(trashBulkMessages)
      .leftJoin(trash, eq(trash.id, trashId))
      .where(and(eq(trashBulkMessages.bulkId, bulkId), eq(outcome, 'underWay'), gt(position, after)))
      .orderBy(asc(position))
      .limit(limit),
  )
}

/** The row of Trash as which a message failed after it had been in Trash as another one; null: it didn't. */
export async function laterTrashOf(store: Store, trashId: string, { run, id }: BulkPlace): Promise<string | null> {
  const [row] = await store.query((db) =>
    db.execute<{ id: string }>(sql`
      select t.id from trash t left join trash o on o.id = ${trashId}
      where t.run_id = ${run} and t.message_id = ${id} and t.id <> ${trashId} and t.created_at >= coalesce(o.created_at, t.created_at)
      order by t.created_at, t.id limit 1`),
  )
  return row?.id ?? null
}

/** A message as it is listed, with the error as which it failed again. */
export type ListedMessage = BulkMessage & { readonly error: TrashRow['error'] | null }

export async function listMessages(
  store: Store,
  bulkId: string,
  outcomes: readonly Outcome[] | null,
  limit: number,
  after: number,
): Promise<ListedMessage[]> {
  const { position, outcome, againId } = trashBulkMessages
  const where = and(
    eq(trashBulkMessages.bulkId, bulkId),
    gt(position, after),
    outcomes === null ? undefined : inArray(outcome, [...outcomes]),
  )
  const rows = await store.query((db) =>
    db
      .select({ message: trashBulkMessages, error: trash.error })
      .from(trashBulkMessages)
      .leftJoin(trash, eq(trash.id, againId))
      .where(where)
      .orderBy(asc(position))
      .limit(limit),
  )
  return rows.map(({ message, error }) => ({ ...message, error }))
}

/** As what messages of a bulk failed again, of the last ones of them. */
export async function errorsOf(store: Store, bulkId: string, limit: number): Promise<TrashRow['error'][]> {
  const { position, outcome, againId } = trashBulkMessages
  const rows = await store.query((db) =>
    db
      .select({ error: trash.error })
      .from(trashBulkMessages)
      .innerJoin(trash, eq(trash.id, againId))
      .where(and(eq(trashBulkMessages.bulkId, bulkId), eq(outcome, 'failedAgain')))
      .orderBy(sql`${position} desc`)
      .limit(limit),
  )
  return rows.map(({ error }) => error)
}

/** Of these rows of Trash. */
export async function topologyIdsOf(store: Store, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set()
  const rows = await store.query((db) =>
    db
      .selectDistinct({ id: trash.topologyId })
      .from(trash)
      .where(inArray(trash.id, [...ids])),
  )
  return new Set(rows.map(({ id }) => id))
}
