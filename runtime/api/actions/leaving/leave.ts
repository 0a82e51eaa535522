import { Conflict } from '../../../errors.ts'
import { writtenOf } from '../../../store/queries/starts/written.ts'
import { messagesInProgress } from '../../../store/queries/runs.ts'
import type { Store } from '../../../store/store.ts'
import { changedKind, goneFrom, withLeaving } from '../../../topology/leaving.ts'
import type { Leaving, Plan, PlanNode } from '../../../topology/plan.ts'
import type { ApiDeps } from '../../deps.ts'

/**
 * Nodes that leave (topology/leaving.ts), from the publish that takes them out to the revision without them:
 *
 *   in the graph → leaving, while messages may still come to it (here) → dropped (drop.ts) → its consumers deleted, when even history
 *   is gone (late.ts)
 *
 * A dropped node to whose queue a message came all the same (a bridge that was away went by an old plan) leaves once more (late.ts):
 * nothing that was accepted is left lying (I7).
 */
type Deps = Pick<ApiDeps, 'queues'>

/** What to do with nodes that a new graph lacks while messages are on their way. */
export type InFlight = 'refuse' | Leaving

/**
 * The plan with those nodes of the newest one that must stay for now. Nodes that leave already stay as they are, unless `inFlight` says
 * how. Throws `Conflict` when others would have to and `inFlight` is `refuse`, and while a dropped node that would be back has messages
 * that came late: they lie in lanes that only the node as it was knows.
 */
export async function keepNodes(
  { queues }: Deps,
  inside: Store,
  plan: Plan,
  newest: Plan,
  inFlight: InFlight,
): Promise<Plan> {
  await checkBack({ queues }, goneFrom(newest, plan), plan.topologyId)
  const gone = goneFrom(plan, newest)
  const changed = changedKind(plan, newest)
  if (gone.length === 0 && changed.length === 0) return plan
  const { at, total: onTheWay } = await messagesOf({ queues }, inside, newest)
  if (onTheWay === 0) return plan
  const list = (nodes: readonly PlanNode[]) =>
    nodes.map(({ id, name }) => `${name} (${countOf(at.get(id) ?? nothingThere)})`).join(', ')
  if (changed.length > 0)
    throw new Conflict(
      `nodes would become event nodes, or cease to be, while ${onTheWay} messages are on their way: ${list(changed)}; wait until they are done, or give the new nodes other names`,
    )
  const staying = gone.filter(({ leaving }) => leaving === undefined)
  if (inFlight === 'refuse' && staying.length > 0)
    throw new Conflict(
      `nodes would go away while ${onTheWay} messages are on their way, which wait there or may still come there: ${list(staying)}; wait until they are done, keep the nodes, or publish with inFlight=drain or inFlight=trash`,
    )
  return withLeaving(plan, gone, inFlight === 'refuse' ? null : inFlight)
}

/** What lies at a node. */
export interface Lying {
  /** Queued, stored as replies, or starts that are written down. */
  readonly waiting: number
  /** Held by bridges. */
  readonly inFlight: number
}

export const nothingThere: Lying = { waiting: 0, inFlight: 0 }
const countOf = ({ waiting, inFlight }: Lying): number => waiting + inFlight

/** What lies at each node of the newest plan, by id, and how many messages of the topology are on their way, wherever. */
export async function messagesOf(
  { queues }: Deps,
  store: Store,
  newest: Plan,
): Promise<{ readonly at: ReadonlyMap<string, Lying>; readonly total: number }> {
  const at = new Map<string, Lying>()
  for (const { nodeId, pending, inFlight, replies } of await queues.depths(newest))
    at.set(nodeId, { waiting: pending + replies, inFlight })
  for (const [nodeId, starts] of await writtenOf(store, newest.topologyId)) {
    const { waiting, inFlight } = at.get(nodeId) ?? nothingThere
    at.set(nodeId, { waiting: waiting + starts, inFlight })
  }
  const queued = [...at.values()].reduce((sum, lying) => sum + countOf(lying), 0)
  return { at, total: Math.max(queued, await messagesInProgress(store, newest.topologyId)) }
}

/** @param added nodes that the newest plan lacks: new ones, or dropped ones that come back */
async function checkBack({ queues }: Deps, added: readonly PlanNode[], topologyId: string): Promise<void> {
  if (added.length === 0) return
  const names = new Map(added.map(({ id, name }) => [id, name]))
  const read = await queues.readings(topologyId, ({ nodeId }) => names.has(nodeId))
  const late = read.queues.filter(({ next }) => next !== null).map(({ nodeId }) => names.get(nodeId))
  if (late.length === 0) return
  throw new Conflict(
    `nodes would come back that still have messages of before: ${[...new Set(late)].join(', ')}; these are finished first: publish again in a few seconds`,
  )
}
