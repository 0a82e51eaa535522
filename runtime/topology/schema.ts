/**
 * The shape of a topology document: which fields there are, of which type and in which range. What concerns several nodes
 * (edges, workers, cycles) is in check.ts: a draft may be saved with such faults, but never with one of these.
 */
import { z } from 'zod'
import './faults/words.ts'
import { emitForms, emitPattern, parseEmit } from './emit.ts'
import { firingMessage, missedKinds, overlapKinds } from './schedule/schema.ts'
import { limitCostMax } from './limits/limits.ts'
import { parsePartitionKey, partitionKeyForms, partitionKeyPattern } from './lanes/partition-key.ts'
import { nodeTypes, workerNodeTypes } from './plan.ts'
import { acceptSchema, handshakeSchema, verifySchema, webhookKeys } from './webhooks/schema.ts'
import { policyFaults, watermarkPolicySchema } from './watermarks/policy.ts'

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

const plainPathForms = 'a plain path such as /nodes/orders: no scheme, host, query, fragment, space or ..'
const plainPathPattern = "^(?!//)(?!.*/(?:\\.|%2[eE]){1,2}(?:/|$))/[A-Za-z0-9\\-._~!$&'()*+,;=:@%/]*$"

/** A text of which a function decides; `pattern` says the same to editors. */
const decided = (schema: z.ZodString, is: (text: string) => boolean, forms: string, pattern: string) =>
  schema.refine(is, `expected ${forms}`).meta({ pattern })

const onItem = z
  .string()
  .regex(
    /^(timeout|connection|any|default|status:[45](\d\d|xx)|status:[45]\d\d-[45]\d\d)$/,
    'expected timeout, connection, any, default, or a status of failure (400 to 599) such as status:502, status:5xx or status:500-504',
  )
  .refine((item) => !isReversed(item), 'the first status of a range is not above its last')

export const partitionKeySchema = decided(
  z.string().max(200),
  (text) => parsePartitionKey(text) !== null,
  partitionKeyForms,
  partitionKeyPattern,
)

export const retrySchema = z.strictObject({
  attempts: integer(1, 100).optional().describe('Calls in all, 1–100; default 10'),
  backoff: z.enum(['fixed', 'exponential']).optional().describe('How the delay grows; default exponential'),
  baseMs: integer(1, 3_600_000).optional().describe('Delay before the second call, in ms; default 250'),
  maxMs: integer(1, dayMs).optional().describe('Longest delay, in ms; default 300000'),
  on: z
    .array(onItem)
    .min(1, 'names no failure: leave it out or say [default] for the usual ones; attempts: 1 never tries again')
    .max(50)
    .optional()
    .describe(
      'Which failures are tried again: timeout, connection, any, default, status:502, status:5xx, status:500-504',
    ),
  maxAgeMs: integer(1, 30 * dayMs)
    .nullable()
    .optional()
    .describe('No further try for a message older than this, in ms'),
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
    name: name.describe('Unique in the topology; a node keeps its queue and its history as long as it keeps its name'),
    type: z
      .enum([...nodeTypes, 'batch_connector'])
      // The older editors' word for a batch node.
      .transform((type) => (type === 'batch_connector' ? 'batch' : type))
      .describe(
        'start, cron and webhook begin runs; connector, batch and custom are handled by a worker; batch_connector is read as batch',
      ),
    worker: reference.optional().describe('Name of the registered worker'),
    uses: reference.optional().describe("The worker's name for the node; default: the node's own name"),
    path: decided(z.string().max(1000), isPlainPath, plainPathForms, plainPathPattern)
      .optional()
      .describe('Path at the worker; default /nodes/{uses}'),
    service: reference.optional().describe('The external system whose limits hold for the calls'),
    limitCost: integer(1, limitCostMax)
      .optional()
      .describe("How many requests one call counts as, against its service's limits; default 1"),
    prefetch: nodeValueSchemas.prefetch
      .optional()
      .describe('Messages at workers at the same time, 1–20; default 1, which keeps their order'),
    partitions: integer(1, partitionsMax).optional().describe('Lanes, 1–64; with more than one, prefetch must be 1'),
    partitionKey: partitionKeySchema
      .optional()
      .describe('Where the key of a message stands: /customer/id or header:x-customer'),
    retry: retrySchema.optional().describe('How failed calls are tried again'),
    timeoutMs: nodeValueSchemas.timeoutMs.optional().describe('How long one call may take, in ms; default 30000'),
    inPlaceMaxMs: nodeValueSchemas.inPlaceMaxMs
      .optional()
      .describe('How long a message of an ordered node is tried again before it goes to Trash, in ms; default 120000'),
    onFail: nodeValueSchemas.onFail
      .optional()
      .describe('Of an ordered node, after a final failure: skip goes on (default), block pauses the node'),
    cron: z
      .string()
      .max(200)
      .optional()
      .describe('Of a cron node: 5 or 6 fields such as "0 6 * * mon", a word such as @hourly, or "@every 15m"'),
    timezone: z.string().max(100).optional().describe('Of a cron node, such as Europe/Prague; default UTC'),
    overlap: z
      .enum(overlapKinds)
      .optional()
      .describe(
        'Of a start or cron node, while another run of it is going on: allow starts one more (default of start nodes), skip none (default of cron nodes), queue one after the other',
      ),
    missed: z
      .enum(missedKinds)
      .optional()
      .describe(
        'Of a cron node, for firings that nobody could start in time: once makes up for all with one run (default), skip for none',
      ),
    message: firingMessage.optional().describe('Of a cron node: what its firings send'),
    settings: settings.optional().describe('Handed to the worker with every call; at most 4 KiB as base64url JSON'),
    emit: decided(z.string(), (text) => parseEmit(text) !== null, emitForms, emitPattern)
      .optional()
      .describe('What a JSON array becomes: page (default) one message, records one per element, chunks=N arrays of N'),
    maxPages: integer(1, 1_000_000_000).optional().describe('Of a batch node: pages in one run; default 1000000'),
    watermark: watermarkPolicySchema
      .optional()
      .describe('Of a batch node: its runs go on where the ones before have read to; left out, they read everything'),
    reconcile: z
      .boolean()
      .optional()
      .describe('Of an event node: its runs read everything again, whatever was read before; default false'),
    enabled: z.boolean().optional().describe('Of an event node: whether it takes starts; default true'),
    verify: verifySchema.optional().describe('Of a webhook node: how deliveries are signed'),
    handshake: handshakeSchema.optional().describe('Of a webhook node: what is echoed when its address is registered'),
    accept: acceptSchema.optional().describe('Of a webhook node: what it takes, and what goes with the message'),
  })
  .superRefine((node, context) => {
    const faults = node.watermark === undefined ? [] : policyFaults(node.watermark, 'watermark')
    for (const { path, message } of faults) context.addIssue({ code: 'custom', path: path.split('.'), message })
    if (node.prefetch === undefined || (workerNodeTypes as readonly string[]).includes(node.type)) return
    const message = `a ${node.type} node has no prefetch; only ${workerNodeTypes.join(', ')} nodes do`
    context.addIssue({ code: 'custom', path: ['prefetch'], message })
  })

const edgeSchema = z.strictObject({
  from: reference.describe('Name of the node that a message leaves'),
  to: reference.describe('Name of the node that it goes to'),
})

const labelsMax = 64

export const documentSchema = z.strictObject({
  name: name.describe('Unique among topologies'),
  description: z.string().max(4096).optional().describe('For people'),
  labels: z
    .record(z.string().min(1).max(63), z.string().max(255))
    .refine((all) => Object.keys(all).length <= labelsMax, `a topology has at most ${labelsMax} labels`)
    .optional()
    .describe(`For people and scripts: text by name, at most ${labelsMax}`),
  nodes: z.array(nodeSchema).max(nodesMax).describe('At most 200'),
  edges: z
    .array(edgeSchema)
    .max(edgesMax)
    .default([])
    .describe('Where messages go next; at most 2000, no cycles; their order is the order of followers'),
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
  if (path[0] !== 'nodes') return []
  if (path[2] === 'message' && path.length === 3) return Object.keys(firingMessage.shape)
  if (path[2] === 'watermark') return Object.keys(watermarkPolicySchema.shape)
  return path[2] === 'retry' ? Object.keys(retrySchema.shape) : [...(webhookKeys[String(path[2])] ?? [])]
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
