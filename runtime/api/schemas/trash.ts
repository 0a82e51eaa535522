import { z } from '@hono/zod-openapi'
import { trashStates } from '../../store/schema/index.ts'
import { pageOf } from '../input/paging.ts'
import { isContentType } from '../../protocol/outputs.ts'
import { messageHeaders, text, time, timeQuery } from './common.ts'

export const messageError = z
  .object({ type: z.string(), title: z.string(), status: z.int().optional(), detail: z.string().optional() })
  .openapi('MessageError')

const failedCall = z
  .object({
    attempt: z.int(),
    at: time,
    instance: z.string().nullable(),
    status: z.int().nullable(),
    problem: messageError,
    durationMs: z.number(),
  })
  .openapi('FailedCall')

const payload = {
  headers: z.record(z.string(), z.string()).optional(),
  body: z.unknown().optional().openapi({ description: 'JSON as JSON, other text as a string' }),
  bodyBase64: z.string().optional().openapi({ description: 'What is neither' }),
}

const trashVersion = z
  .object({
    version: z.int(),
    by: z.string().openapi({ description: 'Name of the token that edited' }),
    reason: z.string().nullable(),
    createdAt: time,
    contentType: z.string(),
    ...payload,
  })
  .openapi('TrashVersion')

/** What a list and a single message have in common: of their calls the one has the number, the other each. */
const common = {
  id: z.string(),
  topology: z.string(),
  topologyId: z.string(),
  node: z.string(),
  nodeId: z.string(),
  runId: z.string(),
  messageId: z.string(),
  revision: z.int(),
  error: messageError,
  fingerprint: z.string(),
  contentType: z.string(),
  tenant: z.string().nullable(),
  traceId: z.string().openapi({ description: 'Id of the trace that its calls were in (W3C), 32 hex digits' }),
  state: z.enum(trashStates),
  reason: z.string().nullable(),
  createdAt: time,
  settledAt: time.nullable(),
}

const trashHead = z
  .object({ ...common, attempts: z.int().openapi({ description: 'How many calls failed' }) })
  .openapi('TrashHead')

export type ShownHead = z.infer<typeof trashHead>

export const trashItem = z
  .object({
    ...common,
    attempts: z.array(failedCall),
    ...payload,
    versions: z.array(trashVersion).openapi({
      description:
        'Edits, oldest first; the original is the message itself. Of edits larger than 16 MiB together the older ones have no body here: read them by `/api/trash/{id}/body`',
    }),
  })
  .openapi('TrashMessage', { description: 'headers and bodies are there for tokens with the scope `payload`' })

export const editedItem = trashItem
  .extend({
    warnings: z.array(z.object({ path: z.string(), message: z.string() })).openapi({
      description:
        "What of the body doesn't fit the node's input schema, by JSON Pointer, or why it couldn't be checked; it is saved all the same",
    }),
  })
  .openapi('EditedTrashMessage')

export const trashPage = pageOf('Trash', trashHead)

export const trashQuery = z.object({
  topology: z.string().max(200).optional().openapi({ description: 'Id or name' }),
  node: z.string().max(200).optional().openapi({ description: 'Id or name' }),
  run: z.string().max(200).optional(),
  fingerprint: z.string().max(64).optional(),
  state: z.enum(trashStates).optional(),
  since: timeQuery.optional(),
  until: timeQuery.optional(),
  tenant: text(200).optional(),
  text: text(200).optional().openapi({ description: "Part of the error's title or detail" }),
  body: text(200).min(1).optional().openapi({
    description: 'Part of what it holds, letter by letter as it is stored; needs the scope `payload`',
  }),
})

export const trashEdit = z
  .strictObject({
    body: z
      .unknown()
      .optional()
      .openapi({ description: 'JSON for a message whose content type is JSON; otherwise a string' }),
    bodyBase64: z.base64('expected base64').optional().openapi({ description: 'Exact bytes, instead of `body`' }),
    headers: messageHeaders.optional(),
    contentType: z
      .string()
      .refine(isContentType, 'expected printable ASCII of at most 256 bytes')
      .optional()
      .openapi({ maxLength: 256, pattern: '^[\\x21-\\x7e][\\x20-\\x7e]*$' }),
    reason: text(1000).optional(),
  })
  .openapi('TrashEdit')

const isTrue = (says: string) => z.boolean().optional().openapi({ description: says })

export const replayRequest = z
  .strictObject({
    node: text(200)
      .min(1)
      .optional()
      .openapi({ description: 'Id or name of another node of the topology; by default the one at which it failed' }),
    newestRevision: isTrue(
      'False: only if the published plan handles the node as the revision did by which the message failed; by default true',
    ),
    acceptWarnings: isTrue("Also a body that doesn't fit the node's input schema, or couldn't be checked by it"),
  })
  .openapi('ReplayRequest')

export const discardRequest = z.strictObject({ reason: text(1000).optional() }).openapi('DiscardRequest')

const trashGroup = z
  .object({
    fingerprint: z.string(),
    topology: z.string(),
    topologyId: z.string(),
    node: z.string(),
    nodeId: z.string(),
    count: z.int(),
    firstSeen: time.openapi({ description: 'When the oldest message of those that the filter leaves now failed' }),
    lastSeen: time.openapi({ description: 'When the newest one failed' }),
    error: messageError.openapi({ description: 'Of the newest message' }),
    newestId: z.string().openapi({ description: 'Of the newest message, as a sample' }),
  })
  .openapi('TrashGroup')

export const trashGroups = z.object({ items: z.array(trashGroup) }).openapi('TrashGroups')

export const settling = z
  .object({ id: z.string(), result: z.enum(['replaying', 'discarding', 'discarded']) })
  .openapi('Settling')
