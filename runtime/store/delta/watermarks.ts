import { and, asc, desc, eq, gt, inArray, lt, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { LostRace, NotFound } from '../../errors.ts'
import type { Since } from '../../protocol/message.ts'
import { watermarkIdOf } from '../../protocol/reading.ts'
import type { WatermarkPlace } from '../../queue/delta/told.ts'
import { changesKept } from './commit.ts'
import { watermarkHistory, watermarks } from '../schema/index.ts'
import type { Store } from '../store.ts'
import { storable } from '../text.ts'
import { namesOf } from './names.ts'

type Row = typeof watermarks.$inferSelect
/** A watermark with the names of what it belongs to; what is deleted shows its id. */
export type Watermark = Row & { readonly topologyName: string; readonly nodeName: string }
export type WatermarkChange = typeof watermarkHistory.$inferSelect

export interface WatermarkFilter {
  readonly topologyId?: string | undefined
  readonly nodeIds?: readonly string[] | undefined
  readonly tenant?: string | undefined
}

function select(store: Store, where: SQL | undefined, limit: number): Promise<Watermark[]> {
  return store.query(async (db) => {
    const rows = await db
      .select({ row: watermarks, ...namesOf('watermarks') })
      .from(watermarks)
      .where(where)
      .orderBy(watermarks.id)
      .limit(limit)
    return rows.map(({ row, ...names }) => ({ ...row, ...names }))
  })
}

/** By id, upwards; those that were never set or committed aren't among them. */
export function listWatermarks(
  store: Store,
  { topologyId, nodeIds, tenant }: WatermarkFilter,
  limit: number,
  after: string | null,
): Promise<Watermark[]> {
  const where = and(
    sql`${watermarks.version} > 0`,
    topologyId === undefined ? undefined : eq(watermarks.topologyId, topologyId),
    nodeIds === undefined ? undefined : inArray(watermarks.nodeId, [...nodeIds]),
    tenant === undefined ? undefined : eq(watermarks.tenant, tenant),
    after === null ? undefined : sql`${watermarks.id} > ${after}`,
  )
  return select(store, where, limit)
}

/** Throws `NotFound`. */
export async function getWatermark(store: Store, id: string): Promise<Watermark> {
  const [row] = await select(store, and(eq(watermarks.id, storable(id)), sql`${watermarks.version} > 0`), 1)
  if (row) return row
  throw new NotFound(
    `there is no watermark "${id}": a node has one when a run has committed it, or somebody has set it`,
  )
}

/** Newest first. */
export function watermarkChanges(
  store: Store,
  id: string,
  limit: number,
  before: number | null,
): Promise<WatermarkChange[]> {
  const where = and(
    eq(watermarkHistory.watermarkId, id),
    before === null ? undefined : lt(watermarkHistory.version, before),
  )
  return store.query((db) =>
    db.select().from(watermarkHistory).where(where).orderBy(desc(watermarkHistory.version)).limit(limit),
  )
}

/** Reads a watermark and keeps others from changing it until the transaction ends; one that isn't there is made, at version 0. */
export async function lockWatermark(inside: Store, place: WatermarkPlace): Promise<Watermark> {
  const id = watermarkIdOf(place.topologyId, place.nodeId, place.tenant)
  await inside.query(async (db) => {
    await db
      .insert(watermarks)
      .values({ id, ...place })
      .onConflictDoNothing()
    await db.execute(sql`select 1 from watermarks where id = ${id} for update`)
  })
  const [row] = await select(inside, eq(watermarks.id, id), 1)
  if (!row) throw new Error(`the watermark ${id} was made and isn't there`)
  return row
}

export interface WatermarkSetting {
  /** Null: the next run reads everything. */
  readonly watermark: string | null
  readonly by: string
  readonly reason: string | null
}

/**
 * Sets a watermark that is locked: from now on, runs that began to read before commit nothing. `ifVersion` null: whatever it is at.
 * Throws `LostRace`.
 */
export async function setWatermark(
  inside: Store,
  { id, version, epoch }: Watermark,
  { watermark, by, reason }: WatermarkSetting,
  ifVersion: number | null,
): Promise<void> {
  if (ifVersion !== null && ifVersion !== version)
    throw new LostRace(`the watermark was changed since it was read (now version ${version})`)
  const next = version + 1
  await inside.query(async (db) => {
    await db
      .update(watermarks)
      .set({ watermark, by, version: next, epoch: epoch + 1, runId: null, runStartedAt: null, updatedAt: new Date() })
      .where(eq(watermarks.id, id))
    const deed = watermark === null ? 'reset' : 'set'
    await db.insert(watermarkHistory).values({ watermarkId: id, version: next, deed, watermark, by, reason })
    await db
      .delete(watermarkHistory)
      .where(and(eq(watermarkHistory.watermarkId, id), sql`${watermarkHistory.version} <= ${next - changesKept}`))
  })
}

type Tell = (place: WatermarkPlace, told: Since) => Promise<void>

/** Tells the bridges what is committed, unless they know; holds the row meanwhile, so that nothing older is told later. */
export async function tellWatermark(store: Store, id: string, tell: Tell): Promise<void> {
  await store.transaction(async (inside) => {
    const [row] = await inside.query((db) => db.select().from(watermarks).where(eq(watermarks.id, id)).for('update'))
    if (!row || row.told >= row.version) return
    const { topologyId, nodeId, tenant, watermark, epoch, version } = row
    await tell({ topologyId, nodeId, tenant }, { watermark, epoch })
    await inside.query((db) => db.update(watermarks).set({ told: version }).where(eq(watermarks.id, id)))
  })
}

/** Ids of watermarks of which bridges are still to be told, upwards. */
export async function untoldWatermarks(store: Store, after: string, limit: number): Promise<string[]> {
  const rows = await store.query((db) =>
    db
      .select({ id: watermarks.id })
      .from(watermarks)
      .where(and(sql`told < version`, gt(watermarks.id, after)))
      .orderBy(asc(watermarks.id))
      .limit(limit),
  )
  return rows.map(({ id }) => id)
}

/** What bridges were told is gone: all is to be told again. */
export async function forgetTold(store: Store): Promise<void> {
  await store.query((db) =>
    db
      .update(watermarks)
      .set({ told: 0 })
      .where(sql`told > 0`),
  )
}

/** Of a topology that is deleted, with what they were: its nodes come back with other ids. */
export async function deleteWatermarks(inside: Store, topologyId: string): Promise<void> {
  await inside.query((db) =>
    db.execute(sql`
      with gone as (delete from watermarks where topology_id = ${topologyId} returning id)
      delete from watermark_history h using gone where h.watermark_id = gone.id`),
  )
}
