import { Conflict } from '../../errors.ts'
import { getRun, noteCancel } from '../../store/queries/runs.ts'
import type { ApiDeps } from '../deps.ts'

type Deps = Pick<ApiDeps, 'store' | 'queues'>

/** What became of the wish to cancel: `note` says why it may take long. */
export interface Cancelled {
  readonly state: 'cancelling' | 'cancelled'
  readonly note: string | null
}

/**
 * Lets everything that a run still has settle as cancelled, wherever it is; what came to its end before stays done. Idempotent.
 * Throws `NotFound`, and `Conflict` when the run has ended otherwise.
 */
export async function cancelRun({ store, queues }: Deps, id: string): Promise<Cancelled> {
  const { topologyId, state } = await getRun(store, id)
  if (state === 'running') await queues.cancel(topologyId, id)
  const noted = state === 'running' ? await noteCancel(store, id) : null
  if (noted !== null) return { state: 'cancelling', note: await noteOf(queues) }
  const { state: ended } = await getRun(store, id)
  if (ended !== 'cancelled') throw new Conflict(`the run is ${ended} already: there is nothing to cancel`)
  return { state: 'cancelled', note: null }
}

/** It is bridges that settle messages. */
export async function noteOf(queues: Deps['queues']): Promise<string | null> {
  const bridges = await queues.bridges()
  return bridges.length > 0 ? null : 'no bridge is alive: messages settle as cancelled as soon as one is'
}
