import { sql } from 'drizzle-orm'
import { bigint, index, integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import type { FailedCall, Problem } from '../../../protocol/message.ts'
import type { TrashedMessage } from '../../../protocol/outcome.ts'
import { bytea, instant } from '../columns.ts'
import type { Headers } from '../columns.ts'

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
    index('trash_fingerprint_state_created').on(table.fingerprint, table.state, table.createdAt, table.id),
    index('trash_open_created')
      .on(table.createdAt, table.id)
      .where(sql`state = 'open'`),
    // Of the message. A column that is made of it would rewrite the whole table when an engine is upgraded.
    index('trash_tenant_created')
      .on(sql`(message ->> 'tenant')`, table.createdAt, table.id)
      .where(sql`(message ->> 'tenant') is not null`),
    // What of a topology is old enough to go.
    index('trash_topology_settled')
      .on(table.topologyId, table.settledAt, table.id)
      .where(sql`state <> 'open'`),
  ],
)

/**
 * How many Trash rows there are of each kind of failure, by state. Triggers on `trash` keep it, in the transaction that writes there,
 * so it is exact whoever writes; they are in the migration that made it. When rows were seen first and last, and the newest one,
 * are looked up by `trash_fingerprint_state_created`: what a row leaves is then never to be mended here.
 *
 * Each statement changes its groups in the order of the key, and a transaction that makes several such statements first locks the
 * topology's row of `recorder_positions`, as the recorder does: so nobody waits for another in a circle.
 */
export const trashGroups = pgTable(
  'trash_groups',
  {
    topologyId: text('topology_id').notNull(),
    nodeId: text('node_id').notNull(),
    fingerprint: text('fingerprint').notNull(),
    open: bigint('open', { mode: 'number' }).notNull(),
    replayed: bigint('replayed', { mode: 'number' }).notNull(),
    discarded: bigint('discarded', { mode: 'number' }).notNull(),
    total: bigint('total', { mode: 'number' }).generatedAlwaysAs(sql`open + replayed + discarded`),
  },
  (table) => [
    primaryKey({ columns: [table.topologyId, table.nodeId, table.fingerprint] }),
    index('trash_groups_node').on(table.nodeId),
    index('trash_groups_fingerprint').on(table.fingerprint),
    index('trash_groups_total').on(table.total),
    index('trash_groups_open')
      .on(table.open)
      .where(sql`open > 0`),
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
