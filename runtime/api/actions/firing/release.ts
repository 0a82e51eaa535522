import { busyWith, leaveLine, nodesWithQueued, tryGate } from '../../../store/queries/starts/written.ts'
import type { WrittenStart } from '../../../store/queries/starts/written.ts'
import type { ApiDeps } from '../../deps.ts'

type Deps = Pick<ApiDeps, 'store'>

/**
 * Lets the first queued run of each node begin before which no other one is going on, or that may overlap with it since the node was
 * published anew. Answers the starts that are to be sent.
 */
export async function releaseQueued({ store }: Deps): Promise<WrittenStart[]> {
  const nodes = await nodesWithQueued(store)
  const busy = await busyWith(
    store,
    nodes.map(({ nodeId }) => nodeId),
  )
  const released: WrittenStart[] = []
  for (const { nodeId, overlaps } of nodes)
    if (overlaps || !busy.has(nodeId)) released.push(...(await release({ store }, nodeId, overlaps)))
  return released
}

function release({ store }: Deps, nodeId: string, overlaps: boolean): Promise<WrittenStart[]> {
  return store.transaction(async (inside) => {
    if (!(await tryGate(inside, nodeId))) return []
    if (!overlaps && (await busyWith(inside, [nodeId])).size > 0) return []
    const start = await leaveLine(inside, nodeId)
    return start === null ? [] : [start]
  })
}
