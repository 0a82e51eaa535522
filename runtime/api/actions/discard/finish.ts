import { NotFound } from '../../../errors.ts'
import type { NodeQueue, Readings } from '../../../queue/control.ts'
import { isReceiving } from '../../../store/queries/intakes.ts'
import { lockGates } from '../../../store/queries/starts/gates.ts'
import { cancelQueued } from '../../../store/queries/starts/written.ts'
import { nodesEver } from '../../../store/queries/revisions.ts'
import { deleteDraft, lockTopology, updateTopology } from '../../../store/queries/topologies.ts'
import type { Topology } from '../../../store/queries/topologies.ts'
import type { ApiDeps } from '../../deps.ts'
import { tellRuns } from '../firing/tell.ts'
import { isRecorded, startsToCome } from './discard.ts'
import type { Afterwards } from './discard.ts'

type Deps = Pick<ApiDeps, 'store' | 'queues' | 'events'>

/** By topology id: last sequence of its stream when a look found nothing unsettled. */
export type Quiet = Map<string, number>

/**
 * One look at all topologies whose messages are being cancelled; what has settled is finished. Every control does this, as often as it
 * likes: each step may be done twice, and one that dies leaves the entry, by which another goes on.
 *
 *   settled, delayed none, recorded, and so again in the next look → the plan is taken from the bridges → the entry is removed
 *                                                                   → to be deleted: the stream if it is as it was, with the rows
 */
export async function finishDiscards(deps: Deps, quiet: Quiet, errors: unknown[]): Promise<void> {
  const discards = await deps.queues.discards()
  for (const id of quiet.keys()) if (!discards.has(id)) quiet.delete(id)
  for (const [id, afterwards] of discards)
    await finish(deps, id, afterwards, quiet).catch((error: unknown) => errors.push(error))
}

async function finish(deps: Deps, id: string, afterwards: Afterwards, quiet: Quiet): Promise<void> {
  const { store, queues } = deps
  const topology = await draftOf(store, id)
  if (topology === null) return clear({ queues }, id)
  const last = await settledAt(deps, id)
  const before = quiet.get(id)
  if (last === null) quiet.delete(id)
  else quiet.set(id, last)
  if (last === null || last !== before) return
  if (afterwards === 'draft') return release(deps, id)
  if (await isDeleted(deps, id, last)) return clear(deps, id)
  quiet.delete(id)
}

/** False, and nothing is changed: something was accepted since `last` was the last of the stream, which is never deleted (I7). */
function isDeleted({ store, queues }: Deps, id: string, last: number): Promise<boolean> {
  return store.transaction(async (inside) => {
    await lockTopology(inside, id, null)
    // Who starts something by a gate has written it down by now, or finds the topology gone.
    await lockGates(inside, id)
    if ((await startsToCome(inside, id)) > 0 || !(await queues.destroyUnmoved(id, last))) return false
    return deleteDraft(inside, id)
  })
}

/** From now on it can be published again. Another control may have done it, and somebody published it since. */
async function release({ store, queues }: Pick<Deps, 'store' | 'queues'>, id: string): Promise<void> {
  await store.transaction(async (inside) => {
    await lockTopology(inside, id, null)
    if (!(await queues.isCancelling(id, null))) return
    await queues.stopPlan(id)
    await queues.endCancel(id, null)
  })
}

/** What the bridges and the queues have of a topology that is deleted. */
async function clear({ queues }: Pick<Deps, 'queues'>, id: string): Promise<void> {
  await queues.stopPlan(id)
  await queues.destroy(id)
  await queues.setTopologyPaused(id, null)
  await queues.endCancel(id, null)
}

/** A control may have died before it wrote that the topology is a draft. Null: it is deleted. */
async function draftOf(store: Deps['store'], id: string): Promise<Topology | null> {
  try {
    return await store.transaction(async (inside) => {
      const topology = await lockTopology(inside, id, null)
      if (topology.visibility === 'draft') return topology
      return updateTopology(inside, id, { visibility: 'draft', bridgeOutOfSync: false })
    })
  } catch (error) {
    if (error instanceof NotFound) return null
    throw error
  }
}

/** Last sequence of the stream when nothing in it was unsettled, delayed or unrecorded; null: something is. */
async function settledAt({ store, queues, events }: Deps, id: string): Promise<number | null> {
  tellRuns(events, await cancelQueued(store, { topologyId: id }))
  // A start that is about to be sent settles as cancelled when it has been.
  if ((await startsToCome(store, id)) > 0) return null
  if (await isReceiving(store, id)) return null
  const ever = await nodesEver(store, id)
  const inputs = ever.map((node): NodeQueue => ({ nodeId: node.id, isReplies: false, generation: node.generation }))
  const nodes = [...new Set(ever.map((node) => node.id))]
  const replies = nodes.map((nodeId): NodeQueue => ({ nodeId, isReplies: true, generation: null }))
  const look = (): Promise<Readings> => queues.readings(id, () => true, [...inputs, ...replies])
  if (!isSettled(await look())) return null
  // A delay may fire between the two looks at the queues.
  if ((await queues.delayed(id)).size > 0) return null
  const after = await look()
  if (!isSettled(after)) return null
  return (await isRecorded({ store, queues }, id)) ? after.last : null
}

const isSettled = ({ queues }: Readings): boolean => queues.every(({ next }) => next === null)
