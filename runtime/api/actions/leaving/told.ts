import { isDeepStrictEqual } from 'node:util'
import { NotFound } from '../../../errors.ts'
import { lockTopology, pausesOf } from '../../../store/queries/topologies.ts'
import { allServices, limitsOf, lockService } from '../../../store/queries/services.ts'
import { addressOf, allWorkers, lockWorkerIfAny, raiseWorker } from '../../../store/queries/workers.ts'
import type { Worker } from '../../../store/queries/workers.ts'
import type { WorkerAddress } from '../../../topology/plan.ts'
import type { ApiDeps } from '../../deps.ts'

type Deps = Pick<ApiDeps, 'store' | 'queues'>

/**
 * A pause of a topology, a worker's address, or a service's limits are told to the bridges before it is committed. If the commit fails, they go by what
 * nobody decided. So what they are told is compared with what is stored, and told again where it differs: each under the lock that
 * whoever changes it holds, so that a change that is under way is waited for, not undone.
 */
export async function mendTold(deps: Deps): Promise<void> {
  const told = await deps.queues.told()
  const { store } = deps
  const [pauses, workers, services] = await Promise.all([pausesOf(store), allWorkers(store), allServices(store)])
  for (const [id, reason] of pauses) if ((told.pausedTopologies.get(id) ?? null) !== reason) await tellPause(deps, id)
  for (const worker of workers) {
    const known = told.workers.get(worker.name)
    if (!isDeepStrictEqual(known, addressOf(worker))) await tellWorker(deps, worker, known)
  }
  const stored = new Map(services.map((service) => [service.name, limitsOf(service)]))
  for (const name of new Set([...stored.keys(), ...told.services.keys()]))
    if (!isDeepStrictEqual(told.services.get(name), stored.get(name))) await tellService(deps, name)
}

async function tellPause({ store, queues }: Deps, id: string): Promise<void> {
  await store
    .transaction(async (inside) => {
      const { pausedReason } = await lockTopology(inside, id, null)
      await queues.setTopologyPaused(id, pausedReason)
    })
    .catch(unlessGone)
}

/** An older version never replaces a newer one: so the one that is in force gets a newer one than was told. */
async function tellWorker({ store, queues }: Deps, { name }: Worker, known: WorkerAddress | undefined): Promise<void> {
  await store.transaction(async (inside) => {
    const worker = await lockWorkerIfAny(inside, name)
    if (worker === null) return
    const isBehind = known !== undefined && known.version > worker.version
    await queues.putWorker(addressOf(isBehind ? await raiseWorker(inside, name, known.version) : worker))
  })
}

async function tellService({ store, queues }: Deps, name: string): Promise<void> {
  await store.transaction(async (inside) => {
    const service = await lockService(inside, name).catch(nullIfGone)
    if (service === null) await queues.removeService(name)
    else await queues.putService(limitsOf(service))
  })
}

function nullIfGone(error: unknown): null {
  unlessGone(error)
  return null
}

function unlessGone(error: unknown): void {
  if (!(error instanceof NotFound)) throw error
}
