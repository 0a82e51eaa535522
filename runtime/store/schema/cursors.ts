import { sql } from 'drizzle-orm'
import { bigint, boolean, index, integer, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { instant } from './columns.ts'

/** A reading: the pages that a batch node reads for one message, and where it is. Its key is `id`. */
export const cursors = pgTable(
  'cursors',
  {
    topologyId: text('topology_id').notNull(),
    nodeId: text('node_id').notNull(),
    runId: text('run_id').notNull(),
    /** The reading, see protocol/reading.ts; the bridges know its edits by it. */
    id: text('id')
      .notNull()
      .default(sql`gen_random_uuid()::text`),
    messageId: text('message_id').notNull().default(''),
    tenant: text('tenant'),
    /** The newest page that was read (0 when none was, since the first one failed), its cursor, and the cursor of the next one (null after the last page). */
    page: integer('page').notNull(),
    cursor: text('cursor'),
    next: text('next'),
    /** Its last page is read. */
    isEnded: boolean('is_ended').notNull().default(false),
    /** For people. */
    progress: text('progress'),
    /** Proposed last. */
    watermark: text('watermark'),
    /** With what it began; null: with none, and `epoch` null: the node had no watermark. */
    since: text('since'),
    epoch: integer('epoch'),
    /** When what it proposes is committed; null: never. */
    commit: text('commit', { enum: ['drained', 'clean'] }),
    reconcile: boolean('reconcile').notNull().default(false),
    /** Number of the newest edit by a person; 0: none. */
    edit: integer('edit').notNull().default(0),
    editedCursor: text('edited_cursor'),
    editedBy: text('edited_by'),
    editedAt: instant('edited_at'),
    /** The newest edit that bridges are told of, and the newest that a page was asked for with. */
    editTold: integer('edit_told').notNull().default(0),
    editTaken: integer('edit_taken').notNull().default(0),
    startedAt: instant('started_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull(),
  },
  (table) => [
    uniqueIndex('cursors_id').on(table.id),
    index('cursors_run').on(table.runId),
    index('cursors_started').on(table.startedAt, table.id),
    index('cursors_topology_started').on(table.topologyId, table.startedAt, table.id),
    index('cursors_open')
      .on(table.startedAt, table.id)
      .where(sql`not is_ended`),
    index('cursors_untold')
      .on(table.id)
      .where(sql`edit_told < edit`),
  ],
)

export const cursorDeeds = ['read', 'edited', 'rewound', 'reset'] as const

/** What became of a cursor: a row for each page, and for each edit after the page that was the newest then. */
export const cursorHistory = pgTable(
  'cursor_history',
  {
    cursorId: text('cursor_id').notNull(),
    page: integer('page').notNull(),
    /** Number of the edit; 0: the page was read. */
    edit: integer('edit').notNull(),
    deed: text('deed', { enum: cursorDeeds }).notNull(),
    /** With which the page was asked for, or the next one shall be. */
    cursor: text('cursor'),
    next: text('next'),
    progress: text('progress'),
    by: text('by'),
    reason: text('reason'),
    at: instant('at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.cursorId, table.page, table.edit] })],
)

/** How far a node has read for a tenant over all runs. */
export const watermarks = pgTable(
  'watermarks',
  {
    /** See protocol/reading.ts. */
    id: text('id').primaryKey(),
    topologyId: text('topology_id').notNull(),
    nodeId: text('node_id').notNull(),
    tenant: text('tenant'),
    /** Null: the next run reads everything. */
    watermark: text('watermark'),
    /** How often a person has set it: what runs propose that began before isn't committed. */
    epoch: integer('epoch').notNull().default(0),
    /** Grows with each change; `told`: the newest that bridges can see. */
    version: bigint('version', { mode: 'number' }).notNull().default(0),
    told: bigint('told', { mode: 'number' }).notNull().default(0),
    /** The run whose proposal it is, and when that began: a run that began before commits nothing. Null: a person set it. */
    runId: text('run_id'),
    runStartedAt: instant('run_started_at'),
    by: text('by'),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  (table) => [
    index('watermarks_topology').on(table.topologyId, table.id),
    index('watermarks_untold')
      .on(table.id)
      .where(sql`told < version`),
  ],
)

export const watermarkDeeds = ['committed', 'set', 'reset'] as const

export const watermarkHistory = pgTable(
  'watermark_history',
  {
    watermarkId: text('watermark_id').notNull(),
    version: bigint('version', { mode: 'number' }).notNull(),
    deed: text('deed', { enum: watermarkDeeds }).notNull(),
    watermark: text('watermark'),
    runId: text('run_id'),
    by: text('by'),
    reason: text('reason'),
    at: instant('at').notNull().defaultNow(),
  },
  (table) => [primaryKey({ columns: [table.watermarkId, table.version] })],
)
