import { z } from '@hono/zod-openapi'
import { cursorDeeds, watermarkDeeds } from '../../../store/schema/index.ts'
import { readingStates } from '../../../store/delta/cursors.ts'
import { watermarkForms, watermarkPattern } from '../../../topology/watermarks/policy.ts'
import { watermarkMaxBytes } from '../../../topology/watermarks/watermark.ts'
import { pageOf, pageQuery } from '../../input/paging.ts'
import { text, time } from '../../schemas/common.ts'

const reason = text(2000)
  .optional()
  .openapi({ description: 'Why, for the history', example: 'the source was restored' })

const placeQuery = pageQuery.extend({
  topology: z.string().max(200).optional().openapi({ description: 'Id or name' }),
  node: z.string().max(200).optional().openapi({ description: 'Id or name of the batch node' }),
  tenant: text(200).optional(),
})

export const cursorQuery = placeQuery.extend({
  run: text(200).optional().openapi({ description: 'Id of the run' }),
  active: z
    .enum(['true', 'false'])
    .optional()
    .openapi({ description: '`true`: only what reads or is stopped by Trash; `false`: only what has come to its end' }),
})

export const watermarkQuery = placeQuery

const watermarkText = z.string().max(watermarkMaxBytes).regex(watermarkPattern, watermarkForms)

const cursorText = z
  .string()
  .min(1)
  .max(4096)
  .regex(/^[\x20-\x7e]*$/, 'expected printable ASCII, as workers answer it')

const edited = z.object({
  number: z.int(),
  cursor: z.string().nullable().openapi({ description: 'Null: from the beginning, without a cursor' }),
  by: z.string().nullable(),
  at: time,
  state: z.enum(['pending', 'taken', 'missed']).openapi({
    description:
      '`pending`: the next call asks with it; `taken`: a page was read with it; `missed`: nothing more is read, so it came too late',
  }),
})

export const cursor = z
  .object({
    id: z.string(),
    topology: z.string(),
    topologyId: z.string(),
    node: z.string(),
    nodeId: z.string(),
    runId: z.string(),
    messageId: z.string().openapi({ description: 'The message that asks for the pages' }),
    tenant: z.string().nullable(),
    state: z.enum(readingStates).openapi({
      description:
        '`reading`: pages are read; `stopped`: its page is in Trash; `ended`: the last page is read; `abandoned`: its run was cancelled, or its page was discarded',
    }),
    page: z.int().openapi({
      description: 'The newest page that was read; the first one is 0, also while it has failed and none was read',
    }),
    cursor: z.string().nullable().openapi({ description: 'With which that page was asked for' }),
    next: z.string().nullable().openapi({ description: 'Of the next page; null after the last one' }),
    progress: z.string().nullable().openapi({ description: 'What the worker says of it', example: '350/1200' }),
    since: z
      .string()
      .nullable()
      .openapi({ description: 'The watermark that it began with; null: it reads everything' }),
    watermark: z.string().nullable().openapi({ description: 'What it has proposed so far' }),
    reconcile: z.boolean().openapi({ description: 'Its run reads everything again' }),
    trashId: z.string().nullable().openapi({ description: 'Where its page lies in Trash' }),
    edit: edited.nullable().openapi({ description: 'The newest edit by a person' }),
    startedAt: time,
    updatedAt: time,
  })
  .openapi('Cursor')

export const cursorPage = pageOf('Cursor', cursor)

export const cursorEdit = z
  .strictObject({
    cursor: cursorText.optional().openapi({ description: 'The next page is asked for with it', example: 'page-17' }),
    page: z.int().min(0).optional().openapi({ description: 'Or with the cursor of this page that was read' }),
    reason,
  })
  .refine(({ cursor, page }) => (cursor === undefined) !== (page === undefined), {
    message: 'say either cursor, or page to go back to one that was read',
    path: ['cursor'],
  })
  .openapi('CursorChange')

export const resetRequest = z.strictObject({ reason }).openapi('ResetRequest')

const cursorDeed = z
  .object({
    deed: z.enum(cursorDeeds),
    page: z.int().openapi({ description: 'Of an edit: the newest page that was read then' }),
    cursor: z.string().nullable(),
    next: z.string().nullable(),
    progress: z.string().nullable(),
    by: z.string().nullable(),
    reason: z.string().nullable(),
    at: time,
  })
  .openapi('CursorDeed')

export const cursorDeedPage = pageOf('CursorDeed', cursorDeed)

export const watermark = z
  .object({
    id: z.string(),
    topology: z.string(),
    topologyId: z.string(),
    node: z.string(),
    nodeId: z.string(),
    tenant: z.string().nullable(),
    watermark: z.string().nullable().openapi({
      description: 'Null: the next run begins with what the node’s `initial` says, or reads everything',
      example: '2026-03-01T10:00:00Z',
    }),
    version: z.int(),
    runId: z.string().nullable().openapi({ description: 'The run that proposed it; null: a person set it' }),
    by: z.string().nullable().openapi({ description: 'Who set it' }),
    pending: z
      .boolean()
      .openapi({ description: 'It is stored, and runs that begin now may still be handed the one before' }),
    updatedAt: time,
  })
  .openapi('Watermark')

export const watermarkPage = pageOf('Watermark', watermark)

const watermarkFields = { watermark: watermarkText.openapi({ example: '2026-03-01T10:00:00Z' }), reason }

export const watermarkEdit = z.strictObject(watermarkFields).openapi('WatermarkChange')

/** No extension of the one above: as `allOf`, each would refuse the fields of the other. */
export const watermarkInput = z
  .strictObject({
    ...watermarkFields,
    topology: z.string().max(200).openapi({ description: 'Id or name', example: 'orders' }),
    node: z.string().max(200).openapi({ description: 'Id or name of the batch node', example: 'list' }),
    tenant: text(200).min(1).optional(),
  })
  .openapi('WatermarkSetting')

const watermarkDeed = z
  .object({
    version: z.int(),
    deed: z.enum(watermarkDeeds),
    watermark: z.string().nullable(),
    runId: z.string().nullable(),
    by: z.string().nullable(),
    reason: z.string().nullable(),
    at: time,
  })
  .openapi('WatermarkDeed')

export const watermarkDeedPage = pageOf('WatermarkDeed', watermarkDeed)
