import type { Outcome, Trashed } from '../../runtime/protocol/outcome.ts'
import { applyOutcomes, position } from '../../runtime/store/outcomes.ts'
import { getRun } from '../../runtime/store/queries/runs.ts'
import type { Store } from '../../runtime/store/store.ts'
import { sortOutcomes, tally } from '../../runtime/store/tally/tally.ts'
import type { Counters } from '../../runtime/store/tally/tally.ts'
import { counterNames } from './truth.ts'
import { topologyId } from './plan.ts'

export interface Run extends Counters {
  state: string
}

/** Where the recorder writes. */
export interface Books {
  readonly at: number
  /** Open rows, as they were when they failed. */
  readonly trash: ReadonlyMap<string, Trashed>
  position(epoch: string): Promise<number> | number
  /** All of it or nothing; false when the position is another one. */
  apply(move: { epoch: string; from: number; to: number }, outcomes: readonly Outcome[]): Promise<boolean> | boolean
  run(id: string): Promise<Run> | Run
  /** Is the run's start written down? */
  knows(id: string): boolean
}

/** As Postgres would have it, by the engine's own tally; thousands of transactions a second. */
export function openMemoryBooks(): Books {
  const runs = new Map<string, Run>()
  const trash = new Map<string, Trashed>()
  const settled = new Set<string>()
  let at = 0
  return {
    get at() {
      return at
    },
    trash,
    position: () => at,
    apply({ from, to }, outcomes) {
      if (from !== at) return false
      at = to
      const sorted = sortOutcomes(outcomes)
      const started = new Set([...sorted.started.keys()].filter((id) => !runs.has(id)))
      const trashed = new Set([...sorted.trashed.keys()].filter((id) => !trash.has(id) && !settled.has(id)))
      for (const id of trashed) trash.set(id, sorted.trashed.get(id) as Trashed)
      const turned = [...sorted.settled].filter(([, { trashId }]) => trash.delete(trashId))
      for (const [, { trashId }] of turned) settled.add(trashId)
      for (const delta of tally(outcomes, sorted, { started, trashed, settled: new Set(turned.map(([key]) => key)) }))
        add(runs, delta.run, delta)
      return true
    },
    run: (id) => runs.get(id) ?? { ...none },
    knows: (id) => runs.has(id),
  }
}

const none: Run = { state: 'running', done: 0, failed: 0, discarded: 0, cancelled: 0, inProgress: 0 }

function add(runs: Map<string, Run>, id: string, delta: Counters): void {
  const run = runs.get(id) ?? { ...none }
  runs.set(id, run)
  for (const name of counterNames) run[name] += delta[name]
  run.state = run.inProgress > 0 ? 'running' : run.failed > 0 ? 'failed' : run.cancelled > 0 ? 'cancelled' : 'finished'
}

/** Postgres itself. */
export function openPostgresBooks(store: Store): Books {
  const trash = new Map<string, Trashed>()
  const runs = new Set<string>()
  let at = 0
  return {
    get at() {
      return at
    },
    trash,
    knows: (id) => runs.has(id),
    position: (epoch) => position(store, topologyId, epoch),
    async apply(move, outcomes) {
      if (!(await applyOutcomes(store, topologyId, move, outcomes))) return false
      at = move.to
      for (const outcome of outcomes) {
        runs.add(outcome.run)
        if (outcome.kind === 'trashed') trash.set(outcome.trashId, outcome)
        if (outcome.kind === 'replayed' || outcome.kind === 'discarded') trash.delete(outcome.trashId)
      }
      return true
    },
    run: (id) => getRun(store, id).catch(() => ({ ...none })),
  }
}
