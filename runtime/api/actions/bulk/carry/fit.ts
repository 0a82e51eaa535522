import type { Settled } from '../../../../store/bulk/messages.ts'
import type { Store } from '../../../../store/store.ts'
import type { PlanNode } from '../../../../topology/plan.ts'
import { fitsOf, uncheckedText } from '../../trash/fits.ts'
import type { Fit, Payload } from '../../trash/fits.ts'

/** A message of a portion as it would be sent. */
export interface Candidate {
  readonly position: number
  readonly node: PlanNode
  readonly payload: Payload
}

/** By position: what doesn't fit or couldn't be checked, and what there was no time for, which stays in the line. */
export interface Unfit {
  readonly refused: ReadonlyMap<number, Settled>
  readonly later: ReadonlySet<number>
}

/** Rows are locked meanwhile; a node is always looked at, so that a bulk goes on. */
const checkMs = 3_000

/** Which of these aren't to be sent by the input schemas of their nodes, in one check per node. */
export async function unfitOf(store: Store, candidates: readonly Candidate[]): Promise<Unfit> {
  const until = performance.now() + checkMs
  const refused = new Map<number, Settled>()
  const later = new Set<number>()
  let isFirst = true
  for (const { node, messages } of byNode(candidates)) {
    const hasTime = isFirst || performance.now() <= until
    const payloads = messages.map(({ payload }) => payload)
    const fits = hasTime ? await fitsOf(store, node, payloads) : []
    messages.forEach(({ position }, n) => {
      const fit = fits[n] ?? null
      const why = fit && whyNot(node, fit)
      if (fit === null) later.add(position)
      else if (why !== null) refused.set(position, { position, outcome: 'refused', ...why })
    })
    isFirst = false
  }
  return { refused, later }
}

/** Null: it fits. */
function whyNot(node: PlanNode, { faults: [fault], unchecked }: Fit): Pick<Settled, 'why' | 'fault'> | null {
  if (unchecked !== null) return { why: `it ${uncheckedText(node, unchecked)}` }
  return fault === undefined ? null : { why: misfit(node), fault: `${fault.path} ${fault.message}`.trim() }
}

export const misfit = ({ name }: PlanNode): string => `it doesn't fit the input schema of "${name}"`

interface OfNode {
  readonly node: PlanNode
  readonly messages: Candidate[]
}

function byNode(candidates: readonly Candidate[]): OfNode[] {
  const nodes = new Map<string, OfNode>()
  for (const candidate of candidates) {
    const known = nodes.get(candidate.node.id) ?? { node: candidate.node, messages: [] }
    known.messages.push(candidate)
    nodes.set(candidate.node.id, known)
  }
  return [...nodes.values()]
}
