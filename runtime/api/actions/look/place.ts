import { Conflict } from '../../../errors.ts'
import { getNode } from '../../../store/queries/nodes.ts'
import type { Node } from '../../../store/queries/nodes.ts'
import { getTopology } from '../../../store/queries/topologies.ts'
import type { Topology } from '../../../store/queries/topologies.ts'
import type { Plan, PlanNode } from '../../../topology/plan.ts'
import { checkTopology } from '../../auth.ts'
import type { ApiDeps, Caller } from '../../deps.ts'
import { newestPlan } from '../plans.ts'

/** A node, and where it stands. */
export interface Place {
  readonly row: Node
  readonly topology: Topology
  /** Null while the topology was never published. */
  readonly plan: Plan | null
  /** As the newest plan has it; null: it lacks the node, so nothing can wait before it. */
  readonly node: PlanNode | null
}

/** Throws `NotFound`, and 403 when the caller's token is for another topology. */
export async function placeOf({ store }: Pick<ApiDeps, 'store'>, caller: Caller, nodeId: string): Promise<Place> {
  const row = await getNode(store, nodeId)
  checkTopology(caller, row.topologyId)
  const topology = await getTopology(store, row.topologyId)
  const plan = await newestPlan(store, topology)
  return { row, topology, plan, node: plan?.nodes.find(({ id }) => id === row.id) ?? null }
}

/** The node as it was published last. Throws `Conflict` when it never was. */
export function publishedNode({ row, topology, plan, node }: Place): { plan: Plan; node: PlanNode } {
  if (plan === null || node === null)
    throw new Conflict(`the node "${row.name}" is in the draft of "${topology.name}" only: publish it first`)
  return { plan, node }
}
