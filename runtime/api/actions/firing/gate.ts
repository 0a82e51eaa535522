import { Conflict } from '../../../errors.ts'
import { lockGate, nextInLine } from '../../../store/queries/starts/gates.ts'
import { busyWith, queuedOf, writeStarts } from '../../../store/queries/starts/written.ts'
import type { WrittenStart } from '../../../store/queries/starts/written.ts'
import { findRun } from '../../../store/queries/runs.ts'
import type { Store } from '../../../store/store.ts'
import { overlapOf } from '../../../topology/plan.ts'
import type { EventNode } from '../../../topology/plan.ts'
import type { ApiDeps } from '../../deps.ts'
import { HttpProblem } from '../../problem.ts'
import { fullReason, queuedMax, skipReason } from './decide.ts'
import { sendStarts } from './send.ts'
import { queuedRun, tellRuns } from './tell.ts'
import type { Sending } from './send.ts'

export type GatedStart = Omit<WrittenStart, 'line' | 'scheduledAt'>

const fullAfterSeconds = '10'

/**
 * Starts a run of a node whose runs must not overlap, or queues it. From when this resolves the start is written down, and is sent
 * whoever dies. `force` lets it begin beside others. Throws `Conflict` when another run is going on and the node skips, `HttpProblem`
 * (429) when too many wait already, and what `lockGate` does.
 */
export async function startGated(
  deps: Sending & Pick<ApiDeps, 'events'>,
  node: EventNode,
  start: GatedStart,
  force: boolean,
): Promise<void> {
  const written = await deps.store.transaction((inside) => passGate(inside, node, start, force))
  if (written !== null) await sendWritten(deps, written)
}

/** The part of it that is done in a transaction; `sendWritten` comes after its commit. Null: the run is there already. */
export async function passGate(
  inside: Store,
  node: EventNode,
  start: GatedStart,
  force: boolean,
): Promise<WrittenStart | null> {
  await lockGate(inside, start.topologyId, node.id)
  if (await findRun(inside, start.id)) return null
  const one: WrittenStart = { ...start, scheduledAt: null, line: force ? null : await placeOf(inside, node) }
  await writeStarts(inside, [one])
  return one
}

export async function sendWritten(deps: Sending & Pick<ApiDeps, 'events'>, written: WrittenStart): Promise<void> {
  if (written.line === null) await sendStarts(deps, [written])
  else tellRuns(deps.events, [queuedRun(written)])
}

/** Place in the line; null: it may begin. */
async function placeOf(inside: Store, node: EventNode): Promise<number | null> {
  const busy = (await busyWith(inside, [node.id])).get(node.id) ?? null
  const queued = (await queuedOf(inside, [node.id])).get(node.id) ?? 0
  if (busy === null && queued === 0) return null
  if (overlapOf(node) === 'skip')
    throw new Conflict(
      `${skipReason(busy, queued)}, and the node "${node.name}" has overlap: skip; wait for its end, cancel it, or start with force`,
    )
  if (queued >= queuedMax) throw new HttpProblem(429, fullReason, { 'retry-after': fullAfterSeconds })
  return nextInLine(inside, node.id)
}
