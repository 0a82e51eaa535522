import { and, asc, eq, gt, or, sql } from 'drizzle-orm'
import { Conflict, LostRace, NotFound } from '../../errors.ts'
import { newId } from '../../ids.ts'
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

export type TopologyHead = Pick<Topology, 'id' | 'name' | 'revision' | 'enabled'>

/** Every topology that is published, without what it is made of. */
export async function publicHeads(store: Store): Promise<TopologyHead[]> {
  const { id, name, revision, enabled, visibility } = topologies
  return store.query((db) =>
    db.select({ id, name, revision, enabled }).from(topologies).where(eq(visibility, 'public')),
  )
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
  if (ifVersion !== null && row.version !== ifVersion)
    throw new LostRace(`the topology "${row.name}" was changed since it was read (now version ${row.version})`)
  return row
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
  >
>

/** Changes a topology and its version. Throws `NotFound`, and `Conflict` when the new name is taken. */
export async function updateTopology(store: Store, id: string, change: TopologyChange): Promise<Topology> {
  const next = { ...change, version: sql`${topologies.version} + 1`, updatedAt: new Date() }
  const row = await named(change.name ?? id, async () => {
    const [row] = await store.query((db) => db.update(topologies).set(next).where(eq(topologies.id, id)).returning())
    return row
  })
  return row
}

/** Deletes a draft with its nodes, revisions and tokens; runs and Trash stay. False when it is published or gone. */
export async function deleteDraft(store: Store, id: string): Promise<boolean> {
  const rows = await store.query((db) =>
    db
      .delete(topologies)
      .where(and(eq(topologies.id, id), eq(topologies.visibility, 'draft')))
      .returning(),
  )
  return rows.length === 1
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
