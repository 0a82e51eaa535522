import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type { Intake } from '../protocol/intake.ts'
import type { Discarded, Outcome, Started, Trashed } from '../protocol/outcome.ts'
import { fingerprint } from './fingerprint.ts'
import { column } from './columns.ts'
import { writePages } from './delta/pages.ts'
import { writeStopped } from './delta/stopped.ts'
import { commitWatermarks } from './delta/commit.ts'
import type { Database, Store } from './store.ts'
import { addUp, writeMilestones } from './tally/milestones.ts'
import { counted, settlementKey, sortOutcomes, tally } from './tally/tally.ts'
import type { Delta, TrashSettlement } from './tally/tally.ts'
import { storableJson } from './text.ts'

/**
 * Writes what the recorder read: run counters, Trash rows, cursors, how far bodies have come in, and the watermarks of runs that have drained.
 *
 * - **I6** A batch is applied once: the transaction that writes it moves the topology's position from `from` to `to`,
 *   and does nothing if it isn't at `from` any more. Within a batch rows are written before counters are added up, so
 *   the order of the outcomes in it doesn't matter.
 * - A start counts + 1 exactly once: when its run row's `start_seen` turns true, be it that the start makes the row or
 *   that it completes one. An outcome whose run has no row (its start was never seen: a restored database) makes the
 *   row with `start_seen` false, and keeps its counts; such a run stays `running`, and its `in progress` may be below 0
 *   until its start is seen.
 * - A Trash row counts + 1 failed when it is inserted; a replay or discard counts when it turns the row from open (or
 *   when there is no such row any more: then only the stream's guard stands for its being the first).
 * - A run with nothing in progress is `cancelled` if something was cancelled, else `failed` while something of it is in
 *   Trash, else `finished`. A replay makes it `running` again.
 * - Answers what changed, or null when the position wasn't at `from`: another recorder was faster.
 * - **I8** Nothing on the data path waits for this; after an outage the recorder goes on from the position.
 */
export async function applyOutcomes(
  store: Store,
  topologyId: string,
  move: { readonly epoch: string; readonly from: number; readonly to: number },
  outcomes: readonly Outcome[],
): Promise<Applied | null> {
  return store.transaction((inside) =>
    inside.query(async (db) => {
      if (!(await movePosition(db, topologyId, move))) return null
      return write(db, topologyId, outcomes)
    }),
  )
}

/** What a batch changed that people want to know. */
export interface Applied {
  /** Id → state of the runs that began, ended, or run again. */
  readonly runs: ReadonlyMap<string, string>
  /** Node id → new Trash rows. */
  readonly trashed: ReadonlyMap<string, number>
  /** Trash rows that were replayed or discarded. */
  readonly settled: number
  /** Ids of the watermarks that were committed: bridges are to be told. */
  readonly watermarks: readonly string[]
}

/** Writes discards of a topology whose stream is gone, where no recorder will ever read one. */
export async function settleDirectly(
  store: Store,
  topologyId: string,
  ...discards: readonly Discarded[]
): Promise<void> {
  await store.transaction(async (inside) => {
    await lockPosition(inside, topologyId)
    await inside.query((db) => write(db, topologyId, discards))
  })
}

/**
 * Keeps the recorder of the topology out until the transaction ends. Every writer of Trash rows does this first, before it locks any
 * of them, so that none waits for another in a circle.
 */
export async function lockPosition(inside: Store, topologyId: string): Promise<void> {
  await inside.query((db) =>
    db.execute(sql`select 1 from recorder_positions where topology_id = ${topologyId} for update`),
  )
}

/**
 * How far the topology's stream is applied: the sequence of the last outcome, 0 for none. A new epoch (the stream was
 * made anew) starts at 0 again.
 */
export async function position(store: Store, topologyId: string, epoch: string): Promise<number> {
  const rows = await store.query(async (db) => {
    await db.execute(sql`
      insert into recorder_positions as p (topology_id, epoch, position) values (${topologyId}, ${epoch}, 0)
      on conflict (topology_id) do update set epoch = excluded.epoch, position = 0 where p.epoch <> excluded.epoch`)
    return db.execute<{ position: string }>(sql`
      select position from recorder_positions where topology_id = ${topologyId} and epoch = ${epoch}`)
  })
  return Number(rows[0]?.position ?? 0)
}

/** How far each of these topologies' streams is applied, and the epoch of that. Only looks. */
export async function positionsOf(
  store: Store,
  topologyIds: readonly string[],
): Promise<Map<string, { readonly epoch: string; readonly position: number }>> {
  const rows = await store.query((db) =>
    db.execute<{ id: string; epoch: string; position: string }>(sql`
      select topology_id as id, epoch, position from recorder_positions
      where topology_id = any(${column(topologyIds, (id) => id)})`),
  )
  return new Map(rows.map(({ id, epoch, position }) => [id, { epoch, position: Number(position) }]))
}

async function movePosition(
  db: Database,
  topologyId: string,
  { epoch, from, to }: { epoch: string; from: number; to: number },
): Promise<boolean> {
  const moved = await db.execute(sql`
    update recorder_positions set position = ${to}
    where topology_id = ${topologyId} and position = ${from} and epoch = ${epoch} returning 1`)
  return moved.length === 1
}

async function write(db: Database, topologyId: string, outcomes: readonly Outcome[]): Promise<Applied> {
  const sorted = sortOutcomes(outcomes)
  const started = await writeStarts(db, topologyId, [...sorted.started.values()])
  const trashed = await writeTrash(db, topologyId, [...sorted.trashed.values()])
  const settled = await settleTrash(db, [...sorted.settled.values()])
  const fresh = { started, trashed, settled }
  const { runs, drained } = await writeDeltas(db, topologyId, tally(outcomes, sorted, fresh))
  await writeMilestones(db, addUp(counted(outcomes, sorted, fresh)), (run) => started.has(run))
  await writePages(db, topologyId, sorted.pages)
  await writeStopped(db, topologyId, [...sorted.trashed.values()])
  await writeIntakes(db, sorted.intakes)
  const watermarks = await commitWatermarks(db, topologyId, drained)
  for (const id of started) if (!runs.has(id)) runs.set(id, 'running')
  return { runs, trashed: countByNode(sorted.trashed.values(), trashed), settled: settled.size, watermarks }
}

function countByNode(rows: Iterable<Trashed>, fresh: ReadonlySet<string>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { trashId, nodeId } of rows) if (fresh.has(trashId)) counts.set(nodeId, (counts.get(nodeId) ?? 0) + 1)
  return counts
}

function base64({ body }: { readonly body: Uint8Array | null }): string | null {
  return body && Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('base64')
}

async function ids(db: Database, query: SQL): Promise<Set<string>> {
  const rows = await db.execute<{ id: string }>(query)
  return new Set(rows.map((row) => row.id))
}

/** Ids of the runs whose start is new. */
async function writeStarts(db: Database, topologyId: string, starts: readonly Started[]): Promise<Set<string>> {
  if (starts.length === 0) return new Set()
  return ids(
    db,
    sql`
    insert into runs as r (id, topology_id, topology_name, node_id, node_name, start_seen, started_at, tenant, revision,
      start_content_type, start_headers, start_body, start_reconcile)
    select s.id, ${topologyId}, coalesce(t.name, ${topologyId}), s.node, coalesce(n.name, s.node), true, s.at, s.tenant,
      coalesce(s.revision, t.revision), s.type, s.headers::jsonb, decode(s.body, 'base64'), s.reconcile
    from unnest(
      ${column(starts, (start) => start.run)},
      ${column(starts, (start) => start.nodeId)},
      ${column(starts, (start) => start.at, 'timestamptz')},
      ${column(starts, (start) => start.tenant)},
      ${column(starts, (start) => start.revision, 'int')},
      ${column(starts, (start) => start.contentType)},
      ${column(starts, (start) => storableJson(start.headers))},
      ${column(starts, base64)},
      ${column(starts, ({ reconcile = false }) => reconcile, 'boolean')}
    ) as s(id, node, at, tenant, revision, type, headers, body, reconcile)
    left join topologies t on t.id = ${topologyId} left join nodes n on n.id = s.node
    on conflict (id) do update set start_seen = true, node_id = excluded.node_id, node_name = excluded.node_name,
      started_at = excluded.started_at, tenant = excluded.tenant, revision = excluded.revision,
      start_content_type = excluded.start_content_type, start_headers = excluded.start_headers,
      start_body = excluded.start_body, start_reconcile = excluded.start_reconcile, start_state = null, start_state_at = null, line = null
    where not r.start_seen
    returning r.id`,
  )
}

/** Ids of the Trash rows that are new. */
async function writeTrash(db: Database, topologyId: string, rows: readonly Trashed[]): Promise<Set<string>> {
  if (rows.length === 0) return new Set()
  return ids(
    db,
    sql`
    insert into trash as r (id, topology_id, topology_name, node_id, node_name, revision, run_id, message_id, attempts,
      error, fingerprint, message, headers, content_type, body, created_at)
    select s.id, ${topologyId}, coalesce(t.name, ${topologyId}), s.node, coalesce(n.name, s.node), s.revision, s.run,
      s.message_id, s.attempts::jsonb, s.error::jsonb, s.fingerprint, s.message::jsonb, s.headers::jsonb, s.type,
      decode(s.body, 'base64'), s.at
    from unnest(
      ${column(rows, (row) => row.trashId)},
      ${column(rows, (row) => row.nodeId)},
      ${column(rows, (row) => row.revision, 'int')},
      ${column(rows, (row) => row.run)},
      ${column(rows, (row) => row.message.id)},
      ${column(rows, (row) => storableJson(row.attempts))},
      ${column(rows, (row) => storableJson(row.error))},
      ${column(rows, (row) => fingerprint(row.nodeId, row.error))},
      ${column(rows, (row) => storableJson(row.message))},
      ${column(rows, (row) => storableJson(row.message.headers))},
      ${column(rows, (row) => row.message.contentType)},
      ${column(rows, base64)},
      ${column(rows, (row) => row.at, 'timestamptz')}
    ) as s(id, node, revision, run, message_id, attempts, error, fingerprint, message, headers, type, body, at)
    left join topologies t on t.id = ${topologyId} left join nodes n on n.id = s.node
    on conflict (id) do nothing
    returning r.id`,
  )
}

/** Keys of the Trash rows that these settle: the open ones, and those that are gone. */
async function settleTrash(db: Database, settlements: readonly TrashSettlement[]): Promise<Set<string>> {
  if (settlements.length === 0) return new Set()
  const wanted = settlements.map(settlementKey)
  const rows = sql`${column(settlements, ({ trashId }) => trashId)}, ${column(settlements, ({ run }) => run)}, ${column(wanted, (key) => key)}`
  const turned = await ids(
    db,
    sql`
    update trash r set state = s.state, reason = s.reason, settled_at = s.at
    from unnest(
      ${rows},
      ${column(settlements, (settlement) => settlement.kind)},
      ${column(settlements, (settlement) => (settlement.kind === 'discarded' ? settlement.reason : null))},
      ${column(settlements, (settlement) => settlement.at, 'timestamptz')}
    ) as s(id, run, key, state, reason, at)
    where r.id = s.id and r.run_id = s.run and r.state = 'open'
    returning s.key as id`,
  )
  if (turned.size === wanted.length) return turned
  const present = await ids(
    db,
    sql`select s.key as id from trash r join unnest(${rows}) as s(id, run, key) on r.id = s.id and r.run_id = s.run`,
  )
  return new Set(wanted.filter((key) => turned.has(key) || !present.has(key)))
}

/** Id → state of the runs whose state is another one now; and those that have drained, be it for the first time or not. */
async function writeDeltas(
  db: Database,
  topologyId: string,
  deltas: readonly Delta[],
): Promise<{ runs: Map<string, string>; drained: string[] }> {
  if (deltas.length === 0) return { runs: new Map(), drained: [] }
  const updated = await db.execute<{ id: string; was: string; state: string }>(updateRuns(deltas))
  const known = new Set(updated.map(({ id }) => id))
  const missing = deltas.filter((delta) => !known.has(delta.run))
  if (missing.length > 0) await db.execute(insertPlaceholders(topologyId, missing))
  const changed = updated.filter(({ was, state }) => was !== state)
  return {
    runs: new Map(changed.map(({ id, state }) => [id, state])),
    drained: updated.flatMap(({ id, state }) => (state === 'finished' || state === 'failed' ? [id] : [])),
  }
}

function counters(deltas: readonly Delta[]): SQL {
  const names = ['done', 'failed', 'discarded', 'cancelled', 'inProgress'] as const
  const columns = names.map((name) => column(deltas, (delta) => delta[name], 'bigint'))
  return sql.join(columns, sql`, `)
}

function updateRuns(deltas: readonly Delta[]): SQL {
  return sql`
    with d as (
      select * from unnest(
        ${column(deltas, (delta) => delta.run)},
        ${column(deltas, (delta) => delta.lastAt, 'timestamptz')},
        ${column(deltas, (delta) => delta.moved, 'boolean')},
        ${counters(deltas)}
      ) as d(id, last_at, moved, done, failed, discarded, cancelled, in_progress)
    ), sums as (
      select r.id, r.state as was, d.last_at, d.moved, r.start_seen and r.in_progress + d.in_progress <= 0 as drained,
        r.done + d.done as done, r.failed + d.failed as failed, r.discarded + d.discarded as discarded,
        r.cancelled + d.cancelled as cancelled, r.in_progress + d.in_progress as in_progress
      from runs r join d on d.id = r.id
    )
    update runs r set done = s.done, failed = s.failed, discarded = s.discarded, cancelled = s.cancelled,
      in_progress = s.in_progress,
      state = case when not s.drained then 'running' when s.cancelled > 0 then 'cancelled'
        when s.failed > 0 then 'failed' else 'finished' end,
      finished_at = case when not s.drained then null when s.moved or r.finished_at is null then s.last_at
        else r.finished_at end
    from sums s where r.id = s.id
    returning r.id, s.was, r.state`
}

function insertPlaceholders(topologyId: string, deltas: readonly Delta[]): SQL {
  return sql`
    insert into runs (id, topology_id, topology_name, node_id, node_name, start_seen, started_at, done, failed,
      discarded, cancelled, in_progress)
    select d.id, ${topologyId}, coalesce(t.name, ${topologyId}), d.node, coalesce(n.name, d.node), false, d.at, d.done,
      d.failed, d.discarded, d.cancelled, d.in_progress
    from unnest(
      ${column(deltas, (delta) => delta.run)},
      ${column(deltas, (delta) => delta.nodeId)},
      ${column(deltas, (delta) => delta.firstAt, 'timestamptz')},
      ${counters(deltas)}
    ) as d(id, node, at, done, failed, discarded, cancelled, in_progress)
    left join topologies t on t.id = ${topologyId} left join nodes n on n.id = d.node`
}

/** After the rows of new runs. */
async function writeIntakes(db: Database, intakes: ReadonlyMap<string, Intake>): Promise<void> {
  if (intakes.size === 0) return
  const rows = [...intakes]
  await db.execute(sql`
    update runs r set intake = s.intake, start_body = null
    from unnest(
      ${column(rows, ([run]) => run)},
      ${column(rows, ([, intake]) => storableJson(intake), 'jsonb')}
    ) as s(id, intake)
    where r.id = s.id`)
}
