import { boolean, index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core'
import type { DrawnName } from '../../topology/editors/editors.ts'
import type { Overlap, Plan, RetryPolicy, Schedule } from '../../topology/plan.ts'
import { missedKinds, overlapKinds } from '../../topology/schedule/schema.ts'
import { instant } from './columns.ts'
import type { Headers, Json } from './columns.ts'

export const topologies = pgTable(
  'topologies',
  {
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
    /** Days that its runs are kept when they have ended; 0 for ever, null as the engine is told to. */
    runsKeepDays: integer('runs_keep_days'),
    /** Days that settled Trash is kept; 0 for ever, null as the engine is told to. */
    trashKeepDays: integer('trash_keep_days'),
    /** Days after which what is still open in Trash is discarded; null: never. */
    trashOpenDays: integer('trash_open_days'),
    /** The newest revision ever published; 0 for none. */
    revision: integer('revision').notNull().default(0),
    /** Grows with every change; the ETag. */
    version: integer('version').notNull().default(1),
    createdAt: instant('created_at').notNull().defaultNow(),
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  (table) => [
    // What they are counted by.
    index('topologies_states').on(table.visibility, table.enabled, table.paused, table.bridgeOutOfSync),
  ],
)

const onFailKinds = ['skip', 'block'] as const

/** Values of one node that its document names. */
export type DrawnValues = Partial<{
  readonly prefetch: number
  readonly timeoutMs: number
  readonly retry: Partial<RetryPolicy>
  readonly inPlaceMaxMs: number
  readonly onFail: (typeof onFailKinds)[number]
  readonly cron: string
  readonly timezone: string
  readonly overlap: Overlap
  readonly missed: Schedule['missed']
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
    timezone: text('timezone'),
    overlap: text('overlap', { enum: overlapKinds }),
    missed: text('missed', { enum: missedKinds }),
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
