/** Makes plans: from a checked document (publish), or from the plan in force (republish). Pure. */
import { parseEmit } from './emit.ts'
import { isEventType } from './graph.ts'
import { isEventNode, nodeDefaults } from './plan.ts'
import type { EventNode, Overlap, Plan, PlanNode, Schedule, WorkerNode } from './plan.ts'
import type { DocumentNode, TopologyDocument } from './schema.ts'
import { resolveValues } from './values.ts'
import { policyOf } from './watermarks/policy.ts'
import type { NodeDefaults, NodeValues } from './values.ts'
import { compileWebhook } from './webhooks/compile.ts'

/** What was set at a node without its document (PATCH). Wins over the document. */
export interface StoredNode extends NodeValues {
  readonly enabled?: boolean | null
  readonly cron?: string | null
  readonly timezone?: string | null
  readonly overlap?: Overlap | null
  readonly missed?: Schedule['missed'] | null
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

/** Whether `compilePlan` can make a plan of it, whatever else forbids to publish that. */
export function canCompile({ nodes, edges }: TopologyDocument): boolean {
  const names = new Set(nodes.map(({ name }) => name))
  const isServed = nodes.every(({ type, worker }) => isEventType(type) || worker !== undefined)
  return isServed && names.size === nodes.length && edges.every(({ from, to }) => names.has(from) && names.has(to))
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
  if (isEventNode(node)) return restoreEvent(node, stored)
  return { ...node, ...resolveValues(node.partitions, [stored], defaults) }
}

function restoreEvent({ overlap: _, schedule, ...node }: EventNode, stored: StoredNode): EventNode {
  const enabled = stored.enabled ?? node.enabled
  return { ...node, enabled, ...startValues({ ...schedule, type: node.type }, stored) }
}

/** What decides when an event node's runs begin, as far as it says so. */
function startValues(
  node: Partial<Schedule> & { readonly type: EventNode['type']; readonly overlap?: Overlap | undefined },
  stored: StoredNode,
): Pick<EventNode, 'overlap' | 'schedule'> {
  const overlap = stored.overlap ?? node.overlap
  const schedule: Schedule = {
    cron: stored.cron ?? node.cron ?? '',
    timezone: stored.timezone ?? node.timezone ?? 'UTC',
    missed: stored.missed ?? node.missed ?? 'once',
    message: node.message ?? null,
  }
  return { ...(overlap !== undefined && { overlap }), ...(node.type === 'cron' && { schedule }) }
}

function compileNode(node: DocumentNode, input: CompileInput): PlanNode {
  const { name, type } = node
  const followers = input.document.edges.filter(({ from }) => from === name).map(({ to }) => idOf(to, input))
  const common = { id: idOf(name, input), name, followers }
  const stored = input.stored.get(name) ?? {}
  if (isEventType(type)) {
    const enabled = stored.enabled ?? node.enabled ?? true
    const webhook = type === 'webhook' ? { webhook: compileWebhook(node) } : {}
    const own = {
      ...webhook,
      ...startValues(scheduleOf(node, type), stored),
      ...(node.reconcile && { reconcile: true }),
    }
    return { ...common, type, enabled, ...own } satisfies EventNode
  }
  return { ...common, type, ...workerValues(node, stored, input.defaults?.get(name) ?? {}) } satisfies WorkerNode
}

function scheduleOf({ cron, timezone, overlap, missed, message }: DocumentNode, type: EventNode['type']) {
  const said = Object.entries({ cron, timezone, overlap, missed, message }).filter(([, value]) => value !== undefined)
  return { type, ...(Object.fromEntries(said) as Partial<Schedule> & Pick<EventNode, 'overlap'>) }
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
    ...(node.limitCost !== undefined && { limitCost: node.limitCost }),
  }
}
