/** Bulk replays and discards of Trash. See api/actions/bulk/. */
import { and, desc, eq, inArray, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { LostRace, NotFound } from '../../errors.ts'
import type { Place } from '../queries/runs.ts'
import { trashBulkMessages, trashBulks } from '../schema/index.ts'
import type { bulkStates } from '../schema/index.ts'
import type { Store } from '../store.ts'
import { storable } from '../text.ts'

export type Bulk = typeof trashBulks.$inferSelect
export type BulkState = (typeof bulkStates)[number]

export interface BulkFilter {
  readonly topologyId?: string | undefined
  readonly states?: readonly BulkState[] | undefined
}

/** Newest first. */
export async function listBulks(store: Store, filter: BulkFilter, limit: number, after: Place | null): Promise<Bulk[]> {
  const { createdAt, id, topologyId, state } = trashBulks
  const where = and(
    filter.topologyId === undefined ? undefined : eq(topologyId, filter.topologyId),
    filter.states === undefined ? undefined : inArray(state, [...filter.states]),
    after === null ? undefined : sql`(${createdAt}, ${id}) < (${after.at.toISOString()}, ${after.id})`,
  )
  return store.query((db) => db.select().from(trashBulks).where(where).orderBy(desc(createdAt), desc(id)).limit(limit))
}

/** Throws `NotFound`. */
export async function getBulk(store: Store, id: string): Promise<Bulk> {
  return there(id, await store.query((db) => db.select().from(trashBulks).where(isIt(id))))
}

/** Keeps others from changing it until the transaction ends. Throws `NotFound`, and `LostRace` when it isn't at `ifVersion` (null: whatever it is). */
export async function lockBulk(inside: Store, id: string, ifVersion: number | null = null): Promise<Bulk> {
  const bulk = there(id, await inside.query((db) => db.select().from(trashBulks).where(isIt(id)).for('update')))
  if (ifVersion !== null && ifVersion !== bulk.version)
    throw new LostRace(`the bulk was changed since it was read (now version ${bulk.version})`)
  return bulk
}

const isIt = (id: string) => eq(trashBulks.id, storable(id))

function there(id: string, [bulk]: readonly Bulk[]): Bulk {
  if (!bulk) throw new NotFound(`there is no bulk "${id}"`)
  return bulk
}

export type BulkChange = Partial<Omit<Bulk, 'id' | 'version'>>

/** Changes one that is locked; `isTold`: it is another version then. */
export async function changeBulk(inside: Store, id: string, change: BulkChange, isTold: boolean): Promise<Bulk> {
  const set = { ...change, ...(isTold && { version: sql`${trashBulks.version} + 1` }) }
  return there(id, await inside.query((db) => db.update(trashBulks).set(set).where(isIt(id)).returning()))
}

const leaseMs = 10_000
const until = sql`clock_timestamp() + ${leaseMs} * interval '1 millisecond'`
/** Something of it is to be sent, or followed to its end; or all of it has ended, and that is to be said. */
const isOpen = sql`finished_at is null and (state in ('running', 'cancelled') or under_way > 0 or waiting = 0)`

/** Takes bulks that nobody carries out, the oldest first. */
export async function takeBulks(store: Store, holder: string, limit: number): Promise<string[]> {
  const rows = await store.query((db) =>
    db.execute<{ id: string }>(sql`
      update trash_bulks set lease_by = ${holder}, lease_until = ${until}, started_at = coalesce(started_at, clock_timestamp())
      where id in (
        select id from trash_bulks
        where ${isOpen} and (lease_until is null or lease_until < clock_timestamp() or lease_by = ${holder})
        order by created_at limit ${limit} for update skip locked
      ) returning id`),
  )
  return rows.map(({ id }) => id)
}

/** Goes on with it, and says how it goes. Null: another control does, or there is nothing left to be done. */
export async function holdBulk(
  store: Store,
  id: string,
  holder: string,
  said: { readonly rateNow: number; readonly waitsFor: string | null },
): Promise<Bulk | null> {
  const [bulk] = await store.query((db) =>
    db
      .update(trashBulks)
      .set({ ...said, leaseUntil: until })
      .where(and(isIt(id), eq(trashBulks.leaseBy, holder), isOpen))
      .returning(),
  )
  return bulk ?? null
}

/** Another control may go on at once. */
export async function releaseBulk(store: Store, id: string, holder: string): Promise<void> {
  await store.query((db) =>
    db
      .update(trashBulks)
      .set({ leaseBy: null, leaseUntil: null, rateNow: 0, waitsFor: null })
      .where(and(isIt(id), eq(trashBulks.leaseBy, holder))),
  )
}

/** Forgets one that ended before then, with at most `limit` of its messages. False: there is none. */
export function forgetBulk(store: Store, before: Date, limit: number): Promise<boolean> {
  return forgetFirst(store, sql`finished_at < ${before.toISOString()}`, limit)
}

/** The same of one that is over and whose filter names a tenant. */
export function forgetBulkOf(
  store: Store,
  { tenant, topologyId, limit }: { tenant: string; topologyId: string | null; limit: number },
): Promise<boolean> {
  const named = sql`filter ->> 'tenant' = ${tenant} and (${topologyId}::text is null or topology_id = ${topologyId})`
  return forgetFirst(store, sql`finished_at is not null and ${named}`, limit)
}

async function forgetFirst(store: Store, which: SQL, limit: number): Promise<boolean> {
  const found = await store.query((db) =>
    db.execute<{ id: string }>(sql`select id from trash_bulks where ${which} order by finished_at limit 1`),
  )
  const [bulk] = found
  if (!bulk) return false
  const gone = await store.query((db) =>
    db.execute(sql`
      delete from ${trashBulkMessages} m using (
        select bulk_id, position from ${trashBulkMessages} where bulk_id = ${bulk.id} limit ${limit}
      ) s where m.bulk_id = s.bulk_id and m.position = s.position returning 1`),
  )
  if (gone.length < limit) await store.query((db) => db.delete(trashBulks).where(isIt(bulk.id)))
  return true
}
