import { z } from '@hono/zod-openapi'
import { isStorable } from '../../store/text.ts'

/** A text that Postgres can store. */
export const text = (max: number) =>
  z.string().max(max).refine(isStorable, 'holds a NUL or broken Unicode, which cannot be stored')

export const name = z
  .string()
  .regex(/^[a-z0-9-]{1,63}$/, 'a name has 1 to 63 characters: a–z, 0–9 and -')
  .openapi({ example: 'orders' })

export const time = z.string().openapi({ format: 'date-time', example: '2026-03-01T10:00:00.000Z' })

export const breakerStates = ['closed', 'open', 'probing', 'ramping'] as const

/** RFC 3339 has the year 0 too, which Postgres doesn't, and an offset may lead out of the years that both can write; true for what is no time at all. */
export function isInYears(time: Date): boolean {
  return !(
    time.getTime() < Date.parse('0001-01-01T00:00:00Z') || time.getTime() >= Date.parse('+010000-01-01T00:00:00Z')
  )
}

/** A time in a query, as RFC 3339. */
export const timeQuery = z.iso
  .datetime({ offset: true, error: 'expected a time such as 2026-03-01T10:00:00.000Z' })
  .transform((text) => new Date(text))
  .refine(isInYears, 'expected a time in the years 0001 to 9999')
  .openapi({ format: 'date-time' })

const labelsMax = 64

export const labels = z
  .record(z.string().min(1).max(63), text(255))
  .refine((all) => Object.keys(all).length <= labelsMax, `a topology has at most ${labelsMax} labels`)
  .openapi({ example: { team: 'shop' }, maxProperties: labelsMax })

const headersMaxBytes = 4096

/** Without the flag u, which has no place in OpenAPI. */
// eslint-disable-next-line no-control-regex -- these are what it refuses
export const withoutControls = /^[^\u0000-\u001f\u007f-\u009f]*$/

/** A whole number in a query. An empty text isn't one, though `Number` makes it 0. */
export const wholeQuery = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, 'expected a whole number')
    .transform(Number)
    .pipe(z.number().min(min).max(max))
    .openapi({ type: 'integer', minimum: min, maximum: max })

/** Headers of a message: they reach the workers, and all calls that the message causes. */
export const messageHeaders = z
  .record(
    z.string().regex(/^x-[a-z0-9-]{1,100}$/, 'only headers that begin with x- travel with a message, in lower case'),
    z.string().max(headersMaxBytes).regex(withoutControls, 'a header value holds no control characters'),
  )
  .refine(
    (headers) => headersSize(headers) <= headersMaxBytes,
    `all headers together take at most ${headersMaxBytes} bytes`,
  )
  .openapi({ example: { 'x-source': 'import' } })

function headersSize(headers: Readonly<Record<string, string>>): number {
  return Object.entries(headers).reduce((sum, [key, value]) => sum + key.length + Buffer.byteLength(value), 0)
}

export const topologyParam = z.object({
  topology: z
    .string()
    .openapi({ param: { name: 'topology', in: 'path' }, description: 'Id or name', example: 'orders' }),
})

export const idParam = z.object({ id: z.string().openapi({ param: { name: 'id', in: 'path' } }) })

export const nameParam = z.object({ name: z.string().openapi({ param: { name: 'name', in: 'path' } }) })

/** The content of a JSON request or response. */
export function json<T extends z.ZodType>(schema: T) {
  return { 'application/json': { schema } }
}

/** The body of a JSON request; every route that takes one names it this way. Where an empty object will do, none will do. */
export function body<T extends z.ZodType>(schema: T) {
  return { required: !schema.safeParse({}).success, content: json(schema) }
}
