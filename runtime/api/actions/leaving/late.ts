import type { Reading } from '../../../queue/control.ts'
import { lastWith } from '../../../store/queries/revisions.ts'
import { lockTopology } from '../../../store/queries/topologies.ts'
import type { InForce } from '../../../store/queries/topologies.ts'
import type { Store } from '../../../store/store.ts'
import { withLeaving } from '../../../topology/leaving.ts'
import type { Plan, PlanNode } from '../../../topology/plan.ts'
import type { ApiDeps } from '../../deps.ts'
import { newestPlan } from '../plans.ts'
import { changePlan } from './change.ts'

type Deps = Pick<ApiDeps, 'store' | 'queues'>

/**
 * Looks after nodes that were dropped. One for which there is a message all the same, in its queue or in a stored reply that leads to
 * it, leaves once more; one in whose queues nothing is stored any more, not even history, loses its consumers.
 */
export async function tidyDropped({ store, queues }: Deps, topology: InForce): Promise<void> {
  const plan = await newestPlan(store, topology)
  if (plan === null) return
  const known = new Set(plan.nodes.map(({ id }) => id))
  const read = await queues.readings(
    topology.id,
    // A reply that can't be split is held again and again.
    ({ nodeId, isReplies, isHeld }) => !known.has(nodeId) || (isReplies && isHeld),
  )
  const unread = read.queues.filter(({ next }) => next !== null)
  const wanted = unread.flatMap(({ nodeId, leadsTo }) => [nodeId, ...leadsTo])
  const back = await lastKnown(store, plan, wanted)
  if (back.length > 0) await changePlan({ store, queues }, plan, (now) => returned(now, back))
  else
    await deleteBlank(
      { store, queues },
      plan,
      read.queues.filter(({ nodeId }) => !known.has(nodeId)),
    )
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

function returned(plan: Plan, back: readonly PlanNode[]): Plan {
  return { ...withLeaving(plan, back, null), revision: plan.revision + 1 }
}

async function deleteBlank({ store, queues }: Deps, plan: Plan, dropped: readonly Reading[]): Promise<void> {
  const { topologyId: id, revision } = plan
  const blank = dropped.filter(({ isBlank }) => isBlank)
  if (blank.length === 0) return
  const delayed = await queues.delayed(id)
  const names = blank.filter(({ nodeId }) => !delayed.has(nodeId)).map(({ consumer }) => consumer)
  await store.transaction(async (inside) => {
    // A publish may bring the node back: it waits, and makes the consumers again.
    const topology = await lockTopology(inside, id, null)
    if (topology.revision === revision) await queues.deleteConsumers(id, names)
  })
}
