import { sql } from 'drizzle-orm'
import type { Trashed } from '../../protocol/outcome.ts'
import { column } from '../columns.ts'
import { fingerprint } from '../fingerprint.ts'
import { lockPosition } from '../outcomes.ts'
import type { TrashVersion } from '../queries/trash.ts'
import type { Database, Store } from '../store.ts'
import { storableJson } from '../text.ts'

/** A message that comes from elsewhere, as the recorder would have read it, with its edits. */
export interface Imported {
  readonly trashed: Trashed
  readonly versions: readonly Omit<TrashVersion, 'trashId'>[]
}

/** The run of an import: all that it brings belongs to it. */
export interface ImportRun {
  readonly id: string
  readonly topologyId: string
  readonly topologyName: string
}

/** In place of a node's name. */
const importName = '(import)'

/**
 * Writes rows with their edits and counts them in the run of the import, in one transaction: a row is there whole and counted, or not
 * at all (I6). Those whose id is there already change nothing. Answers the ids of those that are new.
 */
export async function insertImported(store: Store, run: ImportRun, rows: readonly Imported[]): Promise<Set<string>> {
  return store.transaction(async (inside) => {
    // What is sent again is mostly there: it keeps nobody out, and costs a look only.
    const known = await inside.query((db) => knownOf(db, rows))
    const unknown = rows.filter(({ trashed }) => !known.has(trashed.trashId))
    if (unknown.length === 0) return new Set()
    await lockPosition(inside, run.topologyId)
    return inside.query(async (db) => {
      const fresh = await insertRows(db, run, unknown)
      if (fresh.size === 0) return fresh
      const isFresh = ({ trashed }: Imported): boolean => fresh.has(trashed.trashId)
      await insertVersions(db, rows.filter(isFresh))
      await countThem(db, run, fresh.size)
      return fresh
    })
  })
}

async function knownOf(db: Database, rows: readonly Imported[]): Promise<Set<string>> {
  const ids = column(rows, ({ trashed }) => trashed.trashId)
  const found = await db.execute<{ id: string }>(sql`select id from trash where id = any(${ids})`)
  return new Set(found.map(({ id }) => id))
}

async function insertRows(db: Database, run: ImportRun, imported: readonly Imported[]): Promise<Set<string>> {
  const rows = imported.map(({ trashed }) => trashed)
  const found = await db.execute<{ id: string }>(sql`
    insert into trash as r (id, topology_id, topology_name, node_id, node_name, revision, run_id, message_id, attempts,
      error, fingerprint, message, headers, content_type, body, created_at)
    select s.id, ${run.topologyId}, ${run.topologyName}, s.node, coalesce(n.name, s.node), s.revision, ${run.id},
      s.message_id, s.attempts::jsonb, s.error::jsonb, s.fingerprint, s.message::jsonb, s.headers::jsonb, s.type,
      decode(s.body, 'base64'), s.at
    from unnest(
      ${column(rows, (row) => row.trashId)},
      ${column(rows, (row) => row.nodeId)},
      ${column(rows, (row) => row.revision, 'int')},
      ${column(rows, (row) => row.message.id)},
      ${column(rows, (row) => storableJson(row.attempts))},
      ${column(rows, (row) => storableJson(row.error))},
      ${column(rows, (row) => fingerprint(row.nodeId, row.error))},
      ${column(rows, (row) => storableJson(row.message))},
      ${column(rows, (row) => storableJson(row.message.headers))},
      ${column(rows, (row) => row.message.contentType)},
      ${column(rows, ({ body }) => base64(body))},
      ${column(rows, (row) => row.at, 'timestamptz')}
    ) as s(id, node, revision, message_id, attempts, error, fingerprint, message, headers, type, body, at)
    left join nodes n on n.id = s.node
    on conflict (id) do nothing
    returning r.id`)
  return new Set(found.map(({ id }) => id))
}

const base64 = (body: Uint8Array): string => Buffer.from(body).toString('base64')

async function insertVersions(db: Database, imported: readonly Imported[]): Promise<void> {
  const rows = imported.flatMap(({ trashed, versions }) =>
    versions.map((version) => ({ id: trashed.trashId, version })),
  )
  if (rows.length === 0) return
  await db.execute(sql`
    insert into trash_versions (trash_id, version, headers, content_type, body, reason, by, created_at)
    select s.id, s.version, s.headers::jsonb, s.type, decode(s.body, 'base64'), s.reason, s.by, s.at
    from unnest(
      ${column(rows, ({ id }) => id)},
      ${column(rows, ({ version }) => version.version, 'int')},
      ${column(rows, ({ version }) => storableJson(version.headers))},
      ${column(rows, ({ version }) => version.contentType)},
      ${column(rows, ({ version }) => base64(version.body))},
      ${column(rows, ({ version }) => version.reason)},
      ${column(rows, ({ version }) => version.by)},
      ${column(rows, ({ version }) => version.createdAt.toISOString(), 'timestamptz')}
    ) as s(id, version, headers, type, body, reason, by, at)`)
}

/** Makes the run with its first row. One that finished while more came is failed again. */
async function countThem(db: Database, { id, topologyId, topologyName }: ImportRun, count: number): Promise<void> {
  await db.execute(sql`
    insert into runs as r (id, topology_id, topology_name, node_id, node_name, start_seen, state, started_at, finished_at, failed)
    values (${id}, ${topologyId}, ${topologyName}, '', ${importName}, true, 'failed', now(), now(), ${count})
    on conflict (id) do update set failed = r.failed + excluded.failed,
      state = case r.state when 'finished' then 'failed' else r.state end`)
}
