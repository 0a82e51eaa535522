/** What a worker says of itself at `/.well-known/sluice-worker`. Pure. */
import { z } from 'zod'
import type { Fault } from '../errors.ts'
import { isPlainPath, nodeValueSchemas, partitionKeySchema, retrySchema } from '../topology/schema.ts'
import { didYouMean } from '../topology/suggest.ts'
import type { NodeDefaults } from '../topology/values.ts'

/** What a manifest must have to be one; a default that can't be used is a fault of its own, and the others count. */
export const manifestSchema = z.looseObject({
  protocol: z.literal(1),
  worker: z.string().max(200),
  version: z.string().max(200).optional(),
  nodes: z
    .array(
      z.looseObject({
        name: z.string().max(200),
        type: z.enum(['connector', 'batch', 'custom']),
        path: z.string().max(1000).optional(),
        service: z.string().max(200).optional(),
        defaults: z.unknown().optional(),
        /** JSON Schema of the bodies that it takes. */
        input: z.unknown().optional(),
      }),
    )
    .max(1000),
})

export type Manifest = z.infer<typeof manifestSchema>
export type ManifestNode = Manifest['nodes'][number]

const fields: Readonly<Record<string, z.ZodType>> = { ...nodeValueSchemas, partitionKey: partitionKeySchema }

/** What a node's manifest entry gives to nodes that don't say it themselves; faults with their paths below `nodes[i]`. */
export function readDefaults({ path, service, defaults }: ManifestNode): { defaults: NodeDefaults; faults: Fault[] } {
  const faults: Fault[] = []
  const isGoodPath = path === undefined || isPlainPath(path)
  if (!isGoodPath) faults.push({ path: 'path', message: 'expected a plain path such as /nodes/orders' })
  const { retry, ...rest } = objectOf(defaults, 'defaults', faults)
  const policy = retry === undefined ? {} : goodFields(objectOf(retry, 'defaults.retry', faults), retryFields, faults)
  const values: NodeDefaults = {
    ...goodFields(rest, valueFields, faults),
    ...(Object.keys(policy).length > 0 && { retry: policy }),
    ...(isGoodPath && path !== undefined && { path }),
    ...(service !== undefined && { service }),
  }
  return { defaults: values, faults }
}

/** Every default of a manifest that is ignored because it can't be used. */
export function manifestFaults({ nodes }: Manifest): Fault[] {
  return nodes.flatMap((node, index) =>
    readDefaults(node).faults.map(({ path, message }) => ({ path: `nodes[${index}].${path}`, message })),
  )
}

const valueFields = { at: 'defaults', schemas: fields }
const retryFields = { at: 'defaults.retry', schemas: retrySchema.shape as Readonly<Record<string, z.ZodType>> }

function objectOf(value: unknown, path: string, faults: Fault[]): Record<string, unknown> {
  if (value === undefined || value === null) return {}
  if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>
  faults.push({ path, message: `expected an object; found ${shown(value)}` })
  return {}
}

function goodFields(values: object, { at, schemas }: typeof valueFields, faults: Fault[]): Record<string, unknown> {
  const good: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined || value === null) continue
    const schema = Object.hasOwn(schemas, key) ? schemas[key] : undefined
    const parsed = schema?.safeParse(value)
    if (parsed?.success) good[key] = parsed.data
    else faults.push({ path: `${at}.${key.slice(0, 80)}`, message: messageOf(key, value, parsed?.error, schemas) })
  }
  return good
}

function messageOf(key: string, value: unknown, error: z.ZodError | undefined, schemas: object): string {
  if (error === undefined) return `there is no such default${didYouMean(key, Object.keys(schemas))}`
  return `${error.issues[0]?.message ?? 'can not be used'}; found ${shown(value)}`
}

function shown(value: unknown): string {
  return JSON.stringify(value).slice(0, 80)
}
