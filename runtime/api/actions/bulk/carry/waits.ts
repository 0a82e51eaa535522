import type { BulkPlace } from '../../../../store/schema/index.ts'
import { findTopology } from '../../../../store/queries/topologies.ts'
import { allWorkers } from '../../../../store/queries/workers.ts'
import { isEventNode } from '../../../../topology/plan.ts'
import type { ApiDeps } from '../../../deps.ts'
import { askAround, factsOf } from '../../look/facts.ts'
import { blockersOf } from '../../look/why.ts'
import { newestPlan } from '../../plans.ts'

type Deps = Pick<ApiDeps, 'store' | 'queues'>

/** Blockers of a node through which messages flow. */
const flowing: ReadonlySet<string> = new Set(['moving', 'calling', 'prefetch'])

/** Why messages don't move from a place, for people; null: they do, or nobody knows. */
export async function waitsFor({ store, queues }: Deps, { topologyId, nodeId }: BulkPlace): Promise<string | null> {
  const topology = await findTopology(store, topologyId)
  const plan = topology && (await newestPlan(store, topology))
  const node = plan?.nodes.find(({ id }) => id === nodeId)
  if (!topology || !plan || !node) return null
  const facts = await factsOf({ queues }, topology, plan, await askAround({ queues }, topologyId, nodeId))
  const own = facts.nodes.find((each) => each.node.id === nodeId)
  if (own === undefined) return null
  const worker = isEventNode(node) ? null : node.worker
  const workerUrls = (await allWorkers(store)).find(({ name }) => name === worker)?.urls ?? null
  const isCancelling = await queues.isCancelling(topologyId, null)
  const blocker = blockersOf(own, { ...facts, workerUrls, isCancelling }).find(({ kind }) => !flowing.has(kind))
  return blocker === undefined ? null : `${blocker.count} before the node "${node.name}": ${blocker.text}`.slice(0, 500)
}
