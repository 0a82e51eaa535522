import { NotFound } from '../../../errors.ts'
import type { NodeQueue, Readings } from '../../../queue/control.ts'
import { position } from '../../../store/outcomes.ts'
import { receivingOf } from '../../../store/queries/intakes.ts'
import { cancelQueued, writtenOf } from '../../../store/queries/starts/written.ts'
import { nodesEver } from '../../../store/queries/revisions.ts'
import { deleteDraft, lockTopology, updateTopology } from '../../../store/queries/topologies.ts'
import type { Topology } from '../../../store/queries/topologies.ts'
import type { ApiDeps } from '../../deps.ts'
import type { Afterwards } from './discard.ts'

type Deps = Pick<ApiDeps, 'store' | 'queues'>

/** By topology id: last sequence of its stream when a look found nothing unsettled. */
export type Quiet = Map<string, number>

/**
 * One look at all topologies whose messages are being cancelled; what has settled is finished. Every control does this, as often as it
 * likes: each step may be done twice, and one that dies leaves the entry, by which another goes on.
 *
 *   settled, delayed none, recorded, and so again in the next look → the plan is taken from the bridges → the entry is removed
 *                                                                   → to be deleted: first the rows, then the stream
 */
export async function finishDiscards({ store, queues }: Deps, quiet: Quiet, errors: unknown[]): Promise<void> {
  const discards = await queues.discards()
  for (const id of quiet.keys()) if (!discards.has(id)) quiet.delete(id)
  for (const [id, afterwards] of discards)
    await finish({ store, queues }, id, afterwards, quiet).catch((error: unknown) => errors.push(error))
}

async function finish({ store, queues }: Deps, id: string, afterwards: Afterwards, quiet: Quiet): Promise<void> {
  const topology = await draftOf(store, id)
  if (topology === null) return clear({ queues }, id)
  const last = await settledAt({ store, queues }, id)
  const before = quiet.get(id)
  if (last === null) quiet.delete(id)
  else quiet.set(id, last)
  if (last === null || last !== before) return
  if (afterwards === 'draft') return release({ store, queues }, id)
  await store.transaction(async (inside) => {
    await lockTopology(inside, id, null)
    await deleteDraft(inside, id)
  })
  await clear({ queues }, id)
}

/** From now on it can be published again. Another control may have done it, and somebody published it since. */
async function release({ store, queues }: Deps, id: string): Promise<void> {
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
async function settledAt({ store, queues }: Deps, id: string): Promise<number | null> {
  await cancelQueued(store, { topologyId: id })
  // A start that is about to be sent settles as cancelled when it has been.
  if ((await writtenOf(store, id)).size > 0) return null
  if ((await receivingOf(store, { runs: [], topologies: [id] })).length > 0) return null
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
  const outcome = await queues.lastOutcome(id)
  if (outcome !== null && (await position(store, id, outcome.epoch)) < outcome.sequence) return null
  return after.last
}

const isSettled = ({ queues }: Readings): boolean => queues.every(({ next }) => next === null)
