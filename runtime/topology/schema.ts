/**
 * The shape of a topology document: which fields there are, of which type and in which range. What concerns several nodes
 * (edges, workers, cycles) is in check.ts: a draft may be saved with such faults, but never with one of these.
 */
import { z } from 'zod'
import './faults/words.ts'
import { emitForms, parseEmit } from './emit.ts'
import { parsePartitionKey, partitionKeyForms } from './lanes/partition-key.ts'
import { nodeTypes, workerNodeTypes } from './plan.ts'

const nodesMax = 200
const edgesMax = 2000
const prefetchMax = 20
const partitionsMax = 64
/** Settings as a header carries them: base64url of their JSON. */
const settingsMaxBytes = 4096
const dayMs = 86_400_000

const nameRule = 'a name of 1 to 63 characters: a–z, 0–9 and -'

const name = z.string().regex(/^[a-z0-9-]{1,63}$/, `expected ${nameRule}`)
const reference = z.string().min(1).max(200)
const integer = (min: number, max: number) => z.int().min(min).max(max)

const onItem = z
  .string()
  .regex(
    /^(timeout|connection|any|default|status:[45](\d\d|xx)|status:[45]\d\d-[45]\d\d)$/,
    'expected timeout, connection, any, default, or a status of failure (400 to 599) such as status:502, status:5xx or status:500-504',
  )
  .refine((item) => !isReversed(item), 'the first status of a range is not above its last')

export const partitionKeySchema = z
  .string()
  .max(200)
  .refine((text) => parsePartitionKey(text) !== null, `expected ${partitionKeyForms}`)

export const retrySchema = z.strictObject({
  attempts: integer(1, 100).optional(),
  backoff: z.enum(['fixed', 'exponential']).optional(),
  baseMs: integer(1, 3_600_000).optional(),
  maxMs: integer(1, dayMs).optional(),
  on: z
    .array(onItem)
    .min(1, 'names no failure: leave it out or say [default] for the usual ones; attempts: 1 never tries again')
    .max(50)
    .optional(),
  maxAgeMs: integer(1, 30 * dayMs)
    .nullable()
    .optional(),
})

/** Values of a worker node that its document, its worker's manifest or the node itself may say. */
export const nodeValueSchemas = {
  prefetch: integer(1, prefetchMax),
  timeoutMs: integer(100, dayMs),
  inPlaceMaxMs: integer(1000, dayMs),
  onFail: z.enum(['skip', 'block']),
}

const settings = z.record(z.string(), z.unknown()).refine((value) => settingsBytes(value) <= settingsMaxBytes, {
  error: ({ input }) =>
    `settings take ${settingsBytes(input as object)} bytes as base64url JSON; at most ${settingsMaxBytes} fit in a call`,
})

const nodeSchema = z
  .strictObject({
    name,
    type: z
      .enum([...nodeTypes, 'batch_connector'])
      // The older editors' word for a batch node.
      .transform((type) => (type === 'batch_connector' ? 'batch' : type)),
    worker: reference.optional(),
    uses: reference.optional(),
    path: z
      .string()
      .max(1000)
      .refine(isPlainPath, 'expected a plain path such as /nodes/orders: no scheme, host, query, fragment, space or ..')
      .optional(),
    service: reference.optional(),
    prefetch: nodeValueSchemas.prefetch.optional(),
    partitions: integer(1, partitionsMax).optional(),
    partitionKey: partitionKeySchema.optional(),
    retry: retrySchema.optional(),
    timeoutMs: nodeValueSchemas.timeoutMs.optional(),
    inPlaceMaxMs: nodeValueSchemas.inPlaceMaxMs.optional(),
    onFail: nodeValueSchemas.onFail.optional(),
    cron: z.string().max(200).optional(),
    timezone: z.string().max(100).optional(),
    settings: settings.optional(),
    emit: z
      .string()
      .refine((text) => parseEmit(text) !== null, `expected ${emitForms}`)
      .optional(),
    maxPages: integer(1, 1_000_000_000).optional(),
    enabled: z.boolean().optional(),
  })
  .superRefine((node, context) => {
    if (node.prefetch === undefined || (workerNodeTypes as readonly string[]).includes(node.type)) return
    const message = `a ${node.type} node has no prefetch; only ${workerNodeTypes.join(', ')} nodes do`
    context.addIssue({ code: 'custom', path: ['prefetch'], message })
  })

const edgeSchema = z.strictObject({ from: reference, to: reference })

export const documentSchema = z.strictObject({
  name,
  description: z.string().max(4096).optional(),
  labels: z.record(z.string().min(1).max(63), z.string().max(255)).optional(),
  nodes: z.array(nodeSchema).max(nodesMax),
  edges: z.array(edgeSchema).max(edgesMax).default([]),
})

/** A topology as people write it; what it leaves out gets its default in `compilePlan`. */
export type TopologyDocument = z.output<typeof documentSchema>
export type DocumentNode = TopologyDocument['nodes'][number]
/** A retry policy as people write it; what it leaves out has the default. */
export type RetryInput = z.output<typeof retrySchema>

/** JSON Schema (2020-12) of the document as people write it. */
export function documentJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(documentSchema, { io: 'input' })
}

/** The keys of the object at `path` in a document, for suggestions; none for free-form objects. */
export function keysAt(path: readonly PropertyKey[]): string[] {
  if (path.length === 0) return Object.keys(documentSchema.shape)
  if (path[0] === 'edges') return Object.keys(edgeSchema.shape)
  if (path[0] === 'nodes' && path.length === 2) return Object.keys(nodeSchema.shape)
  return path[0] === 'nodes' && path[2] === 'retry' ? Object.keys(retrySchema.shape) : []
}

function isReversed(item: string): boolean {
  const range = /^status:(\d\d\d)-(\d\d\d)$/.exec(item)
  return range !== null && Number(range[1]) > Number(range[2])
}

function settingsBytes(value: object): number {
  try {
    return Math.ceil((Buffer.byteLength(JSON.stringify(value)) * 4) / 3)
  } catch {
    // Circular, or too deep to be written: such a value has no JSON.
    return Number.POSITIVE_INFINITY
  }
}

export function isPlainPath(path: string): boolean {
  if (!/^\/[A-Za-z0-9\-._~!$&'()*+,;=:@%/]*$/.test(path) || path.startsWith('//')) return false
  return !path.split('/').some((part) => /^(\.|%2e){1,2}$/i.test(part))
}
