import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  customType,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
} from 'drizzle-orm/pg-core'
import type { FailedCall, Problem } from '../protocol/message.ts'
import type { TrashedMessage } from '../protocol/outcome.ts'
import type { DrawnName } from '../topology/editors/editors.ts'
import type { Plan, RetryPolicy } from '../topology/plan.ts'

/**
 * The tables. Ids are texts that the engine makes itself. Runs and Trash carry no foreign key to topologies: their
 * history outlives a deleted topology, and the recorder must never be stopped by one.
 */

const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => 'bytea' })

/** Milliseconds, like JavaScript's dates: so that a time read back and compared (paging) is exactly the stored one. */
const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: 'date' })

type Json = Readonly<Record<string, unknown>>
type Headers = Readonly<Record<string, string>>

export const topologies = pgTable('topologies', {
  id: text('id').primaryKey(),
  name: text('name').notNull().unique(),
  description: text('description'),
  labels: jsonb('labels').$type<Headers>().notNull().default({}),
  /** The draft. */
  document: jsonb('document').$type<Json>().notNull(),
  visibility: text('visibility', { enum: ['draft', 'public'] })
    .notNull()
    .default('draft'),
  enabled: boolean('enabled').notNull().default(true),
  paused: boolean('paused').notNull().default(false),
  /** Who paused it; null while it isn't. */
  pausedReason: text('paused_reason'),
  /** A stored node value was changed that the bridges don't have yet. */
  bridgeOutOfSync: boolean('bridge_out_of_sync').notNull().default(false),
  /** The newest revision ever published; 0 for none. */
  revision: integer('revision').notNull().default(0),
  /** Grows with every change; the ETag. */
  version: integer('version').notNull().default(1),
  createdAt: instant('created_at').notNull().defaultNow(),
  updatedAt: instant('updated_at').notNull().defaultNow(),
})

const onFailKinds = ['skip', 'block'] as const

/** Values of one node that its document names. */
export type DrawnValues = Partial<{
  readonly prefetch: number
  readonly timeoutMs: number
  readonly retry: Partial<RetryPolicy>
  readonly inPlaceMaxMs: number
  readonly onFail: (typeof onFailKinds)[number]
  readonly cron: string
}>

/** The nodes of the draft and their stored values; null means the default. Matched by name on a save, so that ids stay. */
export const nodes = pgTable(
  'nodes',
  {
    id: text('id').primaryKey(),
    topologyId: text('topology_id')
      .notNull()
      .references(() => topologies.id, { onDelete: 'cascade' }),
    name: text('name').notNull(),
    type: text('type').notNull(),
    /** Place in the document. */
    ordinal: integer('ordinal').notNull(),
    /** False for a node that left the draft and is still in the published plan, or may come back with its id. */
    inDraft: boolean('in_draft').notNull().default(true),
    enabled: boolean('enabled').notNull().default(true),
    prefetch: integer('prefetch'),
    timeoutMs: integer('timeout_ms'),
    retry: jsonb('retry').$type<Partial<RetryPolicy>>(),
    inPlaceMaxMs: integer('in_place_max_ms'),
    onFail: text('on_fail', { enum: onFailKinds }),
    cron: text('cron'),
    /** The values above as the document said them when it was saved last: what a value goes back to when it is reset. */
    drawn: jsonb('drawn').$type<DrawnValues>().notNull().default({}),
    version: integer('version').notNull().default(1),
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  (table) => [uniqueIndex('nodes_topology_name').on(table.topologyId, table.name)],
)

/** The documents that older editors put last: what only these editors know of a draft, such as where its nodes are drawn. */
export const drawings = pgTable('drawings', {
  topologyId: text('topology_id')
    .primaryKey()
    .references(() => topologies.id, { onDelete: 'cascade' }),
  kind: text('kind', { enum: ['bpmn', 'json'] }).notNull(),
  /** XML, or JSON as text. */
  source: text('source').notNull(),
  /** Which of its nodes is which node of the draft. */
  names: jsonb('names').$type<readonly DrawnName[]>().notNull(),
  updatedAt: instant('updated_at').notNull().defaultNow(),
})

/** `drained`: by the engine itself, when a node that leaves is empty. */
export const revisionKinds = ['publish', 'republish', 'rollback', 'drained'] as const

export const revisions = pgTable(
  'revisions',
  {
    topologyId: text('topology_id')
      .notNull()
      .references(() => topologies.id, { onDelete: 'cascade' }),
    revision: integer('revision').notNull(),
    kind: text('kind', { enum: revisionKinds }).notNull(),
    plan: jsonb('plan').$type<Plan>().notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.topologyId, table.revision] })],
)

export const workers = pgTable('workers', {
  name: text('name').primaryKey(),
  urls: jsonb('urls').$type<readonly string[]>().notNull(),
  dialect: text('dialect', { enum: ['native', 'orchesty'] })
    .notNull()
    .default('native'),
  /** Encrypted, see secrets.ts. */
  secret: text('secret'),
  timeoutMs: integer('timeout_ms'),
  manifest: jsonb('manifest').$type<Json>(),
  manifestReadAt: instant('manifest_read_at'),
  version: integer('version').notNull().default(1),
  createdAt: instant('created_at').notNull().defaultNow(),
  updatedAt: instant('updated_at').notNull().defaultNow(),
})

export interface ServiceLimit {
  readonly rate: number
  /** `second`, `minute`, `hour` or `day`. */
  readonly per: string
  readonly burst?: number | undefined
  readonly scope?: 'global' | 'tenant' | undefined
}

export const services = pgTable('services', {
  name: text('name').primaryKey(),
  limits: jsonb('limits').$type<readonly ServiceLimit[]>().notNull().default([]),
  maxInFlight: integer('max_in_flight'),
  version: integer('version').notNull().default(1),
  createdAt: instant('created_at').notNull().defaultNow(),
  updatedAt: instant('updated_at').notNull().defaultNow(),
})

export const runStates = ['running', 'finished', 'failed', 'cancelled'] as const

export const runs = pgTable(
  'runs',
  {
    id: text('id').primaryKey(),
    topologyId: text('topology_id').notNull(),
    topologyName: text('topology_name').notNull(),
    nodeId: text('node_id').notNull(),
    nodeName: text('node_name').notNull(),
    tenant: text('tenant'),
    state: text('state', { enum: runStates }).notNull().default('running'),
    /** False for a row made by an outcome whose start the recorder hasn't seen; see outcomes.ts. */
    startSeen: boolean('start_seen').notNull(),
    startedAt: instant('started_at').notNull(),
    finishedAt: instant('finished_at'),
    /** When somebody last asked to cancel it. */
    cancelRequestedAt: instant('cancel_requested_at'),
    revision: integer('revision'),
    done: bigint('done', { mode: 'number' }).notNull().default(0),
    failed: bigint('failed', { mode: 'number' }).notNull().default(0),
    discarded: bigint('discarded', { mode: 'number' }).notNull().default(0),
    cancelled: bigint('cancelled', { mode: 'number' }).notNull().default(0),
    inProgress: bigint('in_progress', { mode: 'number' }).notNull().default(0),
    startHeaders: jsonb('start_headers').$type<Headers>().notNull().default({}),
    startContentType: text('start_content_type'),
    startBody: bytea('start_body'),
  },
  (table) => [
    index('runs_started').on(table.startedAt, table.id),
    index('runs_topology_started').on(table.topologyId, table.startedAt, table.id),
    index('runs_state_started').on(table.state, table.startedAt, table.id),
    index('runs_tenant_started').on(table.tenant, table.startedAt, table.id),
    index('runs_node_name_started').on(table.nodeName, table.startedAt, table.id),
  ],
)

export const trashStates = ['open', 'replayed', 'discarded'] as const

export const trash = pgTable(
  'trash',
  {
    id: text('id').primaryKey(),
    topologyId: text('topology_id').notNull(),
    topologyName: text('topology_name').notNull(),
    nodeId: text('node_id').notNull(),
    nodeName: text('node_name').notNull(),
    revision: integer('revision').notNull(),
    runId: text('run_id').notNull(),
    messageId: text('message_id').notNull(),
    attempts: jsonb('attempts').$type<readonly FailedCall[]>().notNull(),
    error: jsonb('error').$type<Problem>().notNull(),
    fingerprint: text('fingerprint').notNull(),
    /** The message as it failed; edits are kept beside it, in trash_versions. */
    message: jsonb('message').$type<TrashedMessage>().notNull(),
    headers: jsonb('headers').$type<Headers>().notNull(),
    contentType: text('content_type').notNull(),
    body: bytea('body').notNull(),
    state: text('state', { enum: trashStates }).notNull().default('open'),
    reason: text('reason'),
    createdAt: instant('created_at').notNull(),
    settledAt: instant('settled_at'),
  },
  (table) => [
    index('trash_created').on(table.createdAt, table.id),
    index('trash_topology_created').on(table.topologyId, table.createdAt, table.id),
    index('trash_node_created').on(table.nodeId, table.createdAt, table.id),
    index('trash_run_created').on(table.runId, table.createdAt, table.id),
    index('trash_fingerprint_created').on(table.fingerprint, table.createdAt, table.id),
    index('trash_open_groups')
      .on(table.topologyId, table.fingerprint, table.createdAt)
      .where(sql`state = 'open'`),
    index('trash_open_created')
      .on(table.createdAt, table.id)
      .where(sql`state = 'open'`),
  ],
)

export const trashVersions = pgTable(
  'trash_versions',
  {
    trashId: text('trash_id')
      .notNull()
      .references(() => trash.id, { onDelete: 'cascade' }),
    /** 1 for the first edit; the original is the Trash row itself. */
    version: integer('version').notNull(),
    headers: jsonb('headers').$type<Headers>().notNull(),
    contentType: text('content_type').notNull(),
    body: bytea('body').notNull(),
    reason: text('reason'),
    /** Name of the token that edited. */
    by: text('by').notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.trashId, table.version] })],
)

export const cursors = pgTable(
  'cursors',
  {
    topologyId: text('topology_id').notNull(),
    nodeId: text('node_id').notNull(),
    runId: text('run_id').notNull(),
    tenant: text('tenant'),
    /** The newest page that was read, its cursor, and the cursor of the next one (null after the last page). */
    page: integer('page').notNull(),
    cursor: text('cursor'),
    next: text('next'),
    /** Proposed by that page. */
    watermark: text('watermark'),
    updatedAt: instant('updated_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.topologyId, table.nodeId, table.runId] }),
    index('cursors_run').on(table.runId),
  ],
)

export const tokens = pgTable('tokens', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  /** SHA-256 of the token, hex. The token itself is shown once and never kept. */
  hash: text('hash').notNull().unique(),
  scopes: jsonb('scopes').$type<readonly string[]>().notNull(),
  /** Null: good for every topology. */
  topologyId: text('topology_id').references(() => topologies.id, { onDelete: 'cascade' }),
  expiresAt: instant('expires_at'),
  lastUsedAt: instant('last_used_at'),
  createdAt: instant('created_at').notNull().defaultNow(),
})

/** Logins of browsers. */
export const sessions = pgTable(
  'sessions',
  {
    id: text('id').primaryKey(),
    /** Of the cookie, hex; see queries/sessions.ts. The cookie itself is never kept. */
    hash: text('hash').notNull().unique(),
    /** Null: the admin token of the options. */
    tokenId: text('token_id').references(() => tokens.id, { onDelete: 'cascade' }),
    createdAt: instant('created_at').notNull().defaultNow(),
    lastUsedAt: instant('last_used_at').notNull().defaultNow(),
    /** However much it is used. */
    expiresAt: instant('expires_at').notNull(),
  },
  (table) => [index('sessions_token').on(table.tokenId), index('sessions_expires').on(table.expiresAt)],
)

export const auditKinds = ['topology', 'node', 'run', 'trash', 'worker', 'service', 'token', 'session'] as const

/** Every change over the API; a trigger of the database keeps rows as they were written. What they name may be gone. */
export const audit = pgTable(
  'audit',
  {
    id: text('id').primaryKey(),
    at: instant('at').notNull().defaultNow(),
    /** Name of the token. */
    who: text('who').notNull(),
    /** Null: the admin token of the options. */
    tokenId: text('token_id'),
    /** Null: the token itself was sent. */
    sessionId: text('session_id'),
    /** Where the request came from; null: not known. */
    address: text('address'),
    /** The API's operation. */
    action: text('action').notNull(),
    method: text('method').notNull(),
    path: text('path').notNull(),
    topologyId: text('topology_id'),
    kind: text('kind', { enum: auditKinds }).notNull(),
    targetId: text('target_id').notNull(),
    targetName: text('target_name'),
    /** What differs, redacted; null: there was nothing before, there is nothing after. */
    before: jsonb('before').$type<Json>(),
    after: jsonb('after').$type<Json>(),
  },
  (table) => [
    index('audit_at').on(table.at, table.id),
    index('audit_topology_at').on(table.topologyId, table.at, table.id),
    index('audit_who_at').on(table.who, table.at, table.id),
    index('audit_action_at').on(table.action, table.at, table.id),
  ],
)

/** How far the recorder has applied a topology's stream: the fence of I6. */
export const recorderPositions = pgTable('recorder_positions', {
  topologyId: text('topology_id').primaryKey(),
  /** When the stream was created; another value means that it was made anew and its sequence starts over. */
  epoch: text('epoch').notNull(),
  position: bigint('position', { mode: 'number' }).notNull(),
})
