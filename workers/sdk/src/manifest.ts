import { jsonSchemaOf, type JsonSchema, type Schema } from './schema.ts'

export type NodeType = 'connector' | 'batch' | 'custom'

/** How failed calls are made again; times in milliseconds. What is left out is the topology's or the engine's default. */
export interface RetryDefaults {
  readonly attempts?: number
  readonly backoff?: 'fixed' | 'exponential'
  readonly baseMs?: number
  readonly maxMs?: number
  /** Which failures: `timeout`, `connection`, `status:502`, `status:5xx`, `status:500-504`, `any`, `default`. */
  readonly on?: readonly string[]
  readonly maxAgeMs?: number
}

/** What a node says of itself. The numbers are defaults: the topology has the last word. */
export interface NodeOptions<Input extends Schema = JsonSchema, Settings extends Schema = JsonSchema> {
  readonly title?: string
  readonly description?: string
  /** Schema of the body. A Standard Schema (zod, …) also checks it: 422 with all faults when it doesn't fit. */
  readonly input?: Input
  readonly output?: Schema
  /** Schema of the node's settings in the topology; checks them as `input` does the body. */
  readonly settings?: Settings
  /** Messages that may be here at the same time, 1–20. */
  readonly prefetch?: number
  readonly timeoutMs?: number
  readonly retry?: RetryDefaults
  /** How long one message is retried where order counts (prefetch 1); milliseconds. */
  readonly inPlaceMaxMs?: number
  /** After a final failure where order counts: `skip` goes on with the next message, `block` pauses the node. */
  readonly onFail?: 'skip' | 'block'
  /** JSON Pointer into the body to the ordering key, such as `/customer/id`. */
  readonly partitionKey?: string
  /** The external system that the node calls. */
  readonly service?: string
  /** Names of topology nodes that use this node under another name; needed for those only when the worker has a secret. */
  readonly aliases?: readonly string[]
}

/** A node as the manifest shows it. */
export interface ManifestNode {
  readonly name: string
  readonly type: NodeType
  readonly path: string
  readonly title?: string | undefined
  readonly description?: string | undefined
  readonly input?: JsonSchema | undefined
  readonly output?: JsonSchema | undefined
  readonly settings?: JsonSchema | undefined
  readonly defaults?: Readonly<Record<string, unknown>> | undefined
  readonly service?: string | undefined
}

export interface Manifest {
  readonly protocol: 1
  readonly worker: string
  readonly version: string
  readonly nodes: readonly ManifestNode[]
}

export function manifestNode(name: string, type: NodeType, options: NodeOptions<Schema, Schema>): ManifestNode {
  const { title, description, input, output, settings, service } = options
  const { prefetch, timeoutMs, retry, inPlaceMaxMs, onFail, partitionKey } = options
  const defaults = { prefetch, timeoutMs, retry, inPlaceMaxMs, onFail, partitionKey }
  return {
    name,
    type,
    path: `/nodes/${name}`,
    title,
    description,
    input: jsonSchemaOf(input),
    output: jsonSchemaOf(output),
    settings: jsonSchemaOf(settings),
    defaults: Object.values(defaults).some((value) => value !== undefined) ? defaults : undefined,
    service,
  }
}
