import { closeRerun, isRerunOpen, startOf, takeOpenRerun } from '../../../store/queries/history/reruns.ts'
import type { Rerun } from '../../../store/queries/history/reruns.ts'
import { findRun } from '../../../store/queries/runs.ts'
import { findTopology } from '../../../store/queries/topologies.ts'
import type { ApiDeps } from '../../deps.ts'
import { ownKey } from '../keys.ts'

type Deps = Pick<ApiDeps, 'store' | 'queues'>

/** Whoever made it, or tried last, is given so long to finish it. */
const ownMs = 10_000
const atOnce = 20
/** With NATS away each failure takes its time. */
const failuresMax = 5
/** How long what was learned of a rerun counts: a process may be stopped for longer than the queues keep what is settled. */
const freshMs = 5_000

/** Puts into the queues what a rerun begins with; may be done by several controls at once, and again. */
export async function finishRerun(deps: Deps, rerun: Rerun): Promise<void> {
  const isThere = (await findTopology(deps.store, rerun.topologyId)) !== null
  // With its topology went its queues: nothing can begin there any more.
  if (isThere) await (rerun.sequences === null ? start(deps, rerun) : enter(deps, rerun, rerun.sequences))
  await closeRerun(deps.store, rerun.runId)
}

/**
 * Those that a control left behind that died, or couldn't reach NATS. One that fails comes again when all others had their turn, so it
 * keeps none waiting.
 */
export async function finishReruns(deps: Deps, errors: unknown[]): Promise<void> {
  const before = new Date(Date.now() - ownMs)
  const failed: unknown[] = []
  for (let n = 0; n < atOnce && failed.length < failuresMax; n++) {
    const rerun = await takeOpenRerun(deps.store, before)
    if (rerun === null) break
    await finishRerun(deps, rerun).catch((error: unknown) => failed.push(error))
  }
  errors.push(...failed)
}

/** Retention keeps the run whose start it is as long as this is open. */
async function start({ store, queues }: Deps, { runId: run, rerunOf, topologyId, nodeId, key }: Rerun): Promise<void> {
  const message = await startOf(store, rerunOf)
  if (message === null || key === null || !(await isRerunOpen(store, run))) return
  await queues.start({ topologyId, nodeId, key: ownKey(key), run, trace: null, ...message })
}

async function enter({ store, queues }: Deps, rerun: Rerun, sequences: readonly number[]): Promise<void> {
  const { runId: run, rerunOf, topologyId, nodeId, revision, epoch, createdAt } = rerun
  const tenant = (await findRun(store, rerunOf))?.tenant ?? null
  let checkedAt = -Infinity
  const mayGoOn = async (): Promise<boolean> => {
    if (performance.now() - checkedAt < freshMs) return true
    const now = performance.now()
    if (!(await isRerunOpen(store, run))) return false
    checkedAt = now
    return true
  }
  const at = createdAt.toISOString()
  const entering = { topologyId, nodeId, run, tenant, revision, at, epoch: epoch ?? '', sequences }
  await queues.history.enter(entering, mayGoOn)
}
