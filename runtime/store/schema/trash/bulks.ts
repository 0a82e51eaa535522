import { sql } from 'drizzle-orm'
import { boolean, doublePrecision, index, integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import type { Patch } from '../../../protocol/patch/patch.ts'
import { instant } from '../columns.ts'
import type { Json } from '../columns.ts'

export const bulkActions = ['replay', 'discard'] as const
export const bulkStates = ['running', 'paused', 'stopped', 'cancelled', 'finished'] as const
/** Of a replay with a canary: a first message, then a few, then ever more at once. */
export const bulkSteps = ['first', 'five', 'ramp', 'all'] as const

/**
 * | outcome       | the message …                                                                |
 * |---------------|------------------------------------------------------------------------------|
 * | `waiting`     | was not sent yet; of a cancelled bulk: never will be                         |
 * | `sending`     | is about to be: whoever goes on after a crash finds out whether it was       |
 * | `underWay`    | was sent, and is followed until it ends                                      |
 * | `done`        | went on well                                                                 |
 * | `failedAgain` | is in Trash again, as the row `againId`                                      |
 * | `refused`     | was not sent: `why`                                                          |
 * | `discarded`   | was given up                                                                 |
 * | `cancelled`   | was sent, and settled as cancelled with its run or its topology              |
 */
export const bulkOutcomes = [
  'waiting',
  'sending',
  'underWay',
  'done',
  'failedAgain',
  'refused',
  'discarded',
  'cancelled',
] as const

/** How many messages the first two steps have. */
export interface Canary {
  readonly first: number
  readonly five: number
}

/** Replays and discards of many messages. Counters are changed in the transaction that changes the messages. */
export const trashBulks = pgTable(
  'trash_bulks',
  {
    id: text('id').primaryKey(),
    /** Null: of several topologies. */
    topologyId: text('topology_id'),
    action: text('action', { enum: bulkActions }).notNull(),
    /** As it was asked for. */
    filter: jsonb('filter').$type<Json>().notNull(),
    patch: jsonb('patch').$type<Patch>(),
    /** Null: none. */
    canary: jsonb('canary').$type<Canary>(),
    /** Null: as fast as the queues take them. */
    ratePerSecond: doublePrecision('rate_per_second'),
    stopAtFailedPercent: integer('stop_at_failed_percent').notNull(),
    /** Of a replay: also what doesn't fit the input schema of its node is sent. */
    acceptWarnings: boolean('accept_warnings').notNull().default(false),
    reason: text('reason'),
    /** Name of the token. */
    by: text('by').notNull(),
    state: text('state', { enum: bulkStates }).notNull().default('running'),
    step: text('step', { enum: bulkSteps }).notNull(),
    /** Of a ramp: how many may be under way at once. */
    window: integer('window').notNull().default(0),
    /** How many had settled (done or failed again) when the step, or the window of the ramp, began. */
    stepBase: integer('step_base').notNull().default(0),
    /** How many were done, and had failed again, when it was begun or resumed last: what counts for stopping comes after that. */
    baseDone: integer('base_done').notNull().default(0),
    baseFailed: integer('base_failed').notNull().default(0),
    /** A letter for each of those that settled last: `d` done, `f` failed again. */
    recent: text('recent').notNull().default(''),
    total: integer('total').notNull().default(0),
    waiting: integer('waiting').notNull().default(0),
    /** With those that are about to be sent. */
    underWay: integer('under_way').notNull().default(0),
    done: integer('done').notNull().default(0),
    failedAgain: integer('failed_again').notNull().default(0),
    refused: integer('refused').notNull().default(0),
    discarded: integer('discarded').notNull().default(0),
    cancelled: integer('cancelled').notNull().default(0),
    stoppedBecause: text('stopped_because'),
    /** Why what is under way doesn't move; null: it does. */
    waitsFor: text('waits_for'),
    /** Sent, refused or discarded, over the last seconds. */
    rateNow: doublePrecision('rate_now').notNull().default(0),
    /** Grows with every change of the state; the ETag. */
    version: integer('version').notNull().default(1),
    /** The control that carries it out, and until when others leave it to that one, by the clock of the database. */
    leaseBy: text('lease_by'),
    leaseUntil: instant('lease_until'),
    createdAt: instant('created_at').notNull().defaultNow(),
    startedAt: instant('started_at'),
    finishedAt: instant('finished_at'),
  },
  (table) => [
    index('trash_bulks_created').on(table.createdAt, table.id),
    index('trash_bulks_topology_created').on(table.topologyId, table.createdAt, table.id),
    index('trash_bulks_unfinished')
      .on(table.createdAt)
      .where(sql`finished_at is null`),
    index('trash_bulks_finished')
      .on(table.finishedAt)
      .where(sql`finished_at is not null`),
  ],
)

/** Where a replayed message is followed from: a hop of it. */
export interface BulkPlace {
  readonly topologyId: string
  readonly nodeId: string
  readonly run: string
  readonly id: string
  readonly page: number
  readonly replay: number
  readonly round: number
  /** Where it lies in the topology's stream; null: not known yet. */
  readonly sequence: number | null
}

/**
 * The set of a bulk, fixed when it is made. Of what messages hold it has at most a fault's path and names. It has no foreign keys: what is erased in Trash
 * meanwhile is refused here, and a million rows are written in seconds.
 */
export const trashBulkMessages = pgTable(
  'trash_bulk_messages',
  {
    bulkId: text('bulk_id').notNull(),
    /** From 1, the oldest message first. */
    position: integer('position').notNull(),
    trashId: text('trash_id').notNull(),
    outcome: text('outcome', { enum: bulkOutcomes }).notNull().default('waiting'),
    /** Of what was refused or cancelled. */
    why: text('why'),
    /** Where the body doesn't fit the input schema, and how: of the message, so not for everybody. Gone when its row in Trash is. */
    fault: text('fault'),
    againId: text('again_id'),
    /** From its claim on. */
    place: jsonb('place').$type<BulkPlace>(),
    sentAt: instant('sent_at'),
    settledAt: instant('settled_at'),
  },
  (table) => [
    primaryKey({ columns: [table.bulkId, table.position] }),
    index('trash_bulk_messages_outcome').on(table.bulkId, table.outcome, table.position),
    index('trash_bulk_messages_fault')
      .on(table.trashId)
      .where(sql`fault is not null`),
  ],
)
