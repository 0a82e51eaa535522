import { z } from '@hono/zod-openapi'
import { holdKinds } from '../../../queue/look/ask.ts'
import { time, wholeQuery } from '../common.ts'
import { run } from '../runs.ts'

const count = z.int()
const ms = z.int().min(0)

const spent = z.object({
  queuedMs: ms.openapi({ description: 'In the queue before a bridge took it' }),
  calledMs: ms.openapi({ description: 'At the worker, over all calls' }),
  limitMs: ms.openapi({ description: 'Waiting since a limit or a 429 asked for it' }),
  retryMs: ms.openapi({ description: 'Waiting to be tried again' }),
  otherMs: ms.openapi({ description: 'All else: paused, behind a breaker, for its turn' }),
})

const passages = z
  .object({
    node: z.string(),
    nodeId: z.string(),
    firstAt: time.openapi({ description: 'When the first message was settled here' }),
    lastAt: time,
    messages: z
      .object({
        started: count.openapi({ description: 'The run began here with so many' }),
        forwarded: count.openapi({ description: 'Went on as one message. They are counted when they end' }),
        split: count.openapi({ description: 'Became several, or a page was read' }),
        made: count.openapi({ description: 'Came of what was split' }),
        done: count,
        failed: count.openapi({ description: 'Went to Trash, replayed ones again' }),
        replayed: count,
        discarded: count,
        cancelled: count,
      })
      .openapi({ description: 'By what became of them here' }),
    calls: count,
    spent,
  })
  .openapi('NodePassages')

const event = z
  .object({
    at: time,
    kind: z.enum(['started', 'cancelRequested', 'trashed', 'replayed', 'discarded', 'ended']),
    node: z.string().nullable(),
    nodeId: z.string().nullable(),
    message: z.string().nullable().openapi({ description: 'Id of the message that it happened to' }),
    trash: z.string().nullable().openapi({ description: 'Id of its Trash row' }),
    text: z.string().openapi({ example: 'Order 17 not found' }),
  })
  .openapi('RunEvent')

const kept = {
  complete: z.boolean().openapi({ description: 'Whether single messages are still kept from the beginning on' }),
  since: time.nullable().openapi({ description: 'The oldest that the queues still keep; null: nothing' }),
}

export const runTimeline = z
  .object({
    run,
    ...kept,
    nodes: z
      .array(passages)
      .openapi({ description: 'Each node to which something of the run came, by the time of the first' }),
    events: z.array(event).openapi({ description: 'In order; of Trash the newest 50' }),
    trashOpen: count,
    eventsComplete: z
      .boolean()
      .openapi({ description: 'Whether all of Trash is among them; GET /api/trash?run= has the rest' }),
    reruns: z.array(z.string()).openapi({ description: 'Runs that were made from it, the newest first, at most 50' }),
  })
  .openapi('RunTimeline')

const states = [
  'waiting',
  'delayed',
  'forwarded',
  'split',
  'splitting',
  'done',
  'cancelled',
  'trashed',
  'gone',
] as const

const stateText =
  '`waiting`: in the queue, or held; `delayed`: comes again at `dueAt`; `forwarded`, `split`: went on as one, or as `made`; `splitting`: a reply that is to be split; `done`, `cancelled`, `trashed`; `gone`: what became of it is not kept any more'

const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int().optional(),
  detail: z.string().optional(),
})

const attempt = z.object({
  attempt: z.int(),
  at: time,
  instance: z.string().nullable(),
  status: z.int().nullable(),
  problem,
  durationMs: z.number(),
})

const step = z
  .object({
    node: z.string(),
    nodeId: z.string(),
    message: z.string().openapi({ description: 'Its id here: an edited replay has another one' }),
    page: z.int().openapi({ description: 'Of a batch node; 0 for every other message' }),
    replay: z.int().openapi({ description: 'n: it was sent here again from Trash for the n-th time' }),
    state: z.enum(states).openapi({ description: stateText }),
    enteredAt: time.nullable(),
    at: time.nullable().openapi({ description: 'When it was settled here' }),
    durationMs: ms.nullable(),
    dueAt: time.nullable(),
    held: z
      .object({ kind: z.enum(holdKinds), since: time, until: time.nullable(), reason: z.string().nullable() })
      .nullable()
      .openapi({ description: 'What a bridge does with it now' }),
    calls: count.nullable(),
    spent: spent.nullable(),
    attempts: z.array(attempt).openapi({ description: 'Calls that failed' }),
    made: count.nullable(),
    trash: z
      .object({
        id: z.string(),
        error: problem,
        settled: z.object({ as: z.enum(['replayed', 'discarded']), at: time }).nullable(),
      })
      .nullable(),
  })
  .openapi('MessageStep')

export const messageTimeline = z
  .object({
    runId: z.string(),
    id: z.string(),
    parent: z.string().nullable().openapi({ description: 'Of which it was made; null: the run began with it' }),
    parentPage: z.int().openapi({ description: 'Page of a batch node in which it was read' }),
    ...kept,
    steps: z.array(step).openapi({ description: 'At most 100, from `page` on' }),
    nextPage: z.int().nullable().openapi({ description: '`page` of the steps after these; null: there are none' }),
  })
  .openapi('MessageTimeline')

const runMessage = z
  .object({
    id: z.string(),
    node: z.string().nullable(),
    nodeId: z
      .string()
      .nullable()
      .openapi({ description: 'Where it is, or ended; null: nothing of it is kept any more' }),
    state: z.enum(states).openapi({ description: stateText }),
    enteredAt: time.nullable(),
    at: time.nullable(),
    made: count.nullable(),
    trash: z.string().nullable().openapi({ description: 'Id of its Trash row' }),
  })
  .openapi('RunMessage')

export const runMessagePage = z
  .object({ items: z.array(runMessage), next: z.string().nullable(), total: count })
  .openapi('RunMessagePage')

const messageId = z.string().min(1).max(1_000)

export const messageParam = z.object({
  id: z.string().openapi({ param: { name: 'id', in: 'path' } }),
  message: messageId.openapi({
    param: { name: 'message', in: 'path' },
    description: 'Id of the message, percent-encoded',
  }),
})

export const pageNumber = wholeQuery(0, 999_999_999).optional().openapi({ description: 'Of a batch node; default 0' })

export const messagesQuery = z.object({
  of: messageId
    .optional()
    .openapi({ description: 'Id of the message of which they were made; default: that with which the run began' }),
  page: pageNumber,
  limit: wholeQuery(1, 200).optional().openapi({ description: 'How many items at most; default 50' }),
  after: z.string().max(500).optional().openapi({ description: '`next` of the page before' }),
})
