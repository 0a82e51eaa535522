import { and, desc, eq, gt, gte, lt, sql } from 'drizzle-orm'
import { NotFound } from '../../errors.ts'
import type { Plan, PlanNode } from '../../topology/plan.ts'
import { revisions, topologies } from '../schema/index.ts'
import type { Store } from '../store.ts'

export type Revision = typeof revisions.$inferSelect
export type RevisionKind = Revision['kind']

export async function insertRevision(store: Store, plan: Plan, kind: RevisionKind): Promise<void> {
  const row = { topologyId: plan.topologyId, revision: plan.revision, kind, plan }
  await store.query((db) => db.insert(revisions).values(row))
}

/** Newest first; `after` is the last revision of the page before. */
export async function listRevisions(
  store: Store,
  topologyId: string,
  limit: number,
  after: number | null,
): Promise<Revision[]> {
  const mine = eq(revisions.topologyId, topologyId)
  const where = after === null ? mine : and(mine, lt(revisions.revision, after))
  return store.query((db) => db.select().from(revisions).where(where).orderBy(desc(revisions.revision)).limit(limit))
}

/** Throws `NotFound`. */
export async function getRevision(store: Store, topologyId: string, revision: number): Promise<Revision> {
  const where = and(eq(revisions.topologyId, topologyId), eq(revisions.revision, revision))
  const [row] = await store.query((db) => db.select().from(revisions).where(where))
  if (!row) throw new NotFound(`the topology has no revision ${revision}`)
  return row
}

/** The plans of a topology that were in force since then, at least the newest one; newest first. */
export async function plansSince(store: Store, topologyId: string, time: Date): Promise<Plan[]> {
  const mine = eq(revisions.topologyId, topologyId)
  const newest = desc(revisions.revision)
  const rows = await store.query(async (db) => {
    const since = and(mine, gte(revisions.createdAt, time))
    const before = and(mine, lt(revisions.createdAt, time))
    const later = await db.select({ plan: revisions.plan }).from(revisions).where(since).orderBy(newest)
    const inForce = await db.select({ plan: revisions.plan }).from(revisions).where(before).orderBy(newest).limit(1)
    return [...later, ...inForce]
  })
  return rows.map((row) => row.plan)
}

/** Ids of the nodes that in any revision led to this one. */
export async function leadingTo(store: Store, topologyId: string, nodeId: string): Promise<string[]> {
  const rows = await store.query((db) =>
    db.execute<{ id: string }>(sql`
      select distinct n->>'id' as id
      from revisions r, jsonb_array_elements(r.plan->'nodes') n
      where r.topology_id = ${topologyId} and n->'followers' ? ${nodeId}`),
  )
  return rows.map(({ id }) => id)
}

/** Every node that a topology ever had, once for each set of lanes in force; `generation` null: an event node. */
export async function nodesEver(
  store: Store,
  topologyId: string,
): Promise<{ readonly id: string; readonly generation: number | null }[]> {
  const rows = await store.query((db) =>
    db.execute<{ id: string; generation: number | null }>(sql`
      select distinct n->>'id' as id, (n->>'generation')::int as generation
      from revisions r, jsonb_array_elements(r.plan->'nodes') n
      where r.topology_id = ${topologyId}`),
  )
  return [...rows]
}

/**
 * The node as it was in the newest revision that has it, or of those in which this generation of its lanes was in force; null: none
 * has.
 */
export async function lastWith(
  store: Store,
  topologyId: string,
  nodeId: string,
  generation?: number,
): Promise<PlanNode | null> {
  const node = { id: nodeId, ...(generation !== undefined && { generation }) }
  const has = sql`${revisions.plan} @> ${JSON.stringify({ nodes: [node] })}::jsonb`
  const [row] = await store.query((db) =>
    db
      .select({ plan: revisions.plan })
      .from(revisions)
      .where(and(eq(revisions.topologyId, topologyId), has))
      .orderBy(desc(revisions.revision))
      .limit(1),
  )
  return row?.plan.nodes.find(({ id }) => id === nodeId) ?? null
}

/** Ids of the topologies that were ever published, also of those that are unpublished now: each has a stream. */
export async function publishedTopologyIds(store: Store): Promise<string[]> {
  const rows = await store.query((db) =>
    db.select({ id: topologies.id }).from(topologies).where(gt(topologies.revision, 0)),
  )
  return rows.map((row) => row.id)
}

/** The newest plan of every topology that was ever published, also of those that are unpublished now. */
export async function latestPlans(store: Store): Promise<Plan[]> {
  const newest = and(eq(revisions.topologyId, topologies.id), eq(revisions.revision, topologies.revision))
  const rows = await store.query((db) =>
    db.select({ plan: revisions.plan }).from(topologies).innerJoin(revisions, newest),
  )
  return rows.map((row) => row.plan)
}
