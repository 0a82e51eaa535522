import type { NodeQueue, Reading } from '../../../queue/control.ts'
import { lastWith, nodesEver } from '../../../store/queries/revisions.ts'
import { lockTopology } from '../../../store/queries/topologies.ts'
import type { InForce } from '../../../store/queries/topologies.ts'
import type { Store } from '../../../store/store.ts'
import { generationsOf, withPast } from '../../../topology/lanes/generations.ts'
import { withLeaving } from '../../../topology/leaving.ts'
import { isEventNode } from '../../../topology/plan.ts'
import type { Plan, PlanNode } from '../../../topology/plan.ts'
import type { ApiDeps } from '../../deps.ts'
import { newestPlan } from '../plans.ts'
import { changePlan } from './change.ts'

type Deps = Pick<ApiDeps, 'store' | 'queues'>

/** The queues that topologies ever had, by topology id: they change with its revisions only. */
export type QueuesEver = Map<string, { readonly revision: number; readonly queues: readonly NodeQueue[] }>

/**
 * Looks after queues that the plan doesn't name any more: of nodes that were dropped, and of lanes that a node had before. Nothing is
 * stored where nobody reads: a message that comes there all the same (from a bridge that was away, however long), or a stored reply
 * that leads there, brings the node back as leaving, the lanes as past ones. A consumer outlives everything that is stored for it, also
 * history; so what is found in a queue that has none was read by nobody.
 */
export async function tidyDropped({ store, queues }: Deps, topology: InForce, known: QueuesEver): Promise<void> {
  const plan = await newestPlan(store, topology)
  if (plan === null) return
  const isNamed = namedBy(plan)
  const read = await queues.readings(
    topology.id,
    // A reply that can't be split is held again and again.
    (queue) => !isNamed(queue) || (queue.isReplies && queue.isHeld),
    await queuesEver(store, plan, known),
  )
  const unread = read.queues.filter(({ next }) => next !== null)
  const wanted = unread.flatMap(({ nodeId, leadsTo }) => [nodeId, ...leadsTo])
  const back = await lastKnown(store, plan, wanted)
  const lanes = await lanesBack(store, { ...plan, nodes: [...plan.nodes, ...back] }, unread)
  if (back.length > 0 || lanes.length > 0)
    await changePlan({ store, queues }, plan, (now) => returned(now, back, lanes))
  else
    await deleteBlank(
      { store, queues },
      plan,
      read.queues.filter((queue) => !isNamed(queue)),
    )
}

/** Which queues bridges read that have this plan. */
function namedBy({ nodes }: Plan): (queue: NodeQueue) => boolean {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  return ({ nodeId, isReplies, generation }) => {
    const node = byId.get(nodeId)
    if (node === undefined || isReplies) return node !== undefined
    if (isEventNode(node)) return generation === null
    return generationsOf(node).some((known) => known.generation === generation)
  }
}

async function queuesEver(store: Store, plan: Plan, known: QueuesEver): Promise<readonly NodeQueue[]> {
  const { topologyId, revision } = plan
  const before = known.get(topologyId)
  if (before?.revision === revision) return before.queues
  const ever = await nodesEver(store, topologyId)
  const queues = [
    ...ever.map(({ id, generation }) => ({ nodeId: id, isReplies: false, generation })),
    ...[...new Set(ever.map(({ id }) => id))].map((nodeId) => ({ nodeId, isReplies: true, generation: null })),
  ]
  known.set(topologyId, { revision, queues })
  return queues
}

/** Those of these nodes that the plan lacks, and all that they lead to that it lacks too, as newer revisions had them last. */
async function lastKnown(store: Store, plan: Plan, ids: readonly string[]): Promise<PlanNode[]> {
  const seen = new Set(plan.nodes.map(({ id }) => id))
  const found: PlanNode[] = []
  const open = [...ids]
  for (const id of open) {
    if (seen.has(id)) continue
    seen.add(id)
    const node = await lastWith(store, plan.topologyId, id)
    if (node === null) continue
    found.push(node)
    open.push(...node.followers)
  }
  return found
}

/** Of the lanes in which something is unread those that the plan lacks, each as the node that had them. */
async function lanesBack(store: Store, plan: Plan, unread: readonly Reading[]): Promise<PlanNode[]> {
  const isNamed = namedBy(plan)
  const lost = unread.filter((queue) => queue.generation !== null && !isNamed(queue))
  const byKey = new Map(lost.map((queue) => [`${queue.nodeId} ${queue.generation}`, queue]))
  const found = [...byKey.values()].map(({ nodeId, generation }) =>
    lastWith(store, plan.topologyId, nodeId, generation ?? 0),
  )
  return (await Promise.all(found)).filter((node) => node !== null)
}

function returned(plan: Plan, back: readonly PlanNode[], lanes: readonly PlanNode[]): Plan {
  const at = new Date().toISOString()
  const { nodes } = withLeaving(plan, back, null)
  const withLanes = nodes.map((node) =>
    lanes.reduce(
      (now, before) =>
        now.id !== before.id || isEventNode(now) || isEventNode(before) ? now : withPast(now, before, at),
      node,
    ),
  )
  return { ...plan, nodes: withLanes, revision: plan.revision + 1 }
}

async function deleteBlank({ store, queues }: Deps, plan: Plan, unnamed: readonly Reading[]): Promise<void> {
  const { topologyId: id, revision } = plan
  const names = unnamed.flatMap(({ consumer, isBlank }) => (isBlank && consumer !== null ? [consumer] : []))
  if (names.length === 0) return
  await store.transaction(async (inside) => {
    // A publish may bring the node back: it waits, and makes the consumers again.
    const topology = await lockTopology(inside, id, null)
    if (topology.revision === revision) await queues.deleteConsumers(id, names)
  })
}
