import { Conflict, NotFound } from '../../errors.ts'
import { cancelQueued } from '../../store/queries/starts/written.ts'
import { getRun, noteCancel } from '../../store/queries/runs.ts'
import type { Run } from '../../store/queries/runs.ts'
import { getTopology } from '../../store/queries/topologies.ts'
import { ofRun } from '../access/targets.ts'
import type { ApiDeps, Changing } from '../deps.ts'
import { tellRuns } from './firing/tell.ts'

type Deps = Pick<Changing, 'store' | 'queues' | 'audit' | 'events'>

/** What became of the wish to cancel: `note` says why it may take long. */
export interface Cancelled {
  readonly state: 'cancelling' | 'cancelled'
  readonly note: string | null
}

/**
 * Lets everything that a run still has settle as cancelled, wherever it is; what came to its end before stays done. Of a queued run
 * nothing has begun: it is cancelled at once. Idempotent.
 * Throws `NotFound`, and `Conflict` when the run has ended otherwise.
 */
export async function cancelRun(deps: Deps, id: string): Promise<Cancelled> {
  const { store, queues } = deps
  const run = await getRun(store, id)
  if (run.startState === 'queued' && (await cancelWaiting(deps, id))) return { state: 'cancelled', note: null }
  const noted = run.state === 'running' ? await cancel(deps, run) : null
  if (noted !== null) return { state: 'cancelling', note: (await unreadNote(deps, run)) ?? (await noteOf(queues)) }
  const { state: ended } = await getRun(store, id)
  if (ended !== 'cancelled') throw new Conflict(`the run is ${ended} already: there is nothing to cancel`)
  return { state: 'cancelled', note: null }
}

/** False when it isn't queued any more. */
async function cancelWaiting({ store, audit, events }: Deps, id: string): Promise<boolean> {
  const [run] = await store.transaction(async (inside) => {
    const cancelled = await cancelQueued(inside, { id })
    for (const each of cancelled) await audit(inside, ofRun({ ...each, state: 'running' }, { state: 'cancelled' }))
    return cancelled
  })
  if (run) tellRuns(events, [run])
  return run !== undefined
}

/** Null when it isn't running any more: then there was nothing to cancel. */
async function cancel({ store, queues, audit }: Deps, { id, topologyId }: Run): Promise<Run | null> {
  return store.transaction(async (inside) => {
    await queues.cancel(topologyId, id)
    const noted = await noteCancel(inside, id)
    if (noted) await audit(inside, ofRun(noted, { state: 'cancelling' }))
    return noted
  })
}

/** Bridges have only what is published, or is being discarded. Null when the run's topology is, or is deleted. */
async function unreadNote({ store, queues }: Deps, { topologyId }: Run): Promise<string | null> {
  const topology = await getTopology(store, topologyId).catch((error: unknown) => {
    if (error instanceof NotFound) return null
    throw error
  })
  if (topology?.visibility !== 'draft' || (await queues.isCancelling(topologyId, null))) return null
  return `"${topology.name}" is not published: messages settle as cancelled when it is published again, or unpublished with discard=true`
}

/** It is bridges that settle messages. */
export async function noteOf(queues: ApiDeps['queues']): Promise<string | null> {
  const bridges = await queues.bridges()
  return bridges.length > 0 ? null : 'no bridge is alive: messages settle as cancelled as soon as one is'
}
