/** Cron nodes over all topologies, for showing. */
import { and, asc, eq, or, sql } from 'drizzle-orm'
import { gates, nodes, topologies } from '../../schema/index.ts'
import type { Store } from '../../store.ts'
import type { Gate } from './gates.ts'
import type { Node } from '../nodes.ts'
import type { Topology } from '../topologies.ts'

export interface CronRow {
  readonly node: Node
  readonly topology: Pick<Topology, 'id' | 'name' | 'enabled' | 'visibility'>
  /** Null for one that was never published. */
  readonly gate: Gate | null
}

/** The last row of the page before. */
export interface CronPlace {
  readonly topology: string
  readonly node: string
}

/** Cron nodes of drafts, and those that fire though their draft has none any more; by topology and name. */
export async function listCron(
  store: Store,
  topologyId: string | undefined,
  limit: number,
  after: CronPlace | null,
): Promise<CronRow[]> {
  const drawn = and(eq(nodes.type, 'cron'), eq(nodes.inDraft, true))
  const where = and(
    or(drawn, sql`${gates.cron} is not null`),
    topologyId === undefined ? undefined : eq(topologies.id, topologyId),
    after === null ? undefined : sql`(${topologies.name}, ${nodes.name}) > (${after.topology}, ${after.node})`,
  )
  const { id, name, enabled, visibility } = topologies
  return store.query((db) =>
    db
      .select({ node: nodes, topology: { id, name, enabled, visibility }, gate: gates })
      .from(nodes)
      .innerJoin(topologies, eq(topologies.id, nodes.topologyId))
      .leftJoin(gates, eq(gates.nodeId, nodes.id))
      .where(where)
      .orderBy(asc(topologies.name), asc(nodes.name))
      .limit(limit),
  )
}
