import { Conflict } from '../../../errors.ts'
import { positionsOf } from '../../../store/outcomes.ts'
import { findRun } from '../../../store/queries/runs.ts'
import { lockGate } from '../../../store/queries/starts/gates.ts'
import { dropReceiving, noteSender, silentReceiving, writeReceiving } from '../../../store/queries/starts/receiving.ts'
import type { ReceivingStart } from '../../../store/queries/starts/receiving.ts'
import { busyWith, queuedOf } from '../../../store/queries/starts/written.ts'
import { overlapOf } from '../../../topology/plan.ts'
import type { EventNode } from '../../../topology/plan.ts'
import type { ApiDeps } from '../../deps.ts'
import { skipReason } from '../firing/decide.ts'

/**
 * The place of a body among the runs of its node. Where these must not overlap its run is written down under the node's gate before
 * anything of it is stored, as every other start is (firing/gate.ts): so none begins beside it, and it beside none. A body can't wait in a
 * line: it is refused instead.
 */
export interface Place {
  /**
   * Takes it, or keeps it; a run that is there already has it. Throws `Conflict` while another run goes on or waits, and what
   * `lockGate` does.
   */
  hold(): Promise<void>
  /** Gives it back: nothing of the body was stored. Never rejects. */
  leave(): Promise<void>
}

const anywhere: Place = { hold: () => Promise.resolve(), leave: () => Promise.resolve() }

/** `force`: others may go on beside it; those that come after it see it all the same. */
export function placeOf(store: ApiDeps['store'], node: EventNode, start: ReceivingStart, force: boolean): Place {
  if (overlapOf(node) === 'allow') return anywhere
  return {
    hold: () =>
      store.transaction(async (inside) => {
        await lockGate(inside, start.topologyId, node.id)
        if (await findRun(inside, start.id)) return noteSender(inside, start.id)
        if (!force) await refuseBusy(inside, node)
        await writeReceiving(inside, start)
      }),
    leave: () => dropReceiving(store, start.id).catch(() => undefined),
  }
}

async function refuseBusy(inside: ApiDeps['store'], node: EventNode): Promise<void> {
  const { id, name } = node
  const busy = (await busyWith(inside, [id])).get(id) ?? null
  const queued = (await queuedOf(inside, [id])).get(id) ?? 0
  if (busy === null && queued === 0) return
  throw new Conflict(
    `${skipReason(busy, queued)}, and the node "${name}" has overlap: ${overlapOf(node)}, where a body can not wait in a line; wait for its end, cancel it, or start with force`,
  )
}

/** Who takes a body in says so more often. */
const silentMs = 5 * 60_000
/** What was stored for a body is stored right after its sender was noted; clocks of NATS and Postgres may differ. */
const storedMs = 10 * 60_000

/** Gives back the places of bodies whose control died before anything of them was stored. */
export async function freePlaces({ store, queues }: Pick<ApiDeps, 'store' | 'queues'>): Promise<void> {
  for (const { id, topologyId, at } of await silentReceiving(store, silentMs)) {
    const position = (await positionsOf(store, [topologyId])).get(topologyId)?.position ?? 0
    const next = await queues.outcomeAfter(topologyId, position)
    // The recorder is behind: it may have been stored all the same.
    if (next !== null && next.getTime() < at.getTime() + storedMs) continue
    await dropReceiving(store, id, silentMs)
  }
}
