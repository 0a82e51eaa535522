import { z } from '@hono/zod-openapi'
import { pageOf } from '../input/paging.ts'
import { time } from './common.ts'

const count = z.int()

const queue = z
  .object({
    topology: z.string(),
    topologyId: z.string(),
    node: z.string(),
    nodeId: z.string(),
    pending: count.openapi({ description: 'Messages that no bridge holds' }),
    inFlight: count.openapi({ description: 'Messages that bridges hold' }),
    replies: count.openapi({ description: 'Stored replies that are not split into messages yet' }),
    delayed: count.openapi({ description: 'Messages that come into the queue again later' }),
    waiting: z.object({ limit: count, retry: count, paused: count, breaker: count }).openapi({
      description: 'Messages that wait, held by a bridge, delayed, or behind a pause, by what they wait for',
    }),
    oldestMs: z.int().nullable().openapi({ description: 'Age in the queue of the oldest message that is not settled' }),
    ratePerSecond: z
      .number()
      .nullable()
      .openapi({ description: 'Settled a second over the last 10 s; null: a bridge does not answer' }),
    paused: z.boolean().nullable(),
    pausedReason: z.string().nullable(),
    pausedBy: z.enum(['node', 'topology']).nullable(),
  })
  .openapi('Queue')

export const queuePage = pageOf('Queue', queue)

const history = z
  .object({
    bytes: z.number().openapi({ description: 'What its queues take, with what is settled and not compacted yet' }),
    oldestAt: time.nullable(),
    isFull: z.boolean().openapi({ description: 'More than `--history-max-bytes`, and nothing of it may go' }),
    heldBack: z
      .object({
        node: z.string().nullable(),
        nodeId: z.string().nullable().openapi({ description: 'null: the recorder, or a schedule that has to stay' }),
        since: time.nullable().openapi({ description: 'When the message came that is not settled' }),
        bytes: z.number().openapi({ description: 'About how much could be compacted without it' }),
      })
      .nullable()
      .openapi({ description: 'Keeps settled messages that are older than the history window' }),
  })
  .openapi('History')

const trouble = z
  .object({
    kind: z.enum(['secret-key', 'worker', 'node', 'limit']).openapi({
      description:
        'secret-key: it has another one than control; worker: it can not call it; node: most calls of it fail; limit: it can not share what it reserves of a service',
    }),
    worker: z.string().nullable(),
    topology: z.string().nullable(),
    node: z.string().nullable(),
    nodeId: z.string().nullable(),
    reason: z.string(),
    since: time.nullable(),
    yielding: z.boolean().openapi({
      description: 'It takes no messages for the worker, since another bridge can call it',
    }),
  })
  .openapi('BridgeTrouble')

const pausedLimit = z
  .object({
    service: z.string().nullable().openapi({ description: 'null: of a node without a service' }),
    who: z.string().nullable().openapi({ description: 'A tenant, or what a worker named; null: all calls of it' }),
    topology: z.string().nullable(),
    node: z.string().nullable(),
    nodeId: z.string().nullable(),
    until: time.openapi({ description: 'No calls before' }),
    at: time.openapi({ description: 'When it was asked for last' }),
    retryAfterMs: z
      .number()
      .nullable()
      .openapi({ description: 'What was asked for; null: nothing, so it is a backoff' }),
    times: count.openapi({ description: 'How often it was asked for since it was first told' }),
  })
  .openapi('PausedLimit')

/** `/api/status` names so many at most. */
export const pausedLimitsMax = 50

/** From the least to the worst. */
export const attentionKinds = ['trash', 'held-back', 'breaker', 'queues-full'] as const

/** `/api/status` names so many topologies at most. */
export const attentionMax = 50

const topologyStatus = z
  .object({
    id: z.string(),
    name: z.string(),
    revision: z.int(),
    enabled: z.boolean(),
    paused: z.boolean(),
    openTrash: count,
    history: history.nullable().openapi({ description: 'null: not looked at yet' }),
    attention: z.array(z.enum(attentionKinds)).openapi({
      description:
        'Why a person may have to look, the worst first. queues-full: more than `--history-max-bytes`, and nothing of it may go; breaker: calls of a node are held back; held-back: a message keeps settled ones from being compacted; trash: messages lie open in Trash',
    }),
  })
  .openapi('TopologyStatus')

export const topologyStatusPage = pageOf('TopologyStatus', topologyStatus)

export const status = z
  .object({
    version: z.string(),
    nats: z.object({
      connected: z.boolean(),
      detail: z.string().nullable(),
      version: z.string().nullable(),
      streams: count.nullable(),
      bytes: z.number().nullable(),
      limitBytes: z.number().nullable().openapi({
        description: 'That the account may store; null: it has no limit, the disk has one, or it is not known',
      }),
      copies: count
        .nullable()
        .openapi({ description: 'That are kept of each queue; with one, what a dead disk held is lost' }),
      isCluster: z.boolean().nullable().openapi({ description: 'Whether several servers keep it' }),
    }),
    postgres: z.object({ connected: z.boolean(), detail: z.string().nullable() }),
    bridges: z.array(
      z.object({
        id: z.string(),
        host: z.string(),
        pid: z.int(),
        startedAt: time,
        rssBytes: z.number(),
        version: z.string().nullable().openapi({ description: 'Of the engine; null: an older one, that does not say' }),
        behind: count
          .nullable()
          .openapi({ description: 'Published topologies that it does not go by yet; null: Postgres is away' }),
        trouble: z.array(trouble).openapi({ description: 'What keeps it from some of its work' }),
      }),
    ),
    pausedLimits: z.array(pausedLimit).openapi({
      description: `What is not called now, since a worker answered 429; the longest first, ${pausedLimitsMax} at most`,
    }),
    topologies: z.array(topologyStatus).openapi({
      description: `The published topologies that need attention, the worst first, ${attentionMax} at most; all are in /api/status/topologies`,
    }),
    totals: z
      .object({
        published: count,
        disabled: count.openapi({ description: 'Published ones that take no starts' }),
        paused: count,
        outOfSync: count.openapi({ description: 'Have stored values that no bridge has yet' }),
        needAttention: count,
        openTrash: count.openapi({ description: 'Messages of published topologies' }),
      })
      .nullable()
      .openapi({ description: 'null: Postgres is away' }),
  })
  .openapi('Status')

export const health = z.object({ status: z.literal('ok') }).openapi('Health')

export const readiness = z
  .object({ status: z.enum(['ready', 'not ready']), reasons: z.array(z.string()) })
  .openapi('Readiness')
