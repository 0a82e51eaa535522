/** Makes plans: from a checked document (publish), or from the plan in force (republish). Pure. */
import { parseEmit } from './emit.ts'
import { isEventType } from './graph.ts'
import { isEventNode, nodeDefaults } from './plan.ts'
import type { EventNode, Plan, PlanNode, WorkerNode } from './plan.ts'
import type { DocumentNode, TopologyDocument } from './schema.ts'
import { resolveValues } from './values.ts'
import { policyOf } from './watermarks/policy.ts'
import type { NodeDefaults, NodeValues } from './values.ts'

/** What was set at a node without its document (PATCH). Wins over the document. */
export interface StoredNode extends NodeValues {
  readonly enabled?: boolean | null
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

/**
 * The graph of the plan in force with the values of its nodes (by name) as they are now: the next revision. `stored` has what
 * the documents say, too; a value that isn't there any more goes back to the default.
 */
export function republishPlan(
  current: Plan,
  stored: ReadonlyMap<string, StoredNode>,
  defaults: ReadonlyMap<string, NodeDefaults>,
): Plan {
  const nodes = current.nodes.map((node) => restore(node, stored.get(node.name) ?? {}, defaults.get(node.name) ?? {}))
  return { ...current, revision: current.revision + 1, nodes }
}

function restore(node: PlanNode, stored: StoredNode, defaults: NodeDefaults): PlanNode {
  if (isEventNode(node)) return { ...node, enabled: stored.enabled ?? node.enabled }
  return { ...node, ...resolveValues(node.partitions, [stored], defaults) }
}

function compileNode(node: DocumentNode, input: CompileInput): PlanNode {
  const { name, type } = node
  const followers = input.document.edges.filter(({ from }) => from === name).map(({ to }) => idOf(to, input))
  const common = { id: idOf(name, input), name, followers }
  const stored = input.stored.get(name) ?? {}
  if (isEventType(type)) {
    const enabled = stored.enabled ?? node.enabled ?? true
    return { ...common, type, enabled, ...(node.reconcile && { reconcile: true }) } satisfies EventNode
  }
  return { ...common, type, ...workerValues(node, stored, input.defaults?.get(name) ?? {}) } satisfies WorkerNode
}

function idOf(name: string, { nodeIds, topologyId }: CompileInput): string {
  const id = nodeIds.get(name)
  if (id === undefined) throw new Error(`topology ${topologyId}: the node ${name} has no id`)
  return id
}

function workerValues(node: DocumentNode, stored: StoredNode, defaults: NodeDefaults) {
  const partitions = node.partitions ?? nodeDefaults.partitions
  return {
    ...placeOf(node, defaults),
    ...resolveValues(partitions, [stored, node], defaults),
    partitions,
    partitionKey: node.partitionKey ?? defaults.partitionKey ?? null,
    generation: 0,
    past: [],
    emit: (node.emit === undefined ? null : parseEmit(node.emit)) ?? { kind: 'page' as const },
    maxPages: node.maxPages ?? nodeDefaults.maxPages,
    ...(node.watermark && { watermark: policyOf(node.watermark) }),
    settings: node.settings ?? null,
  }
}

/** Where a node is called. */
function placeOf(node: DocumentNode, defaults: NodeDefaults) {
  if (node.worker === undefined) throw new Error(`the node ${node.name} has no worker; check the document first`)
  return {
    worker: node.worker,
    uses: node.uses ?? node.name,
    path: node.path ?? defaults.path ?? `/nodes/${node.uses ?? node.name}`,
    service: node.service ?? defaults.service ?? null,
  }
}
