import { sql } from 'drizzle-orm'
import type { Database } from '../store.ts'

interface Place {
  readonly run: string
  readonly nodeId: string
  readonly tenant: string | null
}

/**
 * Whether something of a run lies in Trash from which a batch node would be reached when it is replayed: it may be read for then, for
 * the same tenant, by the graph in which it failed. What has no tenant may become any tenant's.
 */
export async function isAwaited(db: Database, topologyId: string, { run, nodeId, tenant }: Place): Promise<boolean> {
  const rows = await db.execute(sql`
    with recursive stuck as (
      select distinct node_id, revision from trash
      where run_id = ${run} and state = 'open' and node_id <> ${nodeId}
        and (message->>'tenant' is null or message->>'tenant' = ${tenant}::text)
    ), edges as (
      select r.revision, n->>'id' as node_id, f as follower
      from revisions r, jsonb_array_elements(r.plan->'nodes') n, jsonb_array_elements_text(n->'followers') f
      where r.topology_id = ${topologyId} and r.revision in (select revision from stuck)
    ), reached as (
      select node_id, revision from stuck
      union
      select e.follower, e.revision from reached r join edges e on e.revision = r.revision and e.node_id = r.node_id
    )
    select 1 from reached where node_id = ${nodeId} limit 1`)
  return rows.length > 0
}
