import { textOf } from '../errors.ts'
import { abandonedAfterMs, goneAfterMs } from '../protocol/intake.ts'
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

/** In milliseconds. */
export interface IntakeTimes {
  /** After so long without anything those are given up with which anybody may go on, */
  readonly abandonedMs: number
  /** and those end with which only their sender could. */
  readonly goneMs: number
  readonly lookEveryMs: number
}

const usual: IntakeTimes = { abandonedMs: abandonedAfterMs, goneMs: goneAfterMs, lookEveryMs: 60_000 }

/**
 * Ends intakes with which nobody goes on: those of cancelled runs at once, others when nothing came for long. What they wait for
 * holds their runs open. Every control does this; twice is harmless, and who still sends finds it ended.
 */
export function openIntakes(
  deps: Deps,
  times: IntakeTimes = usual,
): (open: readonly CancelledChange[]) => Promise<void> {
  let lookedAt = -Infinity
  let quiet: ReadonlyMap<string, string> = new Map()
  return async (open) => {
    const cancelled = receivingOf(deps.store, {
      runs: open.flatMap(({ run }) => (run === null ? [] : [run])),
      topologies: open.flatMap(({ run, topologyId }) => (run === null ? [topologyId] : [])),
    })
    if (open.length > 0) for await (const run of cancelled) await close(deps, run, { state: 'cancelled' })
    if (performance.now() - lookedAt < times.lookEveryMs) return
    lookedAt = performance.now()
    quiet = await endQuiet(deps, times, quiet)
  }
}

/**
 * `before` is when those were last seen that the look before found quiet, by id; answers the same of this look. One without a key is
 * ended by the second look: when Postgres was away for long, all of them look quiet to the first.
 */
async function endQuiet(
  deps: Deps,
  { abandonedMs, goneMs }: IntakeTimes,
  before: ReadonlyMap<string, string>,
): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  const now = Date.now()
  for await (const run of receivingIdle(deps.store, new Date(now - Math.min(abandonedMs, goneMs)))) {
    const { resumable, at } = run.intake
    found.set(run.id, at)
    if (now - Date.parse(at) > abandonedMs) await close(deps, run, { state: 'abandoned' })
    else if (!resumable && before.get(run.id) === at) await close(deps, run, { state: 'broken', error: goneText })
  }
  return found
}

const goneText = 'its sender has not been seen for an hour, and without an Idempotency-Key nobody else can go on'

/** Where somebody was faster with a chunk the slot is taken: the next round knows of that. */
async function close(
  { queues, log }: Deps,
  { id: run, intake, ...place }: Receiving,
  end: { readonly state: IntakeState; readonly error?: string },
): Promise<void> {
  try {
    const at = new Date().toISOString()
    await queues.control.uploads.close({ ...place, run }, { ...intake, ...end, at })
  } catch (error) {
    log.warn('an intake can not be ended yet', { run, error: textOf(error) })
  }
}
