import { dataOf, engine } from '../../../api/engine.ts'
import type { RepublishedTopology } from '../../../api/engine.ts'
import { counted } from '../../../parts/show/format.ts'
import { told } from '../../../parts/toast.ts'

/** Brings stored values of nodes to the bridges, and tells who has them. */
export async function republish(id: string): Promise<void> {
  const topology = await dataOf(
    engine.POST('/api/topologies/{topology}/republish', { params: { path: { topology: id } } }),
  )
  told(textOf(topology))
}

function textOf({ revision, bridges: { applied, missing } }: RepublishedTopology): string {
  if (missing.length > 0)
    return `Republished as revision ${revision}; ${counted(missing.length, 'bridge')} of ${applied.length + missing.length} will have it in a moment`
  if (applied.length === 0) return `Republished as revision ${revision}; no bridge is alive to go by it`
  return `Republished as revision ${revision}: ${counted(applied.length, 'bridge goes', 'bridges go')} by it`
}
