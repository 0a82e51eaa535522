import { Conflict } from '../../../errors.ts'
import { busyWith } from '../../../store/queries/starts/written.ts'
import type { Store } from '../../../store/store.ts'
import { overlapOf } from '../../../topology/plan.ts'
import type { EventNode } from '../../../topology/plan.ts'
import { skipReason } from './decide.ts'

/**
 * For a start that can't wait in a line of queued runs. Throws `Conflict` while another run of a node is going on whose runs must not
 * overlap. Two that come in the same moment may both be let in: neither is a run yet. `mayForce`: what asks can begin beside it.
 */
export async function refuseOverlap(store: Store, node: EventNode, run: string, mayForce: boolean): Promise<void> {
  if (overlapOf(node) === 'allow') return
  const other = (await busyWith(store, [node.id], run)).get(node.id)
  if (other !== undefined) throw overlapping(skipReason(other, 0), node, mayForce)
}

/** Why nothing is begun, and what can be done. */
export function overlapping(reason: string, node: EventNode, mayForce: boolean): Conflict {
  const others = mayForce ? 'wait for its end, cancel it, or start with force' : 'wait for its end, or cancel it'
  return new Conflict(`${reason}, and the node "${node.name}" has overlap: ${overlapOf(node)}; ${others}`)
}
