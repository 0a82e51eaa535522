import { z } from '@hono/zod-openapi'
import { isKeepDays, keepDaysForms } from '../../options.ts'
import { documentJsonSchema, retrySchema } from '../../topology/schema.ts'
import { nodeTypes } from '../../topology/plan.ts'
import { missedKinds, overlapKinds } from '../../topology/schedule/schema.ts'
import { pageOf } from '../input/paging.ts'
import { revisionKinds } from '../../store/schema/index.ts'
import { breakerStates, labels, text, time } from './common.ts'

// A document inside of an OpenAPI document has the dialect of the latter.
const { $schema: _, ...documentSchema } = documentJsonSchema()

/** Read by `readDocument`, which says more of what is wrong than a schema can. */
export const topologyDocument = z
  .record(z.string(), z.unknown())
  .openapi('TopologyDocument', { ...documentSchema, description: 'A topology as people write it' })

export const topology = z
  .object({
    id: z.string(),
    name: z.string(),
    description: z.string().nullable(),
    labels: z.record(z.string(), z.string()),
    visibility: z.enum(['draft', 'public']),
    enabled: z.boolean().openapi({ description: 'Whether starts are accepted; what is queued is finished either way' }),
    paused: z.boolean().openapi({ description: 'Whether all its nodes rest; messages stay queued' }),
    pausedReason: z.string().nullable().openapi({ description: 'Who paused it; null while it is not' }),
    bridgeOutOfSync: z.boolean().openapi({ description: 'A stored node value waits for a republish' }),
    revision: z.int().openapi({ description: 'The newest revision that was published; 0 for none' }),
    runsKeepDays: z.int().nullable().openapi({
      description: 'Days that its runs are kept when they have ended; 0: for ever, null: as the engine is told to',
    }),
    trashKeepDays: z.int().nullable().openapi({
      description:
        'Days that its Trash is kept once it is settled; 0: as long as its run, null: as the engine is told to',
    }),
    trashOpenDays: z.int().nullable().openapi({
      description: 'Days after which what is still open in its Trash is discarded; null: never',
    }),
    document: topologyDocument,
    createdAt: time,
    updatedAt: time,
  })
  .openapi('Topology')

export const topologyPage = pageOf('Topology', topology)

export const topologyPatch = z
  .strictObject({
    enabled: z.boolean().optional(),
    paused: z.boolean().optional(),
    description: text(4096).nullable().optional(),
    labels: labels.optional(),
    runsKeepDays: z
      .int()
      .min(0)
      .max(36_500)
      .refine(isKeepDays, keepDaysForms)
      .nullable()
      .optional()
      .openapi({ description: 'At least 3, or 0 for ever; null: as the engine is told to' }),
    trashKeepDays: z
      .int()
      .min(0)
      .max(36_500)
      .nullable()
      .optional()
      .openapi({ description: 'Of settled Trash; 0: as long as its run, null: as the engine is told to' }),
    trashOpenDays: z
      .int()
      .min(1)
      .max(36_500)
      .nullable()
      .optional()
      .openapi({ description: 'What is open for longer is discarded; null: never' }),
  })
  .openapi('TopologyPatch')

// Made anew here: `openapi` is there only on schemas that are made after @hono/zod-openapi was loaded.
const retry = z.strictObject(retrySchema.shape).openapi('RetryPolicy')

const breaker = z
  .object({
    state: z.enum(breakerStates),
    since: time.openapi({ description: 'When it opened' }),
    reason: z.string().nullable(),
  })
  .openapi('Breaker')
const retryFields = retrySchema.shape
const retryPatch = z
  .strictObject({
    attempts: retryFields.attempts.nullable(),
    backoff: retryFields.backoff.nullable(),
    baseMs: retryFields.baseMs.nullable(),
    maxMs: retryFields.maxMs.nullable(),
    on: retryFields.on.nullable(),
    maxAgeMs: retryFields.maxAgeMs,
  })
  .openapi('RetryPolicyPatch', { description: 'Only the fields that are given change; null takes one back' })

const overlap = z.enum(overlapKinds)
const missed = z.enum(missedKinds)

const lastSkipped = z
  .object({
    at: time.openapi({ description: 'Instant of the firing' }),
    reason: z.string(),
    runId: z.string().nullable().openapi({ description: 'The run that was in its way' }),
  })
  .openapi('SkippedFiring')

export const firing = z
  .object({
    nextAt: time.nullable().openapi({ description: 'Null: it does not fire, since it is not published or disabled' }),
    lastAt: time.nullable().openapi({ description: 'Instant of the firing that began a run last' }),
    lastRunId: z.string().nullable(),
    skipped: z.int().openapi({ description: 'Firings that were skipped, ever' }),
    lastSkipped: lastSkipped.nullable(),
  })
  .openapi('Firing')

const publishedValues = z
  .object({
    revision: z.int(),
    prefetch: z.int().nullable(),
    timeoutMs: z.int().nullable(),
    retry: retry.nullable(),
    inPlaceMaxMs: z.int().nullable(),
    onFail: z.enum(['skip', 'block']).nullable(),
    cron: z.string().nullable(),
    timezone: z.string().nullable(),
    overlap: overlap.nullable(),
    missed: missed.nullable(),
  })
  .openapi('PublishedValues', { description: 'Whole: with what the document, the manifest and the defaults say' })

export const node = z
  .object({
    id: z.string(),
    topologyId: z.string(),
    name: z.string(),
    type: z.enum(nodeTypes),
    worker: z.string().nullable(),
    service: z.string().nullable(),
    limitCost: z.int().nullable().openapi({
      description: 'What one of its calls counts as at the limits of its service; null for event nodes',
    }),
    prefetch: z.int().nullable().openapi({ description: 'Stored value; null for event nodes, which have none' }),
    partitions: z.int().nullable().openapi({ description: 'Lanes, from the document; null for event nodes' }),
    partitionKey: z
      .string()
      .nullable()
      .openapi({ description: 'Where the key of a lane stands; null: what a worker set' }),
    timeoutMs: z.int().nullable(),
    retry: retry.nullable().openapi({
      description: 'What is stored; the rest comes from the manifest of the worker, then from the defaults',
    }),
    inPlaceMaxMs: z.int().nullable(),
    onFail: z.enum(['skip', 'block']).nullable(),
    published: publishedValues
      .nullable()
      .openapi({ description: 'What bridges go by; null for a node that is not published' }),
    enabled: z.boolean().openapi({ description: 'Event nodes: whether starts are accepted' }),
    paused: z.boolean().nullable().openapi({
      description: 'Whether it rests, by itself or with its topology; null: NATS is away, so nobody knows',
    }),
    pausedReason: z.string().nullable().openapi({ description: 'Its own reason, else that of its topology' }),
    pausedBy: z
      .enum(['node', 'topology'])
      .nullable()
      .openapi({ description: 'node: it is paused by itself, and stays so when its topology is resumed' }),
    breaker: breaker.nullable().openapi({
      description:
        'Messages are held back since the calls of this node fail, as the live bridge sees it that sees it worst; null: they are not',
    }),
    cron: z.string().nullable().openapi({ description: 'Of a cron node, as stored' }),
    timezone: z.string().nullable().openapi({ description: 'Of a cron node' }),
    overlap: overlap.nullable().openapi({
      description: 'Of start and cron nodes: what a start does while another run of the node is going on',
    }),
    missed: missed
      .nullable()
      .openapi({ description: 'Of a cron node: what becomes of firings that nobody could start' }),
    firing: firing.nullable().openapi({ description: 'Of a cron node' }),
    queued: z.int().nullable().openapi({ description: 'Of an event node: runs that wait for those before them' }),
    leaving: z
      .enum(['drain', 'trash'])
      .nullable()
      .openapi({ description: 'Not in the published graph any more: what becomes of its messages until it is empty' }),
    followers: z.array(z.object({ id: z.string(), name: z.string() })),
  })
  .openapi('Node')

export const nodeList = z.object({ items: z.array(node) }).openapi('NodeList')

const inRange = (min: number, max: number) => z.int(`expected an integer from ${min} to ${max}`).min(min).max(max)

export const nodePatch = z
  .strictObject({
    prefetch: inRange(1, 20)
      .optional()
      .openapi({ description: '1 keeps the order; not for event nodes, and only 1 for a node with partitions' }),
    timeoutMs: inRange(100, 86_400_000).nullable().optional(),
    retry: retryPatch.nullable().optional(),
    inPlaceMaxMs: inRange(1000, 86_400_000).nullable().optional(),
    onFail: z.enum(['skip', 'block']).nullable().optional(),
    cron: text(200).optional().openapi({ description: 'Cron nodes only' }),
    timezone: text(100).nullable().optional(),
    overlap: overlap.nullable().optional().openapi({ description: 'Start and cron nodes only' }),
    missed: missed.nullable().optional(),
    enabled: z.boolean().optional().openapi({ description: 'Event nodes only' }),
    paused: z.boolean().optional().openapi({ description: 'Acts at once, without a republish' }),
  })
  .openapi('NodePatch', { description: 'null: back to what the document says, else to the default' })

const bridges = z.object({ applied: z.array(z.string()), missing: z.array(z.string()) }).openapi('BridgesApplied', {
  description: 'Ids of live bridges that have the new revision, and of those that have not yet',
})

export const discarding = topology
  .extend({
    messagesLeft: z.int().openapi({ description: 'Messages that are on their way' }),
    note: z.string().nullable().openapi({ description: 'Why it may take long' }),
  })
  .openapi('DiscardingTopology')

export const republished = topology.extend({ bridges }).openapi('RepublishedTopology')

const revision = z.object({ revision: z.int(), kind: z.enum(revisionKinds), createdAt: time }).openapi('Revision')

export const revisionPage = pageOf('Revision', revision)

export const revisionWithPlan = revision
  .extend({ plan: z.record(z.string(), z.unknown()).openapi({ description: 'What the bridges read' }) })
  .openapi('RevisionWithPlan')

const revisionMax = 2_147_483_647

export const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((text) => text === 'true')

export const force = z.object({ force: flag })

export const unpublishQuery = z.object({
  discard: flag.openapi({ description: 'true: settle queued messages as cancelled' }),
})

export const publishQuery = z.object({
  inFlight: z.enum(['refuse', 'drain', 'trash']).default('refuse').openapi({
    description: 'For nodes that go away while messages may come to them: refuse to publish, or let them leave',
  }),
})

export const rollbackRequest = z.strictObject({ revision: z.int().min(1).max(revisionMax) }).openapi('RollbackRequest')

export const revisionParam = z.object({
  topology: z.string().openapi({ param: { name: 'topology', in: 'path' }, description: 'Id or name' }),
  revision: z.coerce
    .number()
    .int()
    .min(1)
    .max(revisionMax)
    .openapi({ param: { name: 'revision', in: 'path' } }),
})
