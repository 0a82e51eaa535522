import { and, asc, desc, eq, inArray, sql } from 'drizzle-orm'
import { trash, trashGroups as counted } from '../schema/index.ts'
import type { Database, Store } from '../store.ts'
import { conditions } from './filter.ts'
import type { TrashFilter } from './filter.ts'
import { withinTime } from './bounded.ts'

/** Rows of Trash of one node that failed alike. */
export interface TrashGroup {
  readonly fingerprint: string
  readonly topologyId: string
  readonly topologyName: string
  readonly nodeId: string
  readonly nodeName: string
  readonly count: number
  /** When the oldest and the newest of these rows failed, that is those which the filter leaves now: settled ones are no open ones. */
  readonly firstSeen: Date
  readonly lastSeen: Date
  /** Error of the newest message, and its id. */
  readonly error: (typeof trash.$inferSelect)['error']
  readonly newestId: string
}

/**
 * Rows by kind of failure, the largest group first. By topology, node, fingerprint and state the groups are read from
 * `trash_groups`; a run, times, a tenant and texts make it count rows. Of the groups that are shown the oldest and the newest row are looked up.
 */
export function trashGroups(store: Store, filter: TrashFilter, limit: number): Promise<TrashGroup[]> {
  const { runId, since, until, tenant, text, body } = filter
  const isCounted = [runId, since, until, tenant, text, body].every((value) => value === undefined)
  return withinTime(store, filter, (db) => (isCounted ? readGroups(db, filter, limit) : countRows(db, filter, limit)))
}

const { topologyId, topologyName, nodeId, nodeName, fingerprint, error, createdAt, id } = trash

function readGroups(db: Database, filter: TrashFilter, limit: number) {
  const groups = db.$with('groups').as(largest(db, filter, limit))
  // A fingerprint is of one node. With the node, too, Postgres would take both for independent and read all rows of the group, since
  // it would expect but one.
  const own = and(eq(fingerprint, groups.fingerprint), ...conditions({ state: filter.state }))
  const rows = db.select({ topologyName, nodeName, error, createdAt, id }).from(trash).where(own)
  const newest = rows.orderBy(desc(createdAt), desc(id)).limit(1).as('newest')
  const seen = db.select({ createdAt }).from(trash).where(own)
  const oldest = seen.orderBy(asc(createdAt), asc(id)).limit(1).as('oldest')
  return db
    .with(groups)
    .select({
      topologyId: groups.topologyId,
      nodeId: groups.nodeId,
      fingerprint: groups.fingerprint,
      count: groups.count,
      firstSeen: oldest.createdAt,
      lastSeen: newest.createdAt,
      topologyName: newest.topologyName,
      nodeName: newest.nodeName,
      error: newest.error,
      newestId: newest.id,
    })
    .from(groups)
    .crossJoinLateral(newest)
    .crossJoinLateral(oldest)
    .orderBy(desc(groups.count), asc(groups.fingerprint), asc(groups.topologyId))
}

function largest(db: Database, { topologyId, nodeIds, fingerprint, state }: TrashFilter, limit: number) {
  const count = state === undefined ? counted.total : counted[state]
  const where = and(
    // Written out, so that the partial index is used.
    sql`${count} > 0`,
    topologyId === undefined ? undefined : eq(counted.topologyId, topologyId),
    nodeIds === undefined ? undefined : inArray(counted.nodeId, [...nodeIds]),
    fingerprint === undefined ? undefined : eq(counted.fingerprint, fingerprint),
  )
  return db
    .select({
      topologyId: counted.topologyId,
      nodeId: counted.nodeId,
      fingerprint: counted.fingerprint,
      count: sql<number>`${count}`.mapWith(Number).as('count'),
    })
    .from(counted)
    .where(where)
    .orderBy(desc(count), asc(counted.fingerprint), asc(counted.topologyId))
    .limit(limit)
}

function countRows(db: Database, filter: TrashFilter, limit: number) {
  const groups = db.$with('groups').as(
    db
      .select({
        ...{ topologyId, nodeId, fingerprint },
        count: sql<number>`count(*)::int`.as('count'),
        firstSeen: sql<Date>`min(${createdAt})`.mapWith(createdAt).as('first_seen'),
        lastSeen: sql<Date>`max(${createdAt})`.mapWith(createdAt).as('last_seen'),
      })
      .from(trash)
      .where(and(...conditions(filter)))
      .groupBy(topologyId, nodeId, fingerprint)
      .orderBy(sql`count(*) desc`, asc(fingerprint), asc(topologyId))
      .limit(limit),
  )
  const own = and(eq(fingerprint, groups.fingerprint), eq(createdAt, sql`${groups.lastSeen}`), ...conditions(filter))
  const rows = db.select({ topologyName, nodeName, error, id }).from(trash).where(own)
  const newest = rows.orderBy(desc(id)).limit(1).as('newest')
  return db
    .with(groups)
    .select({
      topologyId: groups.topologyId,
      nodeId: groups.nodeId,
      fingerprint: groups.fingerprint,
      count: groups.count,
      firstSeen: groups.firstSeen,
      lastSeen: groups.lastSeen,
      topologyName: newest.topologyName,
      nodeName: newest.nodeName,
      error: newest.error,
      newestId: newest.id,
    })
    .from(groups)
    .crossJoinLateral(newest)
    .orderBy(desc(groups.count), asc(groups.fingerprint), asc(groups.topologyId))
}

/** How many messages lie open in Trash, by topology, of these or of all; those that have none are left out. */
export async function openTrash(store: Store, ids?: readonly string[]): Promise<Map<string, number>> {
  const open = sql<number>`sum(${counted.open})`.mapWith(Number)
  const where = and(sql`${counted.open} > 0`, ids === undefined ? undefined : inArray(counted.topologyId, [...ids]))
  const rows = await store.query((db) =>
    db.select({ id: counted.topologyId, open }).from(counted).where(where).groupBy(counted.topologyId),
  )
  return new Map(rows.map((row) => [row.id, row.open]))
}
