import { nodesInUse } from '../../../store/queries/nodes.ts'
import type { ApiDeps } from '../../deps.ts'

/** Ends the pauses of nodes that are gone: who drops a node does it, unless it dies before. */
export async function forgetPauses({ store, queues }: Pick<ApiDeps, 'store' | 'queues'>): Promise<void> {
  const paused = [...(await queues.paused()).keys()]
  if (paused.length === 0) return
  const inUse = await nodesInUse(store, paused)
  for (const nodeId of paused) if (!inUse.has(nodeId)) await queues.setPaused(nodeId, null)
}
