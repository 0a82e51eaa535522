import { sql } from 'drizzle-orm'
import { bigint, index, integer, json, pgTable, text } from 'drizzle-orm/pg-core'
import { instant } from './columns.ts'

export const passed = [
  'started',
  'forwarded',
  'done',
  'split',
  'made',
  'failed',
  'replayed',
  'discarded',
  'cancelled',
  'calls',
  'queuedMs',
  'calledMs',
  'limitMs',
  'retryMs',
  'otherMs',
] as const

/** What happened at one node in a run, in sum; what is 0 is left out. */
export interface StoredMilestone extends Partial<Record<(typeof passed)[number], number>> {
  /** Of the node, when the recorder first saw it. */
  readonly name: string
  /** Milliseconds since 1970: when the first and the last of it happened. */
  readonly first: number
  readonly last: number
}

/**
 * What is known of a run when the history of its queues is over: a row for each run, not for each message, so that a run of one
 * message costs one more row and one of a million none more.
 */
export const runMilestones = pgTable('run_milestones', {
  runId: text('run_id').primaryKey(),
  /** By node id. As text: it is only ever read whole, and jsonb takes twice as long to write. */
  nodes: json('nodes').$type<Readonly<Record<string, StoredMilestone>>>().notNull(),
})

export const rerunStates = ['open', 'done'] as const

/** Runs that were made from another one. Open until everything that they begin with is in the queues. */
export const reruns = pgTable(
  'reruns',
  {
    /** Of the new run. */
    runId: text('run_id').primaryKey(),
    rerunOf: text('rerun_of').notNull(),
    topologyId: text('topology_id').notNull(),
    nodeId: text('node_id').notNull(),
    /** Makes the start's place in the queue; see `ownKey`. Null: it begins with recorded messages. */
    key: text('key'),
    /** The set that is fixed when it is made: places of the messages in the topology's stream, in order. Null: it begins with a start. */
    sequences: bigint('sequences', { mode: 'number' }).array(),
    /** Of the stream whose places these are. */
    epoch: text('epoch'),
    revision: integer('revision').notNull(),
    state: text('state', { enum: rerunStates }).notNull().default('open'),
    /** Name of the token. */
    by: text('by').notNull(),
    createdAt: instant('created_at').notNull().defaultNow(),
    /** When somebody last began to finish it: one that fails again and again keeps no other one waiting. */
    triedAt: instant('tried_at').notNull().defaultNow(),
  },
  (table) => [
    index('reruns_of').on(table.rerunOf, table.createdAt),
    index('reruns_open')
      .on(table.triedAt)
      .where(sql`state = 'open'`),
  ],
)
