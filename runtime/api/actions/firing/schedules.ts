import { clearSchedules, databaseNow, lockGates, putGates } from '../../../store/queries/starts/gates.ts'
import type { Gate, InForce } from '../../../store/queries/starts/gates.ts'
import type { Store } from '../../../store/store.ts'
import { isEventNode, overlapOf } from '../../../topology/plan.ts'
import type { EventNode, Plan } from '../../../topology/plan.ts'
import { nextAfter } from '../../../topology/schedule/next.ts'

/**
 * Puts the schedules of a plan in force, in the transaction that writes its revision: from its commit on these fire, and no others. One
 * that is as before goes on; a new one, or a changed one, begins with the first instant after now.
 */
export async function enforceSchedules(inside: Store, plan: Plan): Promise<void> {
  const { topologyId } = plan
  const known = await lockGates(inside, topologyId)
  const now = await databaseNow(inside)
  const before = new Map(known.map((gate) => [gate.nodeId, gate]))
  const gated = plan.nodes.filter(isEventNode).filter((node) => before.has(node.id) || needsGate(node))
  await putGates(
    inside,
    gated.map((node) => ({ topologyId, ...inForceOf(node, before.get(node.id), now) })),
  )
  const kept = new Set(gated.map(({ id }) => id))
  const gone = known.map(({ nodeId }) => nodeId).filter((nodeId) => !kept.has(nodeId))
  if (gone.length > 0) await clearSchedules(inside, topologyId, gone)
}

const needsGate = (node: EventNode): boolean => node.schedule !== undefined || overlapOf(node) !== 'allow'

function inForceOf(node: EventNode, before: Gate | undefined, now: Date): Omit<InForce, 'topologyId'> {
  const { id: nodeId, leaving } = node
  const schedule = leaving === undefined ? node.schedule : undefined
  const { cron = null, timezone = null, missed = 'once', message = null } = schedule ?? {}
  const common = { nodeId, overlap: overlapOf(node), missed, message, cron, timezone }
  if (cron === null || timezone === null) return { ...common, anchorAt: null, nextAt: null }
  if (before?.cron === cron && before.timezone === timezone)
    return { ...common, anchorAt: before.anchorAt, nextAt: before.nextAt }
  return { ...common, anchorAt: now, nextAt: nextAfter({ cron, timezone, anchor: now }, now) }
}
