import { z } from '@hono/zod-openapi'
import { figureSteps } from '../../store/schema/index.ts'
import { blockerKinds } from '../actions/look/why.ts'
import { time, wholeQuery } from './common.ts'

const count = z.int()

const until = z
  .object({ first: time, last: time })
  .nullable()
  .openapi({ description: 'When the first and the last of them go on by themselves; null: nobody knows' })

const blocker = z
  .object({
    kind: z.enum(blockerKinds),
    of: z.enum(['messages', 'replies']),
    count,
    text: z.string().openapi({ description: 'For people: what they wait for, or do' }),
    since: time.nullable(),
    until,
  })
  .openapi('Blocker')

export const why = z
  .object({
    topology: z.string(),
    topologyId: z.string(),
    node: z.string(),
    nodeId: z.string(),
    at: time,
    pending: count.openapi({ description: 'Messages in the queue that no bridge holds' }),
    inFlight: count.openapi({ description: 'Messages that bridges hold' }),
    delayed: count.openapi({ description: 'Messages that come into the queue again later' }),
    replies: count.openapi({ description: 'Stored replies that are not split into messages yet' }),
    calls: z
      .object({
        made: count.openapi({ description: 'Without those of which nothing was sent' }),
        overloaded: count.openapi({ description: 'Of these: no answer in time, 429 or 503' }),
      })
      .nullable()
      .openapi({ description: 'Calls in the last minute, as far as bridges told them; null: none did' }),
    blockers: z.array(blocker).openapi({ description: 'Each waiting message is counted in one; the largest first' }),
    estimate: z
      .object({
        secondsLeft: z.number().nullable(),
        doneAt: time.nullable(),
        ratePerSecond: z.number().nullable().openapi({ description: 'Settled a second, over the last 10 s' }),
        by: z.enum(['nothing-waits', 'declared', 'observed']).nullable().openapi({
          description:
            'What that goes by: the limits of its service while messages wait for them, or where these allow less, else what was settled in the last 10 s; null: it is not known',
        }),
        reason: z.string().nullable().openapi({ description: 'Why it is not known' }),
      })
      .openapi({ description: 'When all that waits now is done, if nothing changes' }),
    bridges: z.object({ live: z.array(z.string()), silent: z.array(z.string()) }),
    notes: z.array(z.string()).openapi({ description: 'What else may matter, such as bridges with an older plan' }),
  })
  .openapi('Why')

const peekStates = ['waiting', 'held', 'delayed'] as const

const stored = {
  sequence: z.int().openapi({ description: 'Place in the stream of its topology' }),
  id: z.string(),
  runId: z.string(),
  from: z.string().openapi({ description: 'Node that produced it; empty for a start' }),
  key: z.string().nullable().openapi({ description: 'Ordering key' }),
  tenant: z.string().nullable(),
  attempt: z.int().openapi({ description: 'Number of its next call; tries in place are not counted' }),
  page: z.int(),
  createdAt: time,
  enqueuedAt: time.openapi({ description: 'When it came into the queue, or was delayed' }),
  contentType: z.string(),
  size: z.int().openapi({ description: 'Bytes of its body' }),
  truncated: z.boolean().openapi({ description: 'The body is longer than what is shown' }),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.unknown().optional().openapi({ description: 'JSON as JSON, other text (and JSON that was cut) as a string' }),
  bodyBase64: z.string().optional().openapi({ description: 'What is neither' }),
}

const peeked = z
  .object({
    ...stored,
    state: z.enum(peekStates),
    at: time.nullable().openapi({ description: 'When a delayed message goes into the queue' }),
  })
  .openapi('PeekedMessage', { description: 'headers and body are there for tokens with the scope `payload`' })

export const peek = z
  .object({
    items: z.array(peeked),
    next: z.string().nullable().openapi({ description: 'For `after`; null: there is no more' }),
  })
  .openapi('Peek')

const passed = z.object(stored).openapi('PassedMessage')

export const tail = z
  .object({ items: z.array(passed), next: z.string().openapi({ description: 'For `after` of the next request' }) })
  .openapi('Tail')

export const historyRanges = { '15m': figureSteps.close, '24h': figureSteps.wide } as const

const point = z
  .object({
    at: time.openapi({ description: 'When the step begins' }),
    waiting: count.openapi({ description: 'Messages that no bridge held; of a minute the most' }),
    inFlight: count.openapi({ description: 'Messages that bridges held; of a minute the most' }),
    ratePerSecond: z
      .number()
      .openapi({ description: 'Settled a second, as the bridges that answered say; of a minute the mean' }),
    failed: count.openapi({ description: 'Messages that came into Trash in this step' }),
  })
  .openapi('NodeHistoryPoint')

export const nodeHistory = z
  .object({
    nodeId: z.string(),
    stepSeconds: z.int().openapi({ description: 'Between two looks' }),
    points: z.array(point).openapi({ description: 'The oldest first; there is none where nobody looked' }),
  })
  .openapi('NodeHistory')

export const historyQuery = z.object({
  range: z.enum(['15m', '24h']).default('15m').openapi({
    description: '15m: every ten seconds of the last quarter of an hour; 24h: every minute of the last day',
  }),
})

const place = z
  .string()
  .regex(/^\d{1,15}$/, 'expected `next` of an earlier answer')
  .openapi({ description: '`next` of the answer before' })

const bytes = wholeQuery(0, 8 * 1024 * 1024)
  .default(4096)
  .openapi({ type: 'integer', description: 'How much of each body is shown' })

const limit = (usual: number, max: number) => z.coerce.number().int().min(1).max(max).default(usual)

export const peekQuery = z.object({
  limit: limit(50, 500),
  after: place.optional(),
  state: z.enum(peekStates).optional(),
  bytes,
})

export const tailQuery = z.object({ limit: limit(50, 500), after: place.optional(), bytes })
