import { nodeIdsOf } from '../../../store/queries/nodes.ts'
import { ownTopology } from '../../auth.ts'
import type { ApiDeps, Caller } from '../../deps.ts'
import { filteredId } from '../topologies.ts'

/** What a list is asked for, for a caller who may see only one topology. Throws 403. */
export async function filterOf(
  deps: ApiDeps,
  caller: Caller,
  { topology, node }: { readonly topology?: string | undefined; readonly node?: string | undefined },
): Promise<{ topologyId: string | undefined; nodeIds: string[] | undefined }> {
  const topologyId = ownTopology(caller, await filteredId(deps, topology))
  return { topologyId, nodeIds: node === undefined ? undefined : await nodeIdsOf(deps.store, node, topologyId) }
}
