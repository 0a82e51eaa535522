/** When event nodes fire: the gates of cron nodes. See api/actions/firing/. */
import { and, asc, eq, inArray, sql } from 'drizzle-orm'
import { Conflict, NotFound } from '../../../errors.ts'
import { gates, nodes, topologies } from '../../schema/index.ts'
import type { Store } from '../../store.ts'
import { isForeignKeyViolation } from '../../trouble.ts'

export type Gate = typeof gates.$inferSelect

/** Of the database: the one clock that all controls go by. */
export async function databaseNow(store: Store): Promise<Date> {
  const [row] = await store.query((db) =>
    db.execute<{ ms: string }>(sql`select ${millis(sql`clock_timestamp()`)} as ms`),
  )
  return new Date(Number(row?.ms))
}

const millis = (time: ReturnType<typeof sql>) => sql`floor(extract(epoch from ${time}) * 1000)`

/** The gates of a topology, locked until the transaction ends. */
export async function lockGates(store: Store, topologyId: string): Promise<Gate[]> {
  const mine = eq(gates.topologyId, topologyId)
  return store.query((db) => db.select().from(gates).where(mine).orderBy(asc(gates.nodeId)).for('update'))
}

export type InForce = Pick<
  Gate,
  'nodeId' | 'topologyId' | 'cron' | 'timezone' | 'anchorAt' | 'nextAt' | 'overlap' | 'missed' | 'message'
>

/** Puts in force what decides of the starts of nodes, in place of what did. */
export async function putGates(store: Store, rows: readonly InForce[]): Promise<void> {
  if (rows.length === 0) return
  const from = (column: string) => sql.raw(`excluded.${column}`)
  const set = {
    ...{ cron: from('cron'), timezone: from('timezone'), anchorAt: from('anchor_at'), nextAt: from('next_at') },
    ...{ overlap: from('overlap'), missed: from('missed'), message: from('message') },
  }
  await store.query((db) =>
    db
      .insert(gates)
      .values([...rows])
      .onConflictDoUpdate({ target: gates.nodeId, set }),
  )
}

/** From now on nothing of these nodes fires. */
export async function clearSchedules(store: Store, topologyId: string, nodeIds?: readonly string[]): Promise<void> {
  const mine = eq(gates.topologyId, topologyId)
  const where = nodeIds === undefined ? mine : and(mine, inArray(gates.nodeId, [...nodeIds]))
  const none = { cron: null, timezone: null, anchorAt: null, nextAt: null }
  await store.query((db) => db.update(gates).set(none).where(where))
}

/**
 * The gate of a node, made if there is none, and locked until the transaction ends. As long as it is held its topology isn't deleted, and
 * what is written down then is seen by who deletes it next. Throws `NotFound` when it is deleted, and `Conflict` when it isn't published.
 */
export async function lockGate(store: Store, topologyId: string, nodeId: string): Promise<Gate> {
  await makeGate(store, topologyId, nodeId)
  const [gate] = await store.query((db) => db.select().from(gates).where(eq(gates.nodeId, nodeId)).for('update'))
  if (!gate) throw gone(topologyId)
  // What was read before the lock may be old.
  const { name, visibility } = topologies
  const [topology] = await store.query((db) =>
    db.select({ name, visibility }).from(topologies).where(eq(topologies.id, topologyId)),
  )
  if (!topology) throw gone(topologyId)
  if (topology.visibility !== 'public')
    throw new Conflict(`the topology "${topology.name}" is a draft: publish it first`)
  return gate
}

async function makeGate(store: Store, topologyId: string, nodeId: string): Promise<void> {
  try {
    await store.query((db) => db.insert(gates).values({ nodeId, topologyId }).onConflictDoNothing())
  } catch (error) {
    if (isForeignKeyViolation(error)) throw gone(topologyId)
    throw error
  }
}

const gone = (topologyId: string): NotFound => new NotFound(`the topology "${topologyId}" was deleted meanwhile`)

/** The next place in the line of a gate that is locked. */
export async function nextInLine(store: Store, nodeId: string): Promise<number> {
  const line = sql`${gates.line} + 1`
  const [row] = await store.query((db) =>
    db.update(gates).set({ line }).where(eq(gates.nodeId, nodeId)).returning({ line: gates.line }),
  )
  return row?.line ?? 0
}

/** Whether a node may fire is decided by these, at the moment. */
export interface DueGate extends Gate {
  readonly topologyName: string
  readonly nodeName: string
  /** It is published, and both the topology and the node are enabled. */
  readonly active: boolean
}

/** Gates with a firing to decide of, the oldest first, locked until the transaction ends. Those that another control holds are left out. */
export async function lockDue(store: Store, limit: number): Promise<DueGate[]> {
  const isDue = sql`${gates.nextAt} <= clock_timestamp()`
  const active = sql<boolean>`${topologies.visibility} = 'public' and ${topologies.enabled} and ${nodes.enabled}`
  const rows = await store.query((db) =>
    db
      .select({
        gate: gates,
        topologyName: topologies.name,
        nodeName: nodes.name,
        active,
      })
      .from(gates)
      .innerJoin(topologies, eq(topologies.id, gates.topologyId))
      .innerJoin(nodes, eq(nodes.id, gates.nodeId))
      .where(isDue)
      .orderBy(asc(gates.nextAt))
      .limit(limit)
      .for('update', { of: gates, skipLocked: true }),
  )
  return rows.map(({ gate, ...rest }) => ({ ...gate, ...rest }))
}

/** What was decided of a gate's firing. Times are RFC 3339. */
export interface Decided {
  readonly nodeId: string
  readonly nextAt: string | null
  readonly last: { readonly at: string; readonly runId: string } | null
  readonly skipped: { readonly at: string; readonly reason: string; readonly runId: string | null } | null
  /** Places in the line that were given away. */
  readonly lined: number
}

export async function writeDecided(store: Store, decided: readonly Decided[]): Promise<void> {
  if (decided.length === 0) return
  await store.query((db) =>
    db.execute(sql`
      update gates g set next_at = v."nextAt", line = g.line + v.lined,
        last_at = coalesce((v.last->>'at')::timestamptz, g.last_at),
        last_run_id = coalesce(v.last->>'runId', g.last_run_id),
        skipped_at = case when v.skipped is null then g.skipped_at else (v.skipped->>'at')::timestamptz end,
        skipped_reason = case when v.skipped is null then g.skipped_reason else v.skipped->>'reason' end,
        skipped_run_id = case when v.skipped is null then g.skipped_run_id else v.skipped->>'runId' end,
        skipped = g.skipped + case when v.skipped is null then 0 else 1 end
      from jsonb_to_recordset(${JSON.stringify(decided)}::text::jsonb)
        as v("nodeId" text, "nextAt" timestamptz, last jsonb, skipped jsonb, lined int)
      where g.node_id = v."nodeId"`),
  )
}

/** What there is to do, and in how many milliseconds the next firing is due (0: it is; null: there is none). */
export interface Outlook {
  readonly dueInMs: number | null
  readonly queued: boolean
  readonly unsent: boolean
  readonly orphaned: boolean
}

/** `unsent`: starts that nobody has sent for `unsentMs`; `orphaned`: starts of topologies that are deleted. */
export async function outlook(store: Store, unsentMs: number): Promise<Outlook> {
  const [row] = await store.query((db) =>
    db.execute<{ due: string | null; queued: boolean; unsent: boolean; orphaned: boolean }>(sql`
      select (select greatest(0, ${millis(sql`min(next_at)`)} - ${millis(sql`clock_timestamp()`)}) from gates) as due,
        exists (select from runs where start_state = 'queued') as queued,
        exists (select from runs where start_state = 'unsent'
          and start_state_at < clock_timestamp() - ${unsentMs} * interval '1 millisecond') as unsent,
        exists (select from runs r where r.start_state is not null
          and not exists (select from topologies t where t.id = r.topology_id)) as orphaned`),
  )
  const due = row?.due ?? null
  const { queued = false, unsent = false, orphaned = false } = row ?? {}
  return { dueInMs: due === null ? null : Number(due), queued, unsent, orphaned }
}

/** By node id, for showing. */
export async function gatesOf(store: Store, topologyId: string): Promise<Map<string, Gate>> {
  const rows = await store.query((db) => db.select().from(gates).where(eq(gates.topologyId, topologyId)))
  return new Map(rows.map((row) => [row.nodeId, row]))
}
