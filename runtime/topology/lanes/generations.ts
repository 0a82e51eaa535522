/**
 * Generations of lanes. A node's messages lie in `partitions` lanes by their key; other lanes, or another key, would part messages of
 * one key over queues that know nothing of each other. So each change makes a new generation of lanes, and the old ones stay in the
 * plan, to be read, until they are known to be empty. Pure.
 */
import { isEventNode } from '../plan.ts'
import type { Generation, PastGeneration, Plan, PlanNode, WorkerNode } from '../plan.ts'

/** Past generations that a node may have; each costs consumers and readers. */
export const generationsMax = 8

/**
 * The plan with the generations that its nodes have after `before`, the newest plan of the topology whatever its state; null: there
 * is none. A generation has the number of the revision that made it, so none ever comes twice, also for a node that was away.
 * @param at RFC 3339, the time at which generations retire
 */
export function carryGenerations(plan: Plan, before: Plan | null, at: string): Plan {
  if (before === null) return plan
  const nodes = new Map(before.nodes.map((node) => [node.id, node]))
  return { ...plan, nodes: plan.nodes.map((node) => carry(node, nodes.get(node.id), plan.revision, at)) }
}

function carry(node: PlanNode, before: PlanNode | undefined, revision: number, at: string): PlanNode {
  if (isEventNode(node)) return node
  if (before === undefined || isEventNode(before)) return { ...node, generation: revision, past: [] }
  if (hasSameLanes(node, before)) return { ...node, generation: before.generation, past: before.past }
  return { ...node, generation: revision, past: [...before.past, retired(before, at)] }
}

/** A key that decides nothing may change: with one lane there is nothing to decide. */
function hasSameLanes(a: Generation, b: Generation): boolean {
  return a.partitions === b.partitions && (a.partitions === 1 || a.partitionKey === b.partitionKey)
}

function retired({ generation, partitions, partitionKey, prefetch }: WorkerNode, at: string): PastGeneration {
  return { generation, partitions, partitionKey, prefetch, retiredAt: at }
}

/** The node with a generation of its own as a past one again, in its place among them. */
export function withPast(node: WorkerNode, before: WorkerNode, at: string): WorkerNode {
  const past = [...node.past, retired(before, at)]
  return { ...node, past: past.sort((a, b) => a.generation - b.generation) }
}

/** All generations of a node, oldest first, the one in force last. */
export function generationsOf(node: WorkerNode): readonly Generation[] {
  return [...node.past, node]
}
