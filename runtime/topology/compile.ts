/** Makes plans: from a checked document (publish), or from the plan in force (republish). Pure. */
import { parseEmit } from './emit.ts'
import { isEventType } from './graph.ts'
import { isEventNode, nodeDefaults, retryDefaults } from './plan.ts'
import type { EventNode, Plan, PlanNode, RetryPolicy, WorkerNode } from './plan.ts'
import type { DocumentNode, RetryInput, TopologyDocument } from './schema.ts'

/** What was set at a node without its document (PATCH); null or left out: nothing. Wins over the document. */
export interface StoredNode {
  readonly prefetch?: number | null
  readonly timeoutMs?: number | null
  readonly retry?: RetryInput | null
  readonly enabled?: boolean | null
}

/** What a node has when neither the document nor a stored value says otherwise: from its worker's record and manifest. */
export interface NodeDefaults {
  readonly path?: string
  readonly service?: string
  readonly prefetch?: number
  readonly partitionKey?: string
  readonly timeoutMs?: number
  readonly retry?: RetryInput
}

export interface CompileInput {
  readonly topologyId: string
  readonly revision: number
  /** Without faults by `checkDocument`. */
  readonly document: TopologyDocument
  /** Name → id; of every node. */
  readonly nodeIds: ReadonlyMap<string, string>
  /** By node name. */
  readonly stored: ReadonlyMap<string, StoredNode>
  /** By node name. */
  readonly defaults?: ReadonlyMap<string, NodeDefaults>
}

/**
 * The plan of a whole document, as if it were the topology's first one: `carryGenerations` gives it the lanes that there are.
 * Throws when a node has no id or the document wasn't checked: both are the caller's faults.
 */
export function compilePlan(input: CompileInput): Plan {
  const { topologyId, revision, document } = input
  const nodes = document.nodes.map((node) => compileNode(node, input))
  return { topologyId, name: document.name, revision, nodes }
}

/** The graph of the plan in force with the stored values of its nodes (by name) as they are now: the next revision. */
export function republishPlan(current: Plan, stored: ReadonlyMap<string, StoredNode>): Plan {
  const nodes = current.nodes.map((node) => restore(node, stored.get(node.name) ?? {}))
  return { ...current, revision: current.revision + 1, nodes }
}

function restore(node: PlanNode, stored: StoredNode): PlanNode {
  if (isEventNode(node)) return { ...node, enabled: stored.enabled ?? node.enabled }
  return {
    ...node,
    prefetch: stored.prefetch ?? node.prefetch,
    timeoutMs: stored.timeoutMs ?? node.timeoutMs,
    retry: raised(mergeRetry(node.retry, stored.retry)),
  }
}

function compileNode(node: DocumentNode, input: CompileInput): PlanNode {
  const { name, type } = node
  const followers = input.document.edges.filter(({ from }) => from === name).map(({ to }) => idOf(to, input))
  const common = { id: idOf(name, input), name, followers }
  const stored = input.stored.get(name) ?? {}
  if (isEventType(type)) {
    return { ...common, type, enabled: stored.enabled ?? node.enabled ?? true } satisfies EventNode
  }
  return { ...common, type, ...workerValues(node, stored, input.defaults?.get(name) ?? {}) } satisfies WorkerNode
}

function idOf(name: string, { nodeIds, topologyId }: CompileInput): string {
  const id = nodeIds.get(name)
  if (id === undefined) throw new Error(`topology ${topologyId}: the node ${name} has no id`)
  return id
}

function workerValues(node: DocumentNode, stored: StoredNode, defaults: NodeDefaults) {
  return {
    ...placeOf(node, defaults),
    ...paceOf(node, stored, defaults),
    ...lanesOf(node, stored, defaults),
    inPlaceMaxMs: node.inPlaceMaxMs ?? nodeDefaults.inPlaceMaxMs,
    onFail: node.onFail ?? nodeDefaults.onFail,
    emit: (node.emit === undefined ? null : parseEmit(node.emit)) ?? { kind: 'page' },
    maxPages: node.maxPages ?? nodeDefaults.maxPages,
    settings: node.settings ?? null,
  }
}

/** Where a node is called. */
function placeOf(node: DocumentNode, defaults: NodeDefaults) {
  if (node.worker === undefined) throw new Error(`the node ${node.name} has no worker; check the document first`)
  return {
    worker: node.worker,
    path: node.path ?? defaults.path ?? `/nodes/${node.uses ?? node.name}`,
    service: node.service ?? defaults.service ?? null,
  }
}

/** How many calls at once, and what shares a lane. */
function lanesOf(node: DocumentNode, stored: StoredNode, defaults: NodeDefaults) {
  return {
    prefetch: stored.prefetch ?? node.prefetch ?? defaultPrefetch(node, defaults),
    partitions: node.partitions ?? nodeDefaults.partitions,
    partitionKey: node.partitionKey ?? defaults.partitionKey ?? null,
    generation: 0,
    past: [],
  }
}

/** What a node has that says nothing of its prefetch. A worker's default is meant for a node without lanes. */
export function defaultPrefetch({ partitions }: Pick<DocumentNode, 'partitions'>, defaults: NodeDefaults): number {
  return (partitions ?? nodeDefaults.partitions) > 1 ? 1 : (defaults.prefetch ?? nodeDefaults.prefetch)
}

/** How long a call may take, and how often it is made. */
function paceOf(node: DocumentNode, stored: StoredNode, defaults: NodeDefaults) {
  return {
    timeoutMs: stored.timeoutMs ?? node.timeoutMs ?? defaults.timeoutMs ?? nodeDefaults.timeoutMs,
    retry: raised([defaults.retry, node.retry, stored.retry].reduce<RetryPolicy>(mergeRetry, retryDefaults)),
  }
}

/** Field by field; what `over` leaves out stays. */
function mergeRetry(policy: RetryPolicy, over: RetryInput | null | undefined): RetryPolicy {
  return {
    attempts: over?.attempts ?? policy.attempts,
    backoff: over?.backoff ?? policy.backoff,
    baseMs: over?.baseMs ?? policy.baseMs,
    maxMs: over?.maxMs ?? policy.maxMs,
    on: over?.on ?? policy.on,
    maxAgeMs: over?.maxAgeMs === undefined ? policy.maxAgeMs : over.maxAgeMs,
  }
}

/** A shortest delay from one place and a longest one from another may contradict each other: then both are the shortest. */
function raised(policy: RetryPolicy): RetryPolicy {
  return { ...policy, maxMs: Math.max(policy.maxMs, policy.baseMs) }
}
