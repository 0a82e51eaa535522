import { sql } from 'drizzle-orm'
import type { Store } from '../../store.ts'
import type { Place } from '../runs.ts'

/** How long Trash is kept that belongs to a topology, deleted ones too. */
export interface TrashKeeping {
  readonly topologyId: string
  /** Of what is settled; null: as the engine is told to. */
  readonly keepDays: number | null
  /** Until what is open is discarded; null: never. */
  readonly openDays: number | null
}

export async function topologiesOfTrash(store: Store): Promise<TrashKeeping[]> {
  // One step in the index for each topology, however many rows they have.
  const rows = await store.query((db) =>
    db.execute<{ id: string; keep: number | null; open: number | null }>(sql`
      with recursive ids as (
        (select topology_id as id from trash order by topology_id limit 1)
        union all
        select (select r.topology_id from trash r where r.topology_id > ids.id order by r.topology_id limit 1)
        from ids where ids.id is not null
      )
      select ids.id, t.trash_keep_days as keep, t.trash_open_days as open
      from ids left join topologies t on t.id = ids.id where ids.id is not null`),
  )
  return rows.map(({ id, keep, open }) => ({ topologyId: id, keepDays: keep, openDays: open }))
}

/**
 * Deletes the first `limit` rows of a topology that were settled before a time, with their edits, and answers how many. Waits for
 * nobody: a row that somebody looks after just now is left for the next time.
 */
export async function deleteSettledBefore(
  store: Store,
  { topologyId, before, limit }: { topologyId: string; before: Date; limit: number },
): Promise<number> {
  const rows = await store.query((db) =>
    db.execute(sql`
      delete from trash where id in (
        select id from trash where topology_id = ${topologyId} and state <> 'open'
          and settled_at < ${before.toISOString()}::timestamptz
        order by settled_at, id limit ${limit} for update skip locked)
      returning 1`),
  )
  return rows.length
}

/** What a discard of a row needs to know of it. */
export interface OpenRow extends Record<string, unknown> {
  readonly id: string
  readonly topologyId: string
  readonly nodeId: string
  readonly runId: string
  readonly replay: number
  /** As text, with all its digits: where to go on. */
  readonly at: string
}

const discardable = sql`id, topology_id as "topologyId", node_id as "nodeId", run_id as "runId",
  coalesce((message ->> 'replay')::float8, 0) as replay, created_at::text as at`

/** Rows of a topology that are open and failed before a time, in that order. */
export async function openBefore(
  store: Store,
  { topologyId, before, after, limit }: { topologyId: string; before: Date; after: Place | null; limit: number },
): Promise<OpenRow[]> {
  const later =
    after === null ? sql`` : sql`and (created_at, id) > (${after.at.toISOString()}::timestamptz, ${after.id})`
  const rows = await store.query((db) =>
    db.execute<OpenRow>(sql`
      select ${discardable} from trash where topology_id = ${topologyId} and state = 'open'
        and created_at < ${before.toISOString()}::timestamptz ${later}
      order by created_at, id limit ${limit}`),
  )
  return [...rows]
}

export interface TenantRow extends OpenRow {
  readonly state: string
}

/** Rows of a tenant, of one topology or of all, the oldest first. */
export async function rowsOfTenant(
  store: Store,
  { tenant, topologyId, limit }: { tenant: string; topologyId: string | null; limit: number },
): Promise<TenantRow[]> {
  const rows = await store.query((db) =>
    db.execute<TenantRow>(sql`
      select ${discardable}, state from trash where message ->> 'tenant' = ${tenant}
        and (${topologyId}::text is null or topology_id = ${topologyId})
      order by created_at, id limit ${limit}`),
  )
  return [...rows]
}

/** Deletes rows whatever their state, with their edits and what bulks say of their bodies; answers how many there were. */
export async function deleteRows(inside: Store, ids: readonly string[]): Promise<number> {
  const rows = await inside.query((db) =>
    db.execute(sql`delete from trash where id = any(${sql.param([...ids])}::text[]) returning 1`),
  )
  // After it: a bulk that is just writing one down holds the row until then.
  await inside.query((db) =>
    db.execute(sql`
      update trash_bulk_messages set fault = null
      where fault is not null and trash_id = any(${sql.param([...ids])}::text[])`),
  )
  return rows.length
}

/** Takes the start messages of a tenant's runs away that have ended; answers how many. */
export async function eraseStarts(
  store: Store,
  { tenant, topologyId, limit }: { tenant: string; topologyId: string | null; limit: number },
): Promise<number> {
  const rows = await store.query((db) =>
    db.execute(sql`
      update runs set start_body = null, start_headers = '{}', start_erased_at = now() where id in (
        select id from runs where tenant = ${tenant} and state <> 'running' and start_erased_at is null
          and (${topologyId}::text is null or topology_id = ${topologyId})
        order by started_at, id limit ${limit})
      returning 1`),
  )
  return rows.length
}

export async function runningOfTenant(store: Store, tenant: string, topologyId: string | null): Promise<number> {
  const rows = await store.query((db) =>
    db.execute<{ n: string }>(sql`
      select count(*) as n from runs where tenant = ${tenant} and state = 'running'
        and (${topologyId}::text is null or topology_id = ${topologyId})`),
  )
  return Number(rows[0]?.n ?? 0)
}
