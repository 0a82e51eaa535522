/** Runs whose start was written down before it went into the node's queue. See api/actions/firing/. */
import { and, asc, eq, inArray, isNotNull, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { gates, runs } from '../../schema/index.ts'
import type { Store } from '../../store.ts'
import type { Run } from '../runs.ts'

/** A start as it is kept until it is in the queue. */
export interface WrittenStart {
  readonly id: string
  readonly topologyId: string
  readonly topologyName: string
  readonly nodeId: string
  readonly nodeName: string
  readonly tenant: string | null
  readonly scheduledAt: Date | null
  readonly contentType: string
  readonly headers: Readonly<Record<string, string>>
  readonly trace: string | null
  readonly reconcile: boolean
  readonly body: Uint8Array
  /** Place in the line of queued runs; null: it needn't wait. */
  readonly line: number | null
}

/** The run is shown from now on. One that is there stays as it is. */
export async function writeStarts(store: Store, starts: readonly WrittenStart[]): Promise<void> {
  if (starts.length === 0) return
  const rows = starts.map(({ body, scheduledAt, ...start }) => ({
    ...start,
    scheduledAt: scheduledAt?.toISOString() ?? null,
    body: Buffer.from(body).toString('base64'),
  }))
  // One parameter, whatever their number: a firing takes half as long as with one for each column.
  await store.query((db) =>
    db.execute(sql`
      insert into runs (id, topology_id, topology_name, node_id, node_name, tenant, start_seen, started_at, scheduled_at,
        start_content_type, start_headers, start_trace, start_reconcile, start_body, start_state, start_state_at, line)
      select id, "topologyId", "topologyName", "nodeId", "nodeName", tenant, false, clock_timestamp(), "scheduledAt",
        "contentType", headers, trace, reconcile, decode(body, 'base64'), case when line is null then 'unsent' else 'queued' end,
        clock_timestamp(), line
      from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as v(id text, "topologyId" text, "topologyName" text,
        "nodeId" text, "nodeName" text, tenant text, "scheduledAt" timestamptz, "contentType" text, headers jsonb,
        trace text, reconcile boolean, body text, line bigint)
      on conflict do nothing`),
  )
}

/** A running run of each of these nodes that has one; those that are queued don't count. `but` is left out. */
export async function busyWith(store: Store, nodeIds: readonly string[], but?: string): Promise<Map<string, string>> {
  if (nodeIds.length === 0) return new Map()
  const rows = await store.query((db) =>
    db
      .selectDistinctOn([runs.nodeId], { nodeId: runs.nodeId, id: runs.id })
      .from(runs)
      .where(
        and(inArray(runs.nodeId, [...nodeIds]), isGoingOn, but === undefined ? undefined : sql`${runs.id} <> ${but}`),
      )
      .orderBy(asc(runs.nodeId), asc(runs.startedAt)),
  )
  return new Map(rows.map(({ nodeId, id }) => [nodeId, id]))
}

/** A row whose start was never seen (a restored database) would be running for ever. */
const isGoingOn: SQL = sql`${runs.state} = 'running' and ${runs.startState} is distinct from 'queued'
  and (${runs.startSeen} or ${runs.startState} is not null)`

/** By node id: how many of its runs are queued. */
export async function queuedOf(store: Store, nodeIds: readonly string[]): Promise<Map<string, number>> {
  if (nodeIds.length === 0) return new Map()
  const rows = await store.query((db) =>
    db
      .select({ nodeId: runs.nodeId, queued: sql<string>`count(*)` })
      .from(runs)
      .where(and(eq(runs.startState, 'queued'), inArray(runs.nodeId, [...nodeIds])))
      .groupBy(runs.nodeId),
  )
  return new Map(rows.map(({ nodeId, queued }) => [nodeId, Number(queued)]))
}

/** By node id: how many starts of a topology are written down and not in its queues, queued or about to be sent. */
export async function writtenOf(store: Store, topologyId: string): Promise<Map<string, number>> {
  const isWritten = inArray(runs.startState, ['queued', 'unsent'])
  const rows = await store.query((db) =>
    db
      .select({ nodeId: runs.nodeId, count: sql<string>`count(*)` })
      .from(runs)
      .where(and(eq(runs.topologyId, topologyId), isWritten))
      .groupBy(runs.nodeId),
  )
  return new Map(rows.map(({ nodeId, count }) => [nodeId, Number(count)]))
}

/** Nodes of published topologies that have queued runs, and whether their runs may overlap (now). */
export async function nodesWithQueued(
  store: Store,
): Promise<{ readonly nodeId: string; readonly overlaps: boolean }[]> {
  const rows = await store.query((db) =>
    db.execute<{ nodeId: string; overlaps: boolean }>(sql`
      select distinct g.node_id as "nodeId", g.overlap = 'allow' as overlaps from runs r
      join gates g on g.node_id = r.node_id
      join topologies t on t.id = r.topology_id and t.visibility = 'public' where r.start_state = 'queued'`),
  )
  return [...rows]
}

/** The gate of the node, locked until the transaction ends; false when another control holds it. */
export async function tryGate(store: Store, nodeId: string): Promise<boolean> {
  const rows = await store.query((db) =>
    db.select({ nodeId: gates.nodeId }).from(gates).where(eq(gates.nodeId, nodeId)).for('update', { skipLocked: true }),
  )
  return rows.length > 0
}

/** The first queued run of a node leaves the line: its start is to be sent now. Null: none is queued. */
export async function leaveLine(store: Store, nodeId: string): Promise<WrittenStart | null> {
  const first = sql`(select id from runs where node_id = ${nodeId} and start_state = 'queued' order by line limit 1 for update)`
  const rows = await store.query((db) =>
    db
      .update(runs)
      .set({ startState: 'unsent', startStateAt: sql`clock_timestamp()`, line: null })
      .where(and(sql`${runs.id} = ${first}`, eq(runs.startState, 'queued')))
      .returning(),
  )
  return rows.map(startOf)[0] ?? null
}

/** Starts that nobody has sent for `olderMs`, claimed for as long again. */
export async function claimUnsent(store: Store, olderMs: number, limit: number): Promise<WrittenStart[]> {
  const due = sql`(select id from runs where start_state = 'unsent' and start_state_at < clock_timestamp() - ${olderMs} * interval '1 millisecond'
    order by start_state_at limit ${limit} for update skip locked)`
  const rows = await store.query((db) =>
    db
      .update(runs)
      .set({ startStateAt: sql`clock_timestamp()` })
      .where(sql`${runs.id} in ${due}`)
      .returning(),
  )
  return rows.map(startOf)
}

/** These are in the queue. */
export async function noteSent(store: Store, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  const unsent = and(inArray(runs.id, [...ids]), eq(runs.startState, 'unsent'))
  await store.query((db) => db.update(runs).set({ startState: 'sent' }).where(unsent))
}

/** A run that ended before anything of it was sent. */
export type Cancelled = Omit<Run, 'progress' | 'rerunOf'>

/** Ends queued runs of a topology, or one run, as cancelled: nothing of them was ever sent. Answers those that were queued. */
export async function cancelQueued(store: Store, which: { topologyId: string } | { id: string }): Promise<Cancelled[]> {
  const mine = 'id' in which ? eq(runs.id, which.id) : eq(runs.topologyId, which.topologyId)
  return cancelWritten(store, and(mine, eq(runs.startState, 'queued')))
}

/** Ends what is written down for topologies that are deleted as cancelled: it has no queue any more into which it could be sent. */
export async function cancelOrphaned(store: Store): Promise<Cancelled[]> {
  const isGone = sql`not exists (select from topologies t where t.id = ${runs.topologyId})`
  return cancelWritten(store, and(isNotNull(runs.startState), isGone))
}

function cancelWritten(store: Store, which: SQL | undefined): Promise<Cancelled[]> {
  const now = sql`clock_timestamp()`
  return store.query((db) =>
    db
      .update(runs)
      .set({ state: 'cancelled', cancelled: 1, finishedAt: now, cancelRequestedAt: now, startState: null, line: null })
      .where(which)
      .returning(),
  )
}

function startOf(row: typeof runs.$inferSelect): WrittenStart {
  const { id, topologyId, topologyName, nodeId, nodeName, tenant, scheduledAt, line } = row
  return {
    ...{ id, topologyId, topologyName, nodeId, nodeName, tenant, scheduledAt, line },
    contentType: row.startContentType ?? 'application/octet-stream',
    headers: row.startHeaders,
    trace: row.startTrace,
    reconcile: row.startReconcile,
    body: row.startBody ?? new Uint8Array(),
  }
}
