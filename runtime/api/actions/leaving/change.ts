import { insertRevision } from '../../../store/queries/revisions.ts'
import { lockTopology, updateTopology } from '../../../store/queries/topologies.ts'
import type { Plan } from '../../../topology/plan.ts'
import type { ApiDeps } from '../../deps.ts'
import { enforceSchedules } from '../firing/schedules.ts'
import { newestPlan, tellBridges } from '../plans.ts'

/**
 * Puts the revision after this one, made by the engine itself, unless the topology was unpublished or somebody else put one meanwhile:
 * then it answers false.
 */
export async function changePlan(
  deps: Pick<ApiDeps, 'store' | 'queues'>,
  { topologyId: id, revision }: Plan,
  change: (plan: Plan) => Plan,
): Promise<boolean> {
  const changed = await deps.store.transaction(async (inside) => {
    const topology = await lockTopology(inside, id, null)
    const plan = await newestPlan(inside, topology)
    if (topology.visibility !== 'public' || plan?.revision !== revision) return false
    const next = change(plan)
    await deps.queues.ensure(next)
    await insertRevision(inside, next, 'drained')
    await enforceSchedules(inside, next)
    await updateTopology(inside, id, { revision: next.revision })
    return true
  })
  if (changed) await tellBridges(deps, id)
  return changed
}
