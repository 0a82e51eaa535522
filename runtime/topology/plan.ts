/**
 * The plan: the immutable published snapshot of a topology. The only thing a bridge reads.
 * Made by `compilePlan` from a checked document, kept in Postgres as a revision and in KV for the bridges.
 */
import type { FiringMessage, missedKinds, overlapKinds } from './schedule/schema.ts'
import type { Webhook } from './webhooks/config.ts'

export const eventNodeTypes = ['start', 'cron', 'webhook'] as const
export const workerNodeTypes = ['connector', 'batch', 'custom'] as const
export const nodeTypes = [...eventNodeTypes, ...workerNodeTypes] as const

export type EventNodeType = (typeof eventNodeTypes)[number]
export type WorkerNodeType = (typeof workerNodeTypes)[number]

/** How a failed call is tried again. Times in milliseconds. */
export interface RetryPolicy {
  /** How many calls a message gets in all, 1–100. */
  readonly attempts: number
  readonly backoff: 'fixed' | 'exponential'
  readonly baseMs: number
  readonly maxMs: number
  /**
   * Which failures are retried: `timeout`, `connection`, `status:502`, `status:5xx`, `status:500-504`, `any`, and `default` for what
   * the protocol's table retries; empty, as in older plans, means `default` alone.
   */
  readonly on: readonly string[]
  /** No retry for a message older than this; null means no age limit. */
  readonly maxAgeMs: number | null
}

/** The policy of a node that says nothing about retries. */
export const retryDefaults: RetryPolicy = {
  attempts: 10,
  backoff: 'exponential',
  baseMs: 250,
  maxMs: 300_000,
  on: ['default'],
  maxAgeMs: null,
}

/** What a worker node has when its document says nothing. */
export const nodeDefaults = {
  prefetch: 1,
  partitions: 1,
  timeoutMs: 30_000,
  inPlaceMaxMs: 120_000,
  onFail: 'skip',
  maxPages: 1_000_000,
} as const

/** What becomes of the messages of a node that leaves; see leaving.ts. */
export type Leaving = 'drain' | 'trash'

interface PlanNodeCommon {
  readonly id: string
  readonly name: string
  /** Ids of the nodes that this node's edges lead to, in the document's order. */
  readonly followers: readonly string[]
  /** Only at a node that leaves. */
  readonly leaving?: Leaving
}

/** An event node is a hop without a call: the bridge forwards or splits what the intake stored. */
export interface EventNode extends PlanNodeCommon {
  readonly type: EventNodeType
  readonly enabled: boolean
  /** Of a webhook node. */
  readonly webhook?: Webhook
  /** Of start and cron nodes; left out, as in older plans, it is what `overlapOf` says. */
  readonly overlap?: Overlap
  /** Only at cron nodes. */
  readonly schedule?: Schedule
  /** Its runs read everything again: no batch node is handed a watermark. */
  readonly reconcile?: boolean
}

/** What a start does while another run of its node is going on. */
export type Overlap = (typeof overlapKinds)[number]

/** When a cron node fires, and what. */
export interface Schedule {
  readonly cron: string
  readonly timezone: string
  /** What becomes of firings that nobody could start in time. */
  readonly missed: (typeof missedKinds)[number]
  /** Null: the firing itself. */
  readonly message: FiringMessage | null
}

/** A set of lanes that a worker node's queue has, or had. */
export interface Generation {
  /** Never the same for two sets of lanes of one node; see generations.ts. */
  readonly generation: number
  /** Lanes, 1–64; messages with the same key share one and keep their order. More than 1 means prefetch 1 in each. */
  readonly partitions: number
  /** Where the key stands, as `parsePartitionKey` reads it; null: the key that a worker set. */
  readonly partitionKey: string | null
  /** Messages of one lane that may be at workers at the same time, 1–20. 1 means ordered. */
  readonly prefetch: number
}

/** A generation to which nothing is sent any more. */
export interface PastGeneration extends Generation {
  /** RFC 3339. */
  readonly retiredAt: string
}

export interface WorkerNode extends PlanNodeCommon, Generation {
  readonly type: WorkerNodeType
  /** Name of the worker that implements the node; its addresses are kept under that name. */
  readonly worker: string
  /** The worker's own name for the node: whose defaults it has. */
  readonly uses: string
  /** Path of the node at the worker, such as `/nodes/orders`. */
  readonly path: string
  readonly service: string | null
  /** What one call counts against the service's limits; left out by plans of older versions: 1. */
  readonly limitCost?: number
  /** Generations that are read until they are empty, oldest first; the node's own fields say which one is in force. */
  readonly past: readonly PastGeneration[]
  readonly timeoutMs: number
  readonly retry: RetryPolicy
  /** How long one message of an ordered node may be retried in place. */
  readonly inPlaceMaxMs: number
  readonly onFail: 'skip' | 'block'
  /** How a JSON array body of this node's replies becomes messages, unless the reply says so itself. `n` is the size of chunks. */
  readonly emit: { readonly kind: 'page' | 'records' } | { readonly kind: 'chunks'; readonly n: number }
  /** Pages a batch node may read in one run. */
  readonly maxPages: number
  /** How a batch node goes on where earlier runs have read to; without it, it reads everything. */
  readonly watermark?: WatermarkPolicy
  /** Handed to the worker with every call, base64url of this JSON; null when unset. */
  readonly settings: Readonly<Record<string, unknown>> | null
}

/** What a batch node's runs are handed, and when what they propose is committed. */
export interface WatermarkPolicy extends LookBack {
  /** `drained`: every message of the run is done or in Trash; `clean`: nothing of it is in Trash. */
  readonly commit: 'drained' | 'clean'
  /** Handed as long as nothing is committed; null: nothing is. */
  readonly initial: string | null
}

/** How far before the committed watermark a run begins. */
export interface LookBack {
  /** Of RFC 3339 times; null: none. */
  readonly lookBackMs: number | null
  /** Of whole numbers, in their own unit; null: none. */
  readonly lookBackBy: number | null
}

export type PlanNode = EventNode | WorkerNode

export interface Plan {
  readonly topologyId: string
  readonly name: string
  /** 1 for the first publish; grows by one with each publish and republish. */
  readonly revision: number
  readonly nodes: readonly PlanNode[]
}

export function overlapOf({ type, overlap }: Pick<EventNode, 'type' | 'overlap'>): Overlap {
  return overlap ?? (type === 'cron' ? 'skip' : 'allow')
}

export function isEventNode(node: PlanNode): node is EventNode {
  return (eventNodeTypes as readonly string[]).includes(node.type)
}

/** An ordered node settles its messages in order, a partitioned one those of each lane (I5). */
export function isOrdered(node: PlanNode): boolean {
  return !isEventNode(node) && node.prefetch === 1
}

/** Where a worker can be called. `secret` is encrypted with the engine's key (see secrets.ts). */
export interface WorkerAddress {
  readonly name: string
  readonly urls: readonly string[]
  readonly dialect: 'native' | 'orchesty'
  /** Grows with each change: an older address never replaces a newer one. */
  readonly version: number
  readonly secret: string | null
  /** Overrides nothing when null; otherwise the default call time-out of the worker's nodes, in milliseconds. */
  readonly timeoutMs: number | null
}
