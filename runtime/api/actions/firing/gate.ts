import { lockGate, nextInLine } from '../../../store/queries/starts/gates.ts'
import { busyWith, queuedOf, writeStarts } from '../../../store/queries/starts/written.ts'
import type { WrittenStart } from '../../../store/queries/starts/written.ts'
import { findRun } from '../../../store/queries/runs.ts'
import type { Store } from '../../../store/store.ts'
import { overlapOf } from '../../../topology/plan.ts'
import type { EventNode } from '../../../topology/plan.ts'
import { HttpProblem } from '../../problem.ts'
import { fullReason, queuedMax, skipReason } from './decide.ts'
import { overlapping } from './overlap.ts'
import { sendStarts } from './send.ts'
import type { Sending } from './send.ts'

export type GatedStart = Omit<WrittenStart, 'line' | 'scheduledAt'>

const fullAfterSeconds = '10'

/**
 * Starts a run of a node whose runs must not overlap, or queues it. From when this resolves the start is written down, and is sent
 * whoever dies. `force` lets it begin beside others. Throws `Conflict` when another run is going on and the node skips, `HttpProblem`
 * (429) when too many wait already.
 */
export async function startGated(deps: Sending, node: EventNode, start: GatedStart, force: boolean): Promise<void> {
  const written = await deps.store.transaction(async (inside) => {
    await lockGate(inside, start.topologyId, node.id)
    if (await findRun(inside, start.id)) return null
    const one: WrittenStart = { ...start, scheduledAt: null, line: force ? null : await placeOf(inside, node) }
    await writeStarts(inside, [one])
    return one
  })
  if (written !== null && written.line === null) await sendStarts(deps, [written])
}

/** Place in the line; null: it may begin. */
async function placeOf(inside: Store, node: EventNode): Promise<number | null> {
  const busy = (await busyWith(inside, [node.id])).get(node.id) ?? null
  const queued = (await queuedOf(inside, [node.id])).get(node.id) ?? 0
  if (busy === null && queued === 0) return null
  if (overlapOf(node) === 'skip') throw overlapping(skipReason(busy, queued), node, true)
  if (queued >= queuedMax) throw new HttpProblem(429, fullReason, { 'retry-after': fullAfterSeconds })
  return nextInLine(inside, node.id)
}
