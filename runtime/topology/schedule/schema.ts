import { z } from 'zod'

/** What a start does while another run of its node is going on. */
export const overlapKinds = ['allow', 'skip', 'queue'] as const
/** What becomes of firings that nobody could start in time. */
export const missedKinds = ['once', 'skip'] as const

const bodyMaxBytes = 65_536
const headersMaxBytes = 4096

const header = z
  .string()
  .regex(/^x-[a-z0-9-]{1,100}$/, 'only headers that begin with x- go with a message, in lower case')
const value = z
  .string()
  // eslint-disable-next-line no-control-regex -- these are what it refuses
  .regex(/^[^\u0000-\u001f\u007f-\u009f]*$/, 'expected a value without control characters')

/** A fixed message of a cron node. */
export const firingMessage = z.strictObject({
  body: z
    .unknown()
    .optional()
    .refine((body) => jsonBytes(body) <= bodyMaxBytes, `expected JSON of at most ${bodyMaxBytes} bytes`)
    .describe('Any JSON, at most 64 KiB; left out: the firing itself'),
  headers: z
    .record(header, value)
    .optional()
    .refine((headers) => jsonBytes(headers) <= headersMaxBytes, `expected at most ${headersMaxBytes} bytes in all`)
    .describe('Headers that begin with x-, which go with the message'),
  tenant: z.string().min(1).max(200).optional().describe('On whose behalf'),
})

export type FiringMessage = z.output<typeof firingMessage>

function jsonBytes(value: unknown): number {
  try {
    return value === undefined ? 0 : Buffer.byteLength(JSON.stringify(value))
  } catch {
    // Circular, or too deep to be written.
    return Number.POSITIVE_INFINITY
  }
}
