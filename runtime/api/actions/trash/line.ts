import { z } from 'zod'
import { opaqueHeaderValue, userHeadersFault } from '../../../protocol/header-values.ts'
import { isContentType } from '../../../protocol/outputs.ts'
import { isDeep, utf8 } from '../../body.ts'
import { isInYears } from '../../schemas/common.ts'

/** A line of an import, as an export writes it. What it has beside is left out, since newer engines may say more. */
const bodyMaxBytes = 8 * 1024 * 1024
const attemptsMax = 1_000
const versionsMax = 1_000

const time = z.iso
  .datetime({ offset: true })
  .refine((text) => isInYears(new Date(text)), 'expected a time in the years 0001 to 9999')
/** As long as what a worker is called with can be: a longer head is refused by HTTP servers, over and over. */
const inHeader = (maxBytes: number) =>
  [
    (text: string) => opaqueHeaderValue(text).length <= maxBytes,
    `is longer than ${maxBytes} bytes in a header`,
  ] as const
const idMaxBytes = 2_048
const cursorMaxBytes = 4_096

/** Every tenant and key that there can be: what runs begin with may have 200 letters, what workers name has fewer bytes. */
const key = z.string().max(256).nullable().default(null)
const headers = z.record(z.string(), z.string()).superRefine((value, context) => {
  const fault = userHeadersFault(value)
  if (fault !== null) context.addIssue(fault)
})
const contentType = z.string().refine(isContentType, 'expected printable ASCII of at most 256 bytes')
const problem = z.object({
  type: z.string().max(2_000).default('about:blank'),
  title: z.string().max(10_000),
  status: z.int().min(0).max(999).optional(),
  detail: z.string().max(100_000).optional(),
})
const attempt = z.object({
  attempt: z.int().min(0),
  at: time,
  instance: z.string().max(2_000).nullable().default(null),
  status: z.int().nullable().default(null),
  problem,
  durationMs: z.number().min(0).default(0),
})
const bodies = { bodyText: z.string().optional(), bodyBase64: z.base64('expected base64').optional() }

const version = z
  .object({
    version: z.int().min(1).max(1_000_000),
    headers,
    contentType,
    ...bodies,
    reason: z.string().max(1_000).nullable().default(null),
    by: z.string().max(200),
    createdAt: time,
  })
  .superRefine(hasOneBody)

const line = z
  .object({
    id: z.string().regex(/^[\w-]{1,64}$/, 'expected the id of a message in Trash'),
    node: z.string().min(1).max(200),
    messageId: z
      .string()
      .min(1)
      .max(500)
      .refine(...inHeader(idMaxBytes)),
    state: z.enum(['open', 'replayed', 'discarded']).default('open'),
    error: problem,
    attempts: z.array(attempt).max(attemptsMax).default([]),
    headers,
    contentType,
    ...bodies,
    from: z
      .string()
      .regex(/^[\x21-\x7e]{0,200}$/, 'expected the id of a node')
      .default(''),
    created: time.optional(),
    createdAt: time,
    page: z.int().min(0).default(0),
    cursor: z
      .string()
      .refine(...inHeader(cursorMaxBytes))
      .nullable()
      .default(null),
    reconcile: z.boolean().default(false),
    tenant: key,
    key,
    limitKey: key,
    traceparent: z.string().max(100).nullable().default(null),
    versions: z
      .array(version)
      .max(versionsMax)
      .transform((all) => all.toSorted((one, other) => one.version - other.version))
      .refine(
        (all) => all.every((one, n) => one.version === n + 1),
        'expected the versions 1, 2, 3 and so on, each once',
      )
      .default([]),
  })
  .superRefine(hasOneBody)

export type ReadLine = z.output<typeof line>
type Bodies = { readonly bodyText?: string | undefined; readonly bodyBase64?: string | undefined }

function hasOneBody({ bodyText, bodyBase64 }: Bodies, context: z.core.$RefinementCtx): void {
  if ((bodyText === undefined) === (bodyBase64 === undefined))
    context.addIssue({ code: 'custom', path: ['bodyText'], message: 'expected bodyText or bodyBase64, one of both' })
  else if (bytesOf({ bodyText, bodyBase64 }).byteLength > bodyMaxBytes)
    context.addIssue({ code: 'custom', path: ['bodyText'], message: `is larger than ${bodyMaxBytes} bytes` })
}

export function bytesOf({ bodyText, bodyBase64 }: Bodies): Uint8Array {
  return bodyText === undefined ? Buffer.from(bodyBase64 ?? '', 'base64') : Buffer.from(bodyText)
}

/** A text: what is wrong with it, and where. */
export function readLine(bytes: Uint8Array): ReadLine | { readonly path: string; readonly message: string } {
  const text = utf8(bytes)
  if (text === null) return { path: '', message: 'is not UTF-8' }
  if (isDeep(text)) return { path: '', message: 'is nested too deep' }
  const parsed = parse(text)
  if (parsed === undefined) return { path: '', message: 'is no JSON' }
  const { success, data, error } = line.safeParse(parsed)
  if (success) return data
  const [issue] = error.issues
  return { path: issue?.path.join('.') ?? '', message: issue?.message ?? 'can not be read' }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
