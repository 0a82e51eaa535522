import { and, asc, eq, gt, inArray, or, sql } from 'drizzle-orm'
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

/** Those of these runs, and of these topologies, by id. */
export function receivingOf(
  store: Store,
  of: { readonly runs: readonly string[]; readonly topologies: readonly string[] },
): AsyncGenerator<Receiving> {
  return receiving(store, or(inArray(runs.id, [...of.runs]), inArray(runs.topologyId, [...of.topologies])))
}

export async function isReceiving(store: Store, topologyId: string): Promise<boolean> {
  const mine = and(eq(runs.topologyId, topologyId), isOpen)
  return (await store.query((db) => db.select({ id: runs.id }).from(runs).where(mine).limit(1))).length > 0
}

/** Those for which nothing came since, and whose senders gave no sign, by id. */
export function receivingIdle(store: Store, since: Date): AsyncGenerator<Receiving> {
  return receiving(store, sql`(${runs.intake} ->> 'at')::timestamptz < ${since.toISOString()}::timestamptz`)
}

const isOpen = and(eq(runs.state, 'running'), sql`${runs.intake} ->> 'state' = 'receiving'`)
const portion = 100

/** Portion by portion, so that no number of them that can't be closed keeps others from being looked at. */
async function* receiving(store: Store, where: SQL | undefined): AsyncGenerator<Receiving> {
  const { id, topologyId, nodeId, intake } = runs
  let last = ''
  for (;;) {
    const rows = await store.query((db) =>
      db
        .select({ id, topologyId, nodeId, intake })
        .from(runs)
        .where(and(isOpen, where, gt(id, last)))
        .orderBy(asc(id))
        .limit(portion),
    )
    for (const row of rows) if (row.intake !== null) yield { ...row, intake: row.intake }
    const end = rows.at(-1)
    if (end === undefined || rows.length < portion) return
    last = end.id
  }
}
