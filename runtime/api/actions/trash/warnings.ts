import type { Fault } from '../../../errors.ts'
import { findTopology } from '../../../store/queries/topologies.ts'
import { getTrash, newestEditOf } from '../../../store/queries/trash.ts'
import type { Store } from '../../../store/store.ts'
import { newestPlan } from '../plans.ts'
import { fitOf, warningsIn } from './fits.ts'

/** What of a message's newest version doesn't fit its node, or couldn't be checked, as the newest plan has it; none while that isn't known. */
export async function warningsOf(store: Store, id: string, mayTell: boolean): Promise<Fault[]> {
  const row = await getTrash(store, id)
  const newest = (await newestEditOf(store, id)) ?? row
  const topology = await findTopology(store, row.topologyId)
  const plan = topology && (await newestPlan(store, topology))
  const node = plan?.nodes.find((node) => node.id === row.nodeId)
  if (node === undefined) return []
  return [...warningsIn(node, await fitOf(store, node, newest), mayTell)]
}
