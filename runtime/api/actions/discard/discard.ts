import { Conflict } from '../../../errors.ts'
import { positionsOf } from '../../../store/outcomes.ts'
import { countOpenReruns } from '../../../store/queries/history/reruns.ts'
import { clearSchedules } from '../../../store/queries/starts/gates.ts'
import { cancelQueued, writtenOf } from '../../../store/queries/starts/written.ts'
import type { Cancelled } from '../../../store/queries/starts/written.ts'
import { messagesInProgress } from '../../../store/queries/runs.ts'
import { lockTopology, updateTopology } from '../../../store/queries/topologies.ts'
import type { Topology } from '../../../store/queries/topologies.ts'
import type { Store } from '../../../store/store.ts'
import type { Plan } from '../../../topology/plan.ts'
import { ofTopology } from '../../access/targets.ts'
import type { ApiDeps, Changing } from '../../deps.ts'
import { tellRuns } from '../firing/tell.ts'
import { newestPlan } from '../plans.ts'

type Deps = Pick<ApiDeps, 'store' | 'queues'>

/** What becomes of a topology when everything of it has settled as cancelled. */
export type Afterwards = 'draft' | 'delete'

/** Starts of a topology that were accepted and aren't in its queues yet: queued, about to be sent, or of reruns that aren't finished. */
export async function startsToCome(store: Store, topologyId: string): Promise<number> {
  const written = await writtenOf(store, topologyId)
  return [...written.values()].reduce((sum, count) => sum + count, await countOpenReruns(store, topologyId))
}

/** Messages of the topology that are on their way: queued, held, delayed, counted as such by its runs, or not recorded yet; and starts that are to come. */
export async function onTheirWay({ store, queues }: Deps, topology: Topology): Promise<number> {
  const plan = await newestPlan(store, topology)
  if (plan === null) return 0
  const [depths, { messages }, counted, starts, recorded] = await Promise.all([
    queues.depths(plan),
    queues.backlog(topology.id),
    messagesInProgress(store, topology.id),
    startsToCome(store, topology.id),
    isRecorded({ store, queues }, topology.id),
  ])
  const queued = depths.reduce((sum, { pending, inFlight, replies }) => sum + pending + inFlight + replies, 0)
  return Math.max(queued, messages, counted, recorded ? 0 : 1) + starts
}

/** The recorder has read every outcome of the topology: what was accepted, a discard from Trash too, is written down. */
export async function isRecorded({ store, queues }: Deps, topologyId: string): Promise<boolean> {
  const last = await queues.lastOutcome(topologyId)
  if (last === null) return true
  const read = (await positionsOf(store, [topologyId])).get(topologyId)
  return read?.epoch === last.epoch && read.position >= last.sequence
}

/**
 * Begins to settle everything of a topology as cancelled (I7): from now on it is a draft that takes no starts, and can't be published
 * until that is done. That it goes on is kept where the bridges see it, with what comes afterwards; a control finishes it (finish.ts),
 * be it this one or another. Idempotent. Throws `NotFound`, `LostRace`.
 */
export async function beginDiscard(
  { store, queues, audit, events }: Pick<Changing, 'store' | 'queues' | 'audit' | 'events'>,
  id: string,
  afterwards: Afterwards,
  ifVersion: number | null,
): Promise<Topology> {
  const cancelled: Cancelled[] = []
  const after = await store.transaction(async (inside) => {
    const topology = await lockTopology(inside, id, ifVersion)
    const plan = await newestPlan(inside, topology)
    await clearSchedules(inside, id)
    cancelled.push(...(await cancelQueued(inside, { topologyId: id })))
    const wasThere = await queues.isCancelling(id, null)
    const before = topology.visibility === 'draft' ? (await queues.discards()).get(id) : undefined
    await queues.discardAll(id, afterwards)
    try {
      if (topology.visibility === 'draft') {
        // Bridges don't have it any more, and only they settle messages. They are told after the entry, so they call nobody.
        if (plan !== null && !wasThere) await hand({ queues }, plan)
        // To be deleted isn't undone by a weaker wish.
        if (before !== 'delete' && before !== afterwards)
          await audit(inside, ofTopology(topology, topology, { discard: afterwards }))
        return topology
      }
      const after = await updateTopology(inside, id, { visibility: 'draft', bridgeOutOfSync: false })
      await audit(inside, ofTopology(topology, after, { discard: afterwards }))
      return after
    } catch (error) {
      if (!wasThere) await queues.endCancel(id, null)
      throw error
    }
  })
  tellRuns(events, cancelled)
  return after
}

async function hand({ queues }: Pick<Deps, 'queues'>, plan: Plan): Promise<void> {
  await queues.ensure(plan)
  await queues.putPlan(plan)
}

/** Throws `Conflict` while everything of the topology is being cancelled. */
export async function refuseDiscarding(
  { queues }: Pick<Deps, 'queues'>,
  { id, name, revision }: Topology,
): Promise<void> {
  if (revision > 0 && (await queues.isCancelling(id, null)))
    throw new Conflict(`the messages of "${name}" are being cancelled: publish it when that is done`)
}
