import { z } from '@hono/zod-openapi'
import { operationsMax } from '../../../protocol/patch/patch.ts'
import { isPointer } from '../../../protocol/patch/pointer.ts'
import type { Json } from '../../../protocol/patch/pointer.ts'
import { bulkActions, bulkOutcomes, bulkStates, bulkSteps } from '../../../store/schema/index.ts'
import { pageOf, pageQuery } from '../../input/paging.ts'
import { text, time, timeQuery } from '../../schemas/common.ts'
import { messageError } from '../../schemas/trash.ts'

const idsMax = 10_000

/** An empty text would fit every message, as if it weren't there. */
const given = (max: number) => text(max).min(1).optional()

const filter = z
  .strictObject({
    topology: given(200).openapi({ description: 'Id or name' }),
    node: given(200).openapi({ description: 'Id or name' }),
    run: given(200),
    fingerprint: given(64),
    since: timeQuery.optional().openapi({ description: 'Failed at that time or later' }),
    until: timeQuery.optional().openapi({ description: 'Failed before that time' }),
    text: given(200).openapi({ description: "Part of the error's title or detail" }),
    body: given(200).openapi({
      description:
        'Part of what the message holds, as it failed or as it was edited, letter by letter; needs `payload`',
    }),
    tenant: given(200),
    ids: z.array(text(200)).min(1).max(idsMax).optional().openapi({ description: 'Of messages in Trash' }),
  })
  .refine((all) => Object.values(all).some((value) => value !== undefined), {
    error:
      'an empty filter would be all of Trash: say which messages, such as by topology; for really all of them give since, a time before the first',
  })
  .openapi('BulkFilter', { description: 'Open messages that fit all of it' })

const pointer = z
  .string()
  .max(1_000)
  .refine(isPointer, 'expected a JSON Pointer such as /customer/zip, or an empty text for the whole body')

/** JSON as it was parsed; any value but none at all. */
const value = z
  .unknown()
  .refine((given) => given !== undefined, 'needs a value')
  .openapi({ description: 'Any JSON' }) as z.ZodType<Json, Json>

const operation = z
  .discriminatedUnion('op', [
    z.strictObject({ op: z.enum(['add', 'replace', 'test']), path: pointer, value }),
    z.strictObject({ op: z.literal('remove'), path: pointer }),
    z.strictObject({ op: z.enum(['move', 'copy']), from: pointer, path: pointer }),
  ])
  .openapi('PatchOperation', { description: 'Of RFC 6902' })

const jsonPatch = z
  .strictObject({ type: z.literal('json-patch'), operations: z.array(operation).min(1).max(operationsMax) })
  .openapi('JsonPatch', { description: 'Of RFC 6902' })
const mergePatch = z
  .strictObject({ type: z.literal('merge-patch'), value })
  .openapi('MergePatch', { description: 'Of RFC 7396' })

/** It is kept with its bulk, and shown with it: what many messages have in common is small. */
const patchMaxBytes = 256 * 1024

const patch = z
  .discriminatedUnion('type', [jsonPatch, mergePatch])
  .refine((given) => Buffer.byteLength(JSON.stringify(given)) <= patchMaxBytes, {
    error: `is larger than ${patchMaxBytes} bytes: edit messages that need so much one by one`,
  })
  .openapi('BulkPatch', {
    description: 'Of the JSON body of each message: RFC 6902 or RFC 7396. Headers and content type stay as they are',
  })

const acceptWarnings = z.boolean().optional().openapi({
  description: "Of a replay: also what doesn't fit the input schema of its node, or couldn't be checked by it, is sent",
})

const canary = z
  .strictObject({
    first: z.int().min(1).max(100).default(1),
    five: z.int().min(1).max(1_000).default(5),
  })
  .openapi('BulkCanary', { description: 'How many messages the first two steps have' })

export const bulkPreviewRequest = z
  .strictObject({ action: z.enum(bulkActions), filter, patch: patch.optional(), acceptWarnings })
  .openapi('BulkPreviewRequest')

export const bulkRequest = z
  .strictObject({
    action: z.enum(bulkActions),
    filter,
    patch: patch.optional(),
    canary: z
      .union([z.boolean(), canary])
      .optional()
      .openapi({ description: 'Of replays; without it: of more than 10 messages' }),
    ratePerSecond: z
      .number()
      .positive()
      .min(0.01)
      .max(10_000)
      .optional()
      .openapi({ description: 'At most so many a second; without it as fast as the queues take them' }),
    stopAtFailedPercent: z
      .int()
      .min(1)
      .max(100)
      .optional()
      .openapi({ description: 'Default 20; with 100 only the first message of a canary stops it' }),
    acceptWarnings,
    reason: text(1_000).optional(),
  })
  .openapi('BulkRequest')

export const resumeRequest = z
  .strictObject({
    canary: z.boolean().optional().openapi({
      description: 'Of one that had stopped: with its canary again, or without; by default with it, if it had one',
    }),
  })
  .openapi('BulkResume')

const count = z.int().min(0)

export const bulk = z
  .object({
    id: z.string(),
    topology: z.string().nullable().openapi({ description: 'Null: it may be about several, or that one is deleted' }),
    topologyId: z.string().nullable(),
    action: z.enum(bulkActions),
    filter: z.record(z.string(), z.unknown()).openapi('BulkFilterShown', {
      description: 'As it was asked for; `body` is there for tokens with the scope `payload`',
    }),
    patch: z
      .union([patch, z.null()])
      .optional()
      .openapi({ description: 'There for tokens with the scope `payload`; null: none' }),
    isPatched: z.boolean(),
    canary: z.union([z.object({ first: z.int(), five: z.int() }).openapi('BulkCanaryShown'), z.null()]),
    ratePerSecond: z.number().nullable(),
    stopAtFailedPercent: z.int(),
    acceptWarnings: z.boolean(),
    state: z.enum(bulkStates),
    step: z.enum(bulkSteps),
    messages: z.object({
      total: count,
      waiting: count,
      underWay: count,
      done: count,
      failedAgain: count,
      refused: count,
      discarded: count,
      cancelled: count,
    }),
    by: z.string(),
    reason: z.string().nullable(),
    stoppedBecause: z.string().nullable(),
    waitsFor: z.string().nullable().openapi({ description: 'Why what is under way does not move; null: it does' }),
    createdAt: time,
    startedAt: time.nullable(),
    finishedAt: time.nullable(),
    ratePerSecondNow: z.number(),
    remainingMs: z.int().nullable().openapi({ description: 'At the rate of now; null: not known' }),
  })
  .openapi('Bulk')

export const bulkPage = pageOf('Bulk', bulk)

const shownOutcomes = bulkOutcomes.filter((outcome) => outcome !== 'sending')

const bulkMessage = z
  .object({
    position: z.int().openapi({ description: 'In the set, from 1, the oldest message first' }),
    trashId: z.string(),
    outcome: z.enum(shownOutcomes),
    why: z.string().nullable().openapi({ description: 'Of one that was refused or cancelled' }),
    againId: z.string().nullable().openapi({ description: 'Of the message in Trash as which it failed again' }),
    error: z.union([messageError, z.null()]),
    sentAt: time.nullable(),
    settledAt: time.nullable(),
  })
  .openapi('BulkMessage')

export const bulkMessagePage = pageOf('BulkMessage', bulkMessage)

const difference = z
  .object({
    path: z.string().openapi({ description: 'JSON Pointer' }),
    before: z.unknown().optional(),
    after: z.unknown().optional(),
  })
  .openapi('BodyDifference')

export const bulkPreview = z
  .object({
    count: z.int().openapi({ description: 'How many messages the filter leaves now' }),
    samples: z.array(
      z
        .object({
          id: z.string(),
          before: z.unknown().openapi({ description: 'The body; what is no text as base64' }),
          after: z.unknown().openapi({ description: 'The body as it would be sent; null: it would not' }),
          difference: z.array(difference).openapi({ description: 'At most 100 places' }),
          faults: z.array(z.string()).openapi({ description: 'Why it would be refused' }),
        })
        .openapi('BulkSample'),
    ),
  })
  .openapi('BulkPreview')

export const listQuery = pageQuery.extend({
  topology: z.string().max(200).optional().openapi({ description: 'Id or name' }),
  state: z
    .string()
    .transform((given) => given.split(','))
    .pipe(z.array(z.enum(bulkStates, { error: `expected one or several of ${bulkStates.join(', ')}, with commas` })))
    .optional()
    .openapi({ type: 'string', description: `One or several of ${bulkStates.join(', ')}, with commas` }),
})

export const messagesQuery = pageQuery.extend({
  outcome: z.enum(shownOutcomes).optional().openapi({ description: 'Only those of which this became' }),
})
