import type { Plan } from '../../topology/plan.ts'
import type { Floor } from './floors.ts'

/**
 * By node: up to where everything is settled, and recorded, that this node or any node before it handles. `plans` are all plans
 * by which something in the stream may have been sent on: an edge that is gone from the newest still has its messages.
 *
 * A node's bound is never above that of a node before it. So whoever deletes by bounds and in the stream's order deletes a message
 * before its successor: the successor is later in the stream, and of this node or of one behind it.
 */
export function boundsOf(plans: readonly Plan[], floors: readonly Floor[]): Map<string, number> {
  const before = predecessors(plans)
  const recorded = lowest(floors.filter(({ nodeId }) => nodeId === null))
  const own = new Map<string, number>()
  for (const nodeId of before.keys()) own.set(nodeId, lowest(floors.filter((floor) => floor.nodeId === nodeId)))
  return new Map(
    [...before.keys()].map((nodeId) => {
      const all = [...reachedFrom(nodeId, before)].map((id) => own.get(id) ?? 0)
      return [nodeId, Math.min(recorded, ...all)]
    }),
  )
}

/** A node without any reader is held by nobody, and nothing is known of it. */
function lowest(floors: readonly Floor[]): number {
  return floors.length === 0 ? 0 : Math.min(...floors.map(({ sequence }) => sequence))
}

/** By node: the nodes that send to it, in any of the plans. */
function predecessors(plans: readonly Plan[]): Map<string, Set<string>> {
  const before = new Map<string, Set<string>>()
  const of = (nodeId: string): Set<string> => {
    const known = before.get(nodeId) ?? new Set()
    before.set(nodeId, known)
    return known
  }
  for (const node of plans.flatMap(({ nodes }) => nodes)) {
    of(node.id)
    for (const follower of node.followers) of(follower).add(node.id)
  }
  return before
}

/** The node itself and all that lead to it. */
function reachedFrom(nodeId: string, before: ReadonlyMap<string, ReadonlySet<string>>): Set<string> {
  const reached = new Set([nodeId])
  for (const id of reached) for (const previous of before.get(id) ?? []) reached.add(previous)
  return reached
}
