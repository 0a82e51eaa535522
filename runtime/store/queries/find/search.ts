import { sql } from 'drizzle-orm'
import type { Store } from '../../store.ts'

export const foundKinds = ['topology', 'node', 'run', 'trash'] as const

/** Something that a person may have meant. */
export type Found = {
  readonly kind: (typeof foundKinds)[number]
  readonly id: string
  /** Of a run and of a message in Trash: of its node. */
  readonly name: string
  readonly topologyId: string
  readonly topology: string
}

/** After everything that ids are made of, so that a range of them holds what begins with a text. */
const last = 'z'.repeat(40)

/**
 * Topologies and nodes whose name has the text as a part, those first that begin with it; runs and messages in Trash whose id begins
 * with it; anything by its whole id. Of one topology, or of all (null).
 */
export async function search(store: Store, text: string, topologyId: string | null, limit: number): Promise<Found[]> {
  const own = (column: string) => (topologyId === null ? sql`true` : sql`${sql.raw(column)} = ${topologyId}`)
  const lower = text.toLowerCase()
  const named = (name: string, id: string) =>
    sql`(position(${lower} in ${sql.raw(name)}) > 0 or ${sql.raw(id)} = ${text})`
  const begins = (id: string) => sql`${sql.raw(id)} >= ${text} and ${sql.raw(id)} <= ${text + last}
    and starts_with(${sql.raw(id)}, ${text})`
  const rows = await store.query((db) =>
    db.execute<Found>(sql`
      (select 'topology' as kind, t.id, t.name, t.id as "topologyId", t.name as topology
        from topologies t where ${named('t.name', 't.id')} and ${own('t.id')}
        order by starts_with(t.name, ${lower}) desc, t.name limit ${limit})
      union all
      (select 'node', n.id, n.name, t.id, t.name
        from nodes n join topologies t on t.id = n.topology_id
        where n.in_draft and ${named('n.name', 'n.id')} and ${own('t.id')}
        order by starts_with(n.name, ${lower}) desc, n.name, t.name limit ${limit})
      union all
      (select 'run', r.id, r.node_name, r.topology_id, r.topology_name
        from runs r where ${begins('r.id')} and ${own('r.topology_id')} order by r.id limit ${limit})
      union all
      (select 'trash', m.id, m.node_name, m.topology_id, m.topology_name
        from trash m where ${begins('m.id')} and ${own('m.topology_id')} order by m.id limit ${limit})
      limit ${limit}`),
  )
  return [...rows]
}
