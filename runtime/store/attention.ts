import { sql } from 'drizzle-orm'
import type { TopologyHead } from './queries/topologies.ts'
import type { Store } from './store.ts'

export interface Attention {
  /** The worst first. */
  readonly worst: readonly (TopologyHead & { readonly openTrash: number })[]
  /** How many topologies there are of this kind. */
  readonly count: number
  /** Messages that lie open in Trash of all of these. */
  readonly openTrash: number
}

type Row = TopologyHead & {
  readonly open: string
  readonly count: number
  readonly total: string
}

/**
 * Published topologies that have open Trash, or are in `ranks` (by id: the higher, the worse). By rank first, then by what lies in Trash.
 */
export async function needingAttention(
  store: Store,
  ranks: ReadonlyMap<string, number>,
  limit: number,
): Promise<Attention> {
  const rows = await store.query((db) =>
    db.execute<Row>(sql`
      with trashed as (select topology_id as id, sum(open) as open from trash_groups where open > 0 group by 1),
      ranked as (
        select * from unnest(${sql.param([...ranks.keys()])}::text[],
          ${sql.param([...ranks.values()].map(String))}::text[]::int[]) as r(id, rank)
      )
      select t.id, t.name, t.revision, t.enabled, t.paused, t.visibility,
        t.paused_reason as "pausedReason", t.bridge_out_of_sync as "bridgeOutOfSync", coalesce(trashed.open, 0) as open,
        (count(*) over ())::int as count, coalesce(sum(trashed.open) over (), 0) as total
      from topologies t left join trashed using (id) left join ranked using (id)
      where t.visibility = 'public' and (trashed.id is not null or ranked.id is not null)
      order by coalesce(ranked.rank, 0) desc, coalesce(trashed.open, 0) desc, t.name
      limit ${limit}`),
  )
  const worst = rows.map(({ open, count: _, total: __, ...row }) => ({ ...row, openTrash: Number(open) }))
  return { worst, count: rows[0]?.count ?? 0, openTrash: Number(rows[0]?.total ?? 0) }
}
