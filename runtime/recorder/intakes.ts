import { textOf } from '../errors.ts'
import { abandonedAfterMs } from '../protocol/intake.ts'
import type { IntakeState } from '../protocol/intake.ts'
import type { CancelledChange } from '../queue/config.ts'
import type { Queues } from '../queue/open.ts'
import { receivingIdle, receivingOf } from '../store/queries/intakes.ts'
import type { Receiving } from '../store/queries/intakes.ts'
import type { Store } from '../store/store.ts'
import type { Log } from '../telemetry/log.ts'

interface Deps {
  readonly queues: Queues
  readonly store: Store
  readonly log: Log
}

const lookEveryMs = 60_000

/**
 * Ends intakes with which nobody goes on: those of cancelled runs at once, others when nothing came for three days. What they wait for
 * holds their runs open. Every control does this; twice is harmless, and who still sends finds it ended.
 */
export function openIntakes(
  deps: Deps,
  abandonedMs = abandonedAfterMs,
): (open: readonly CancelledChange[]) => Promise<void> {
  let lookedAt = -Infinity
  return async (open) => {
    const cancelled = await receivingOf(deps.store, {
      runs: open.flatMap(({ run }) => (run === null ? [] : [run])),
      topologies: open.flatMap(({ run, topologyId }) => (run === null ? [topologyId] : [])),
    })
    for (const run of cancelled) await close(deps, run, 'cancelled')
    if (performance.now() - lookedAt < lookEveryMs) return
    lookedAt = performance.now()
    for (const run of await receivingIdle(deps.store, new Date(Date.now() - abandonedMs)))
      await close(deps, run, 'abandoned')
  }
}

/** Where somebody was faster with a chunk the slot is taken: the next round knows of that. */
async function close(
  { queues, log }: Deps,
  { id: run, intake, ...place }: Receiving,
  state: IntakeState,
): Promise<void> {
  try {
    const at = new Date().toISOString()
    await queues.control.uploads.close({ ...place, run }, { ...intake, state, at })
  } catch (error) {
    log.warn('an intake can not be ended yet', { run, error: textOf(error) })
  }
}
