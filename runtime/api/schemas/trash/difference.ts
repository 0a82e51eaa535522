import { z } from '@hono/zod-openapi'
import { wholeQuery } from '../common.ts'

const says = (description: string) => ({ description })
const value = z.unknown().optional()

const valueChange = z
  .object({ path: z.string(), before: value, after: value })
  .openapi('TrashValueChange', says('A value that is there on one side only lacks the other key'))

const lineChange = z
  .object({ line: z.int(), before: z.string().optional(), after: z.string().optional() })
  .openapi('TrashLineChange', says('A line that is on one side only, by its number there, from 1'))

export const differenceQuery = z.object({
  from: wholeQuery(0, 999_999_999).optional().openapi(says('A version; 0, the default, is the original')),
  to: wholeQuery(0, 999_999_999).optional().openapi(says('A version; by default the newest')),
})

export const trashDifference = z
  .object({
    from: z.int(),
    to: z.int(),
    contentType: z.object({ before: z.string(), after: z.string() }).nullable().openapi(says('Null: the same')),
    headers: z.array(valueChange).openapi(says('By name')),
    bodyAs: z.enum(['json', 'text', 'bytes']).openapi(says('How both bodies were read')),
    body: z.array(valueChange).openapi(says('Of JSON by JSON Pointer; of bytes their size and hash')),
    lines: z.array(lineChange).openapi(says('Of text')),
    isComplete: z.boolean().openapi(says('False: there is more than is told')),
  })
  .openapi('TrashDifference')
