/**
 * Nodes that leave. A node that a new graph lacks stays in the plan while messages may still come to it: `drain` handles them as
 * before, `trash` puts them into Trash; when it is empty for good, control drops it. It keeps its edges; nothing of the new graph
 * leads to it. A graph that brings a node of its name back revives it: it has the same id, and so the same queue. Pure.
 */
import { isEventNode } from './plan.ts'
import type { Leaving, Plan, PlanNode } from './plan.ts'

/** Nodes of `before` that the plan lacks. */
export function goneFrom(plan: Plan, before: Plan): PlanNode[] {
  const kept = new Set(plan.nodes.map(({ id }) => id))
  return before.nodes.filter(({ id }) => !kept.has(id))
}

/** Nodes whose messages would be in the wrong kind of queue: event nodes that become worker nodes, or the other way round. */
export function changedKind(plan: Plan, before: Plan): PlanNode[] {
  const kinds = new Map(before.nodes.map((node) => [node.id, isEventNode(node)]))
  return plan.nodes.filter((node) => (kinds.get(node.id) ?? isEventNode(node)) !== isEventNode(node))
}

/** The plan with these nodes, which leave. An event node always drains: its messages have nowhere else to be replayed. */
export function withLeaving(plan: Plan, gone: readonly PlanNode[], mode: Leaving | null): Plan {
  const leaving = gone.map((node) => {
    const how = mode ?? node.leaving ?? 'drain'
    return { ...node, leaving: isEventNode(node) ? 'drain' : how } satisfies PlanNode
  })
  return { ...plan, nodes: [...plan.nodes, ...leaving] }
}

/** The next revision, without these nodes. */
export function withoutNodes(plan: Plan, ids: ReadonlySet<string>): Plan {
  const nodes = plan.nodes
    .filter(({ id }) => !ids.has(id))
    .map((node) => ({ ...node, followers: node.followers.filter((id) => !ids.has(id)) }))
  return { ...plan, revision: plan.revision + 1, nodes }
}

/** What of the plan leaves no more, as if nobody had ever taken it out. */
export function withoutLeaving(plan: Plan): Plan {
  return { ...plan, nodes: plan.nodes.filter(({ leaving }) => leaving === undefined) }
}

/** Those of `dropped` to which no leaving node leads that stays. */
export function closedUnder(leaving: readonly PlanNode[], dropped: ReadonlySet<string>): Set<string> {
  const closed = new Set(dropped)
  for (let size = -1; size !== closed.size;) {
    size = closed.size
    const staying = leaving.filter(({ id }) => !closed.has(id))
    for (const { followers } of staying) for (const follower of followers) closed.delete(follower)
  }
  return closed
}
