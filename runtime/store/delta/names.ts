import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'

/** Names of the topology and the node that a row of the table belongs to; what is deleted shows its id. */
export function namesOf(table: 'cursors' | 'watermarks') {
  const nameIn = (names: string, id: string): SQL<string> =>
    sql<string>`coalesce((select n.name from ${sql.raw(names)} n where n.id = ${sql.raw(`${table}.${id}`)}), ${sql.raw(`${table}.${id}`)})`
  return { topologyName: nameIn('topologies', 'topology_id'), nodeName: nameIn('nodes', 'node_id') }
}
