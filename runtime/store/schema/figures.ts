import { index, integer, pgTable, primaryKey, real, text } from 'drizzle-orm/pg-core'
import { instant } from './columns.ts'

/** Seconds between two looks: the last quarter of an hour closely, the last day by the minute. */
export const figureSteps = { close: 10, wide: 60 } as const

/**
 * What nodes did, look by look. A node that did nothing has no row: it had zeros, if there is the row of the look itself. Where that
 * lacks, nobody looked.
 */
export const nodeFigures = pgTable(
  'node_figures',
  {
    /** Empty: the look itself. */
    nodeId: text('node_id').notNull(),
    stepSeconds: integer('step_seconds').notNull(),
    /** A whole number of steps since 1970. */
    at: instant('at').notNull(),
    /** Messages before it that no bridge holds; of a minute the most. */
    waiting: integer('waiting').notNull(),
    inFlight: integer('in_flight').notNull(),
    /** Settled; of a minute the mean. */
    perSecond: real('per_second').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.nodeId, table.stepSeconds, table.at] }),
    index('node_figures_at').on(table.stepSeconds, table.at),
  ],
)
