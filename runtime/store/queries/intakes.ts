import { and, eq, inArray, or, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { Intake } from '../../protocol/intake.ts'
import { runs } from '../schema/index.ts'
import type { Store } from '../store.ts'

/** A run whose body is still coming in. */
export interface Receiving {
  readonly id: string
  readonly topologyId: string
  readonly nodeId: string
  readonly intake: Intake
}

/** Those of these runs, and of these topologies. */
export async function receivingOf(
  store: Store,
  of: { readonly runs: readonly string[]; readonly topologies: readonly string[] },
): Promise<Receiving[]> {
  if (of.runs.length + of.topologies.length === 0) return []
  return receiving(store, or(inArray(runs.id, [...of.runs]), inArray(runs.topologyId, [...of.topologies])))
}

/** Those for which nothing came since, at most a hundred. */
export async function receivingIdle(store: Store, since: Date): Promise<Receiving[]> {
  return receiving(store, sql`(${runs.intake} ->> 'at')::timestamptz < ${since.toISOString()}::timestamptz`)
}

async function receiving(store: Store, where: SQL | undefined): Promise<Receiving[]> {
  const { id, topologyId, nodeId, intake } = runs
  const isReceiving = sql`${intake} ->> 'state' = 'receiving'`
  const rows = await store.query((db) =>
    db
      .select({ id, topologyId, nodeId, intake })
      .from(runs)
      .where(and(eq(runs.state, 'running'), isReceiving, where))
      .limit(100),
  )
  return rows.flatMap((row) => (row.intake === null ? [] : [{ ...row, intake: row.intake }]))
}
