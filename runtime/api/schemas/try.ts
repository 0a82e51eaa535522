import { z } from '@hono/zod-openapi'
import { watermarkMaxBytes } from '../../topology/watermarks/watermark.ts'
import { isContentType, keyMaxBytes } from '../../protocol/outputs.ts'
import { messageHeaders, wholeQuery, withoutControls } from './common.ts'
import { messageError } from './trash.ts'

const settingsMaxBytes = 4096
const printable = (max: number) => z.string().min(1).max(max).regex(withoutControls, 'holds no control characters')

export const tryQuery = z.object({
  of: z
    .enum(['published', 'draft'])
    .optional()
    .openapi({ description: 'Which of its two forms is called; by default the published one, if there is one' }),
  bytes: wholeQuery(0, 1024 * 1024)
    .default(16_384)
    .openapi({ type: 'integer', description: 'How much of each body is shown' }),
})

export const tryRequest = z
  .strictObject({
    trash: z.string().max(200).optional().openapi({ description: 'Id of a message in Trash: as it was edited last' }),
    sequence: z.int().min(1).optional().openapi({ description: 'Of a message that `peek` shows' }),
    body: z.unknown().optional().openapi({ description: 'JSON for a JSON content type; otherwise a string' }),
    bodyBase64: z.base64('expected base64').optional().openapi({ description: 'Exact bytes, instead of `body`' }),
    contentType: z
      .string()
      .refine(isContentType, 'is printable ASCII of at most 256 bytes')
      .optional()
      .openapi({ example: 'application/json' }),
    headers: messageHeaders.optional(),
    tenant: printable(keyMaxBytes).optional(),
    key: printable(keyMaxBytes).optional().openapi({ description: 'Ordering key' }),
    cursor: printable(4096).optional().openapi({ description: 'For batch nodes' }),
    watermark: printable(watermarkMaxBytes).optional().openapi({ description: 'For batch nodes' }),
    page: z.int().min(0).max(1_000_000).optional().openapi({ description: 'For batch nodes' }),
    settings: z
      .record(z.string().max(200), z.unknown())
      .refine(
        (settings) => JSON.stringify(settings).length <= settingsMaxBytes,
        `take at most ${settingsMaxBytes} bytes as JSON`,
      )
      .optional()
      .openapi({ description: "Instead of the node's own" }),
  })
  .refine(({ trash, sequence }) => trash === undefined || sequence === undefined, {
    message: 'give either trash or sequence',
    path: ['sequence'],
  })
  .openapi('TryRequest', {
    description:
      'A message of one’s own, or a captured one (`trash` or `sequence`), of which what is given here is replaced',
  })

const shownBody = {
  contentType: z.string(),
  size: z.int(),
  truncated: z.boolean(),
  body: z.unknown().optional(),
  bodyBase64: z.string().optional(),
}

const headers = z.record(z.string(), z.string()).openapi({ description: 'Secrets and the signature are redacted' })

export const trial = z
  .object({
    id: z.string().openapi({ description: 'Of the message that the worker saw; begins with `try-`' }),
    of: z.enum(['published', 'draft']),
    revision: z.int().nullable(),
    instance: z.string().nullable().openapi({ description: 'null: none could be called' }),
    request: z.object({ method: z.literal('POST'), path: z.string(), headers, ...shownBody }),
    result: z.enum(['reply', 'timeout', 'lost', 'bad-reply', 'refused', 'too-large']),
    reply: z.object({ status: z.int(), headers, ...shownBody }).nullable(),
    durationMs: z.number(),
    verdict: z
      .object({
        kind: z.enum(['forward', 'split', 'end', 'retry', 'wait', 'pause', 'trash']),
        text: z.string().openapi({ description: 'What a bridge would do, for people' }),
        outputs: z
          .array(
            z.object({
              followers: z.array(z.string()),
              key: z.string().nullable(),
              tenant: z.string().nullable(),
              headers: z.record(z.string(), z.string()),
              ...shownBody,
            }),
          )
          .openapi({ description: 'The first 20' }),
        outputsTotal: z.int(),
        messages: z.int().openapi({ description: 'One for each output and follower' }),
        next: z.string().nullable().openapi({ description: 'Cursor of the next page' }),
        watermark: z.string().nullable(),
        progress: z.string().nullable(),
        delayMs: z.number().nullable(),
        // `nullable` would make it null wherever else it stands.
        problem: z.union([messageError, z.null()]),
      })
      .openapi('TrialVerdict'),
  })
  .openapi('Trial')
