import { bigint, index, jsonb, pgTable, text } from 'drizzle-orm/pg-core'
import { missedKinds, overlapKinds } from '../../topology/schedule/schema.ts'
import type { FiringMessage } from '../../topology/schedule/schema.ts'
import { instant } from './columns.ts'
import { topologies } from './topologies.ts'

/**
 * What decides when the runs of an event node begin: a row for each cron node, and for each start node whose runs must not overlap.
 * Who starts a run of such a node holds the lock of its row.
 */
export const gates = pgTable(
  'gates',
  {
    nodeId: text('node_id').primaryKey(),
    topologyId: text('topology_id')
      .notNull()
      .references(() => topologies.id, { onDelete: 'cascade' }),
    /** The schedule in force; null: none is. */
    cron: text('cron'),
    timezone: text('timezone'),
    /** What goes with it; of start nodes only `overlap`. */
    overlap: text('overlap', { enum: overlapKinds }).notNull().default('allow'),
    missed: text('missed', { enum: missedKinds }).notNull().default('once'),
    message: jsonb('message').$type<FiringMessage>(),
    /** Since when it is in force: `@every` counts from there. */
    anchorAt: instant('anchor_at'),
    /** The first instant of which nothing was decided yet; null: there is none. */
    nextAt: instant('next_at'),
    /** Instant and run of the firing that began last. */
    lastAt: instant('last_at'),
    lastRunId: text('last_run_id'),
    /** Instant of the firing that was skipped last, why, and for which run. */
    skippedAt: instant('skipped_at'),
    skippedReason: text('skipped_reason'),
    skippedRunId: text('skipped_run_id'),
    /** Firings that were skipped, ever. */
    skipped: bigint('skipped', { mode: 'number' }).notNull().default(0),
    /** The last place in the line of queued runs that was given away. */
    line: bigint('line', { mode: 'number' }).notNull().default(0),
  },
  (table) => [index('gates_next').on(table.nextAt), index('gates_topology').on(table.topologyId)],
)
