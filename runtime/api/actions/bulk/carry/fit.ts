import type { Settled } from '../../../../store/bulk/messages.ts'
import type { TrashHead } from '../../../../store/queries/trash.ts'
import type { Store } from '../../../../store/store.ts'
import type { PlanNode } from '../../../../topology/plan.ts'
import { fitsOf } from '../../trash/fits.ts'
import type { Payload } from '../../trash/fits.ts'
import { refusalOf } from './target.ts'
import type { Targets } from './target.ts'

/** A message of a portion as it would be sent. */
export interface Candidate {
  readonly position: number
  readonly row: TrashHead
  readonly payload: Payload
}

/** By position: what doesn't fit, and what there was no time for, which stays in the line. */
export interface Unfit {
  readonly refused: ReadonlyMap<number, Settled>
  readonly later: ReadonlySet<number>
}

/** Rows are locked meanwhile; a node is always looked at, so that a bulk goes on. */
const checkMs = 3_000

/** Which of these don't fit the input schemas of their nodes, in one check per node. A schema that can't be used holds nothing up. */
export async function unfitOf(store: Store, targets: Targets, candidates: readonly Candidate[]): Promise<Unfit> {
  const until = performance.now() + checkMs
  const refused = new Map<number, Settled>()
  const later = new Set<number>()
  let isFirst = true
  for (const { node, messages } of await byNode(targets, candidates)) {
    if (!isFirst && performance.now() > until) for (const { position } of messages) later.add(position)
    else {
      const payloads = messages.map(({ payload }) => payload)
      const { faults } = await fitsOf(store, node, payloads)
      messages.forEach(({ position }, n) => {
        const fault = faults[n]?.[0]
        if (fault === undefined) return
        const said = `${fault.path} ${fault.message}`.trim()
        refused.set(position, { position, outcome: 'refused', why: misfit(node), fault: said })
      })
    }
    isFirst = false
  }
  return { refused, later }
}

export const misfit = ({ name }: PlanNode): string => `it doesn't fit the input schema of "${name}"`

interface OfNode {
  readonly node: PlanNode
  readonly messages: Candidate[]
}

/** Without those that can't be sent anyhow: they are refused when that is tried. */
async function byNode(targets: Targets, candidates: readonly Candidate[]): Promise<OfNode[]> {
  const nodes = new Map<string, OfNode>()
  for (const candidate of candidates) {
    const node = await targets.node(candidate.row).catch((error: unknown) => {
      if (refusalOf(error) === null) throw error
      return null
    })
    if (node === null) continue
    const known = nodes.get(node.id) ?? { node, messages: [] }
    known.messages.push(candidate)
    nodes.set(node.id, known)
  }
  return [...nodes.values()]
}
