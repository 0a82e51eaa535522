import { sql } from 'drizzle-orm'
import { bigint, boolean, index, integer, jsonb, pgTable, text } from 'drizzle-orm/pg-core'
import type { Intake } from '../../protocol/intake.ts'
import { bytea, instant } from './columns.ts'
import type { Headers } from './columns.ts'

/**
 * Where the start of a run is that was written down here before it went into the node's queue: `queued` behind other runs, `unsent`
 * while it is to be put into the queue, `sent` when it is there. `receiving`: its body comes in in chunks, of which none is in the queue yet;
 * whoever takes it in renews `start_state_at`, and drops the row when nothing comes of it. Null when the recorder has seen it there.
 */
export const startStates = ['queued', 'unsent', 'sent', 'receiving'] as const

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
    /** When its start message was erased with all that its tenant had here; null: it wasn't. */
    startErasedAt: instant('start_erased_at'),
    /** Of a start that is split into records while it comes in; it has no body. */
    intake: jsonb('intake').$type<Intake>(),
    startTrace: text('start_trace'),
    /** It was asked to read everything again. */
    startReconcile: boolean('start_reconcile').notNull().default(false),
    /** Of a cron node's firing: its instant. */
    scheduledAt: instant('scheduled_at'),
    startState: text('start_state', { enum: startStates }),
    /** Since when it is in that state. */
    startStateAt: instant('start_state_at'),
    /** Place in the line of its node, while it is queued. */
    line: bigint('line', { mode: 'number' }),
  },
  (table) => [
    index('runs_started').on(table.startedAt, table.id),
    index('runs_topology_started').on(table.topologyId, table.startedAt, table.id),
    index('runs_state_started').on(table.state, table.startedAt, table.id),
    index('runs_tenant_started').on(table.tenant, table.startedAt, table.id),
    index('runs_node_name_started').on(table.nodeName, table.startedAt, table.id),
    index('runs_node_running')
      .on(table.nodeId)
      .where(sql`state = 'running'`),
    index('runs_start_state')
      .on(table.startState, table.startStateAt)
      .where(sql`start_state is not null`),
  ],
)

/** How far the recorder has applied a topology's stream: the fence of I6. */
export const recorderPositions = pgTable('recorder_positions', {
  topologyId: text('topology_id').primaryKey(),
  /** When the stream was created; another value means that it was made anew and its sequence starts over. */
  epoch: text('epoch').notNull(),
  position: bigint('position', { mode: 'number' }).notNull(),
})
