import { Conflict } from '../../../errors.ts'
import { busyWith } from '../../../store/queries/starts/written.ts'
import type { Store } from '../../../store/store.ts'
import { overlapOf } from '../../../topology/plan.ts'
import type { EventNode } from '../../../topology/plan.ts'

/**
 * For a start that can't wait in a line of queued runs. Throws `Conflict` while another run of a node is going on whose runs must not
 * overlap. Two that come in the same moment may both be let in: neither is a run yet.
 */
export async function refuseOverlap(store: Store, node: EventNode, run: string): Promise<void> {
  if (overlapOf(node) === 'allow') return
  const other = (await busyWith(store, [node.id], run)).get(node.id)
  if (other === undefined) return
  throw new Conflict(`the run ${other} of "${node.name}" is going on, and its runs must not overlap: ask again later`)
}
