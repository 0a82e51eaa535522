import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { Store } from '../../store.ts'
import type { RunState } from '../runs.ts'
import type { TopologyHead } from '../topologies.ts'

export interface OverviewFilter {
  /** The only one that may be seen. */
  readonly topologyId?: string | undefined
  /** Part of the name or the description, whatever its case. */
  readonly text?: string | undefined
  /** All of them; a value null is any value. */
  readonly labels: readonly { readonly name: string; readonly value: string | null }[]
  readonly show?: 'published' | 'draft' | 'disabled' | 'paused' | 'attention' | undefined
  /** Those that need attention for what Postgres doesn't know of; open Trash is found here. */
  readonly attention: readonly string[]
}

/** A topology in a list, without what it is made of. */
export type Overview = TopologyHead & {
  readonly description: string | null
  readonly labels: Readonly<Record<string, string>>
  /** Of the draft. */
  readonly nodes: number
  readonly openTrash: number
  /** The one that began last. */
  readonly lastRun: LastRun | null
}

interface LastRun {
  readonly id: string
  readonly state: RunState
  readonly startedAt: string
  readonly finishedAt: string | null
}

/** By name, upwards; `after` is the last name of the page before. */
export async function listOverview(
  store: Store,
  filter: OverviewFilter,
  limit: number,
  after: string | null,
): Promise<Overview[]> {
  const rows = await store.query((db) =>
    db.execute<Overview>(sql`
      select t.id, t.name, t.description, t.labels, t.visibility, t.revision, t.enabled, t.paused,
        t.paused_reason as "pausedReason", t.bridge_out_of_sync as "bridgeOutOfSync",
        (select count(*)::int from nodes n where n.topology_id = t.id and n.in_draft) as nodes,
        (select coalesce(sum(g.open), 0)::float8 from trash_groups g where g.topology_id = t.id and g.open > 0)
          as "openTrash",
        (select jsonb_build_object('id', r.id, 'state', r.state, 'startedAt', ${isoOf(sql`r.started_at`)},
            'finishedAt', ${isoOf(sql`r.finished_at`)})
          from runs r where r.topology_id = t.id order by r.started_at desc, r.id desc limit 1) as "lastRun"
      from topologies t
      where ${conditions(filter)} and ${after === null ? sql`true` : sql`t.name > ${after}`}
      order by t.name
      limit ${limit}`),
  )
  return [...rows]
}

export async function countOverview(store: Store, filter: OverviewFilter): Promise<number> {
  const [row] = await store.query((db) =>
    db.execute<{ count: number }>(sql`select count(*)::int as count from topologies t where ${conditions(filter)}`),
  )
  return row?.count ?? 0
}

const isoOf = (time: SQL): SQL => sql`to_char(${time} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

function conditions({ topologyId, text, labels, show, attention }: OverviewFilter): SQL {
  const wanted = [
    sql`true`,
    ...(topologyId === undefined ? [] : [sql`t.id = ${topologyId}`]),
    ...(text === undefined
      ? []
      : [sql`position(lower(${text}) in lower(t.name || ' ' || coalesce(t.description, ''))) > 0`]),
    ...labels.map(({ name, value }) =>
      value === null ? sql`t.labels ? ${name}` : sql`t.labels ->> ${name} = ${value}`,
    ),
    ...(show === undefined ? [] : [shown(show, attention)]),
  ]
  return sql.join(wanted, sql` and `)
}

function shown(show: NonNullable<OverviewFilter['show']>, attention: readonly string[]): SQL {
  switch (show) {
    case 'published':
      return sql`t.visibility = 'public'`
    case 'draft':
      return sql`t.visibility = 'draft'`
    case 'disabled':
      return sql`not t.enabled`
    case 'paused':
      return sql`t.paused`
    case 'attention':
      return sql`t.visibility = 'public' and (t.id = any(${sql.param([...attention])}::text[])
        or exists (select from trash_groups g where g.topology_id = t.id and g.open > 0))`
  }
}
