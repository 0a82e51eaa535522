import { and, asc, eq, gt, gte, or, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { Conflict, LostRace, NotFound } from '../../errors.ts'
import { newId } from '../../ids.ts'
import { deleteWatermarks } from '../delta/watermarks.ts'
import { topologies } from '../schema/index.ts'
import type { Store } from '../store.ts'
import { storable } from '../text.ts'
import { isUniqueViolation } from '../trouble.ts'

export type Topology = typeof topologies.$inferSelect
type Document = Topology['document']

/** By name, upwards. `after` is the last name of the page before. */
export async function listTopologies(store: Store, limit: number, after: string | null): Promise<Topology[]> {
  const where = after === null ? undefined : gt(topologies.name, after)
  return store.query((db) => db.select().from(topologies).where(where).orderBy(asc(topologies.name)).limit(limit))
}

/** Every topology that is published. */
export async function publicTopologies(store: Store): Promise<Topology[]> {
  return store.query((db) => db.select().from(topologies).where(eq(topologies.visibility, 'public')))
}

const { id, name, visibility, revision, enabled, paused, pausedReason, bridgeOutOfSync } = topologies
const headColumns = { id, name, visibility, revision, enabled, paused, pausedReason, bridgeOutOfSync }

/** A topology without what it is made of. */
export type TopologyHead = Pick<Topology, keyof typeof headColumns>

export interface PublishedFilter {
  /** By name: from this one on. */
  readonly from?: string | undefined
  /** By name: only those after this one. */
  readonly after?: string | undefined
}

/** Topologies that are published, by name, upwards. */
export async function listPublished(store: Store, filter: PublishedFilter, limit: number): Promise<TopologyHead[]> {
  const { from, after } = filter
  const where = and(
    eq(topologies.visibility, 'public'),
    from === undefined ? undefined : gte(topologies.name, from),
    after === undefined ? undefined : gt(topologies.name, after),
  )
  return store.query((db) => db.select(headColumns).from(topologies).where(where).orderBy(asc(name)).limit(limit))
}

/** Those of these topologies that are published, and all published ones that are paused. */
export async function publishedAmong(store: Store, ids: readonly string[]): Promise<TopologyHead[]> {
  const wanted = or(eq(topologies.paused, true), sql`${topologies.id} = any(${sql.param([...ids])}::text[])`)
  return store.query((db) =>
    db
      .select(headColumns)
      .from(topologies)
      .where(and(eq(topologies.visibility, 'public'), wanted)),
  )
}

export interface PublishedTotals {
  readonly published: number
  readonly disabled: number
  readonly paused: number
  readonly outOfSync: number
}

/** How many topologies are published, and how many of these don't take starts, rest, or have stored values that no bridge has yet. */
export async function publishedTotals(store: Store): Promise<PublishedTotals> {
  const count = (which: SQL) => sql<number>`count(*) filter (where ${which})::int`
  const [row] = await store.query((db) =>
    db
      .select({
        published: sql<number>`count(*)::int`,
        disabled: count(sql`not ${topologies.enabled}`),
        paused: count(sql`${topologies.paused}`),
        outOfSync: count(sql`${topologies.bridgeOutOfSync}`),
      })
      .from(topologies)
      .where(eq(topologies.visibility, 'public')),
  )
  return row ?? { published: 0, disabled: 0, paused: 0, outOfSync: 0 }
}

/** Which revision of which topology. */
export type InForce = Pick<Topology, 'id' | 'revision'>

/** What is in force of every topology that is published: cheap, whatever their drafts hold. */
export async function revisionsInForce(store: Store): Promise<InForce[]> {
  const { id, revision } = topologies
  return store.query((db) => db.select({ id, revision }).from(topologies).where(eq(topologies.visibility, 'public')))
}

/** Why each topology rests, by id; null: it doesn't. Only those that bridges were ever told of. */
export async function pausesOf(store: Store): Promise<Map<string, string | null>> {
  const { id, pausedReason, revision } = topologies
  const rows = await store.query((db) => db.select({ id, pausedReason }).from(topologies).where(gt(revision, 0)))
  return new Map(rows.map((row) => [row.id, row.pausedReason]))
}

/** Finds by id or by name; an id wins over a name that looks like it. Throws `NotFound`. */
export async function getTopology(store: Store, ref: string): Promise<Topology> {
  const clean = storable(ref)
  const rows = await store.query((db) =>
    db
      .select()
      .from(topologies)
      .where(or(eq(topologies.id, clean), eq(topologies.name, clean))),
  )
  const found = rows.find((row) => row.id === clean) ?? rows[0]
  if (!found) throw new NotFound(`there is no topology "${ref}"`)
  return found
}

/** By its id only; null when there is none. */
export async function findTopology(store: Store, id: string): Promise<Topology | null> {
  const [row] = await store.query((db) => db.select().from(topologies).where(eq(topologies.id, id)))
  return row ?? null
}

/** Reads a topology and keeps others from changing it until the transaction ends. Throws `NotFound`, `LostRace`. */
export async function lockTopology(store: Store, id: string, ifVersion: number | null): Promise<Topology> {
  const [row] = await store.query((db) => db.select().from(topologies).where(eq(topologies.id, id)).for('update'))
  if (!row) throw new NotFound(`there is no topology "${id}"`)
  refuseChanged(row, ifVersion)
  return row
}

/** Throws `LostRace` when the topology isn't at `ifVersion` (null: whatever it is at). */
export function refuseChanged({ name, version }: Pick<Topology, 'name' | 'version'>, ifVersion: number | null): void {
  if (ifVersion !== null && version !== ifVersion)
    throw new LostRace(`the topology "${name}" was changed since it was read (now version ${version})`)
}

/** Throws `Conflict` when the name is taken. */
export async function insertTopology(
  store: Store,
  values: {
    readonly name: string
    readonly description: string | null
    labels: Topology['labels']
    document: Document
  },
): Promise<Topology> {
  await refuseOthersId(store, values.name, null)
  return named(values.name, async () => {
    const [row] = await store.query((db) =>
      db
        .insert(topologies)
        .values({ id: newId(), ...values })
        .returning(),
    )
    return row
  })
}

export type TopologyChange = Partial<
  Pick<
    Topology,
    | 'name'
    | 'description'
    | 'labels'
    | 'document'
    | 'visibility'
    | 'enabled'
    | 'paused'
    | 'pausedReason'
    | 'bridgeOutOfSync'
    | 'revision'
    | 'runsKeepDays'
    | 'trashKeepDays'
    | 'trashOpenDays'
  >
>

/** Changes a topology and its version. Throws `NotFound`, and `Conflict` when the new name is taken. */
export async function updateTopology(store: Store, id: string, change: TopologyChange): Promise<Topology> {
  if (change.name !== undefined) await refuseOthersId(store, change.name, id)
  const next = { ...change, version: sql`${topologies.version} + 1`, updatedAt: new Date() }
  const row = await named(change.name ?? id, async () => {
    const [row] = await store.query((db) => db.update(topologies).set(next).where(eq(topologies.id, id)).returning())
    return row
  })
  return row
}

/** Deletes a draft with its nodes, revisions, tokens and watermarks; runs and Trash stay. False when it is published or gone. */
export async function deleteDraft(store: Store, id: string): Promise<boolean> {
  const rows = await store.query((db) =>
    db
      .delete(topologies)
      .where(and(eq(topologies.id, id), eq(topologies.visibility, 'draft')))
      .returning(),
  )
  if (rows.length === 1) await deleteWatermarks(store, id)
  return rows.length === 1
}

/** A name that is the id of another topology would lead those who know that id to the wrong one. Throws `Conflict`. */
async function refuseOthersId(store: Store, name: string, own: string | null): Promise<void> {
  if (name === own) return
  const rows = await store.query((db) =>
    db.select({ id: topologies.id }).from(topologies).where(eq(topologies.id, name)),
  )
  if (rows.length > 0) throw new Conflict(`"${name}" is the id of another topology: choose another name`)
}

async function named(name: string, write: () => Promise<Topology | undefined>): Promise<Topology> {
  try {
    const row = await write()
    if (!row) throw new NotFound(`there is no topology "${name}"`)
    return row
  } catch (error) {
    if (isUniqueViolation(error)) throw new Conflict(`there is a topology named "${name}" already`, { cause: error })
    throw error
  }
}
