import type { Reading, Readings } from '../../../queue/control.ts'
import { writtenOf } from '../../../store/queries/starts/written.ts'
import { leadingTo } from '../../../store/queries/revisions.ts'
import type { InForce } from '../../../store/queries/topologies.ts'
import type { Store } from '../../../store/store.ts'
import { closedUnder, withoutNodes } from '../../../topology/leaving.ts'
import type { Plan, PlanNode } from '../../../topology/plan.ts'
import type { ApiDeps } from '../../deps.ts'
import { newestPlan } from '../plans.ts'
import { changePlan } from './change.ts'

type Deps = Pick<ApiDeps, 'store' | 'queues'>

/**
 * What is known from look to look of a revision that every bridge has. By that nothing new leads to a leaving node; what may still
 * come there is what was delivered before:
 *
 *   calls: messages up to `called`, at nodes that ever led there → replies: stored until those calls were settled → the queue
 */
interface Progress {
  readonly revision: number
  readonly sources: Sources
  /** Last sequence of the stream when every bridge had the revision. */
  readonly called: number
  /** By leaving node: last sequence when everything up to `called` was settled. */
  readonly replied: Map<string, number>
  /** When delays are looked at again, by the monotonic clock. */
  delaysAtMs: number
}

/** Nodes whose edges ever led to leaving ones, and these. */
interface Sources {
  readonly ids: ReadonlySet<string>
  of(leavingId: string): readonly string[]
}

/** By topology id. */
export type Progresses = Map<string, Progress>

/** A look at delays reads each of them: it takes at most this part of the time. */
const delaysPart = 20

/**
 * Drops the leaving nodes of a published topology to which nothing can come any more. Every control may do this at once, as often as it
 * likes. Resolves with false when the revision has none.
 */
export async function dropEmpty({ store, queues }: Deps, topology: InForce, progresses: Progresses): Promise<boolean> {
  const plan = await newestPlan(store, topology)
  const leaving = plan?.nodes.filter((node) => node.leaving !== undefined) ?? []
  if (plan === null || leaving.length === 0) {
    progresses.delete(topology.id)
    return false
  }
  const { missing } = await queues.awaitApplied(topology.id, plan.revision, 0)
  if (missing.length > 0) return true
  const progress = progresses.get(topology.id)
  const now = progress?.revision === plan.revision ? progress : await begin({ store, queues }, plan, leaving)
  progresses.set(topology.id, now)
  const { sources } = now
  const look = (): Promise<Readings> => queues.readings(topology.id, ({ nodeId }) => sources.ids.has(nodeId))
  let seen = await look()
  const called = leaving.filter(({ id }) => !now.replied.has(id) && areCalled(seen.queues, sources.of(id), now.called))
  if (called.length > 0) {
    seen = await look()
    for (const { id } of called) now.replied.set(id, seen.last)
  }
  const candidates = leaving.filter(
    ({ id }) => areSplit(seen.queues, sources.of(id), now.replied.get(id)) && isEmpty(seen.queues, id),
  )
  const written = await writtenOf(store, topology.id)
  const unwritten = candidates.filter(({ id }) => !written.has(id))
  const empty = await withoutDelays({ queues }, topology.id, unwritten, now)
  const dropped = closedUnder(leaving, empty)
  if (dropped.size > 0) await drop({ store, queues }, plan, dropped)
  return true
}

/** What is delayed for nodes that go to Trash needn't wait for its time. */
async function begin({ store, queues }: Deps, plan: Plan, leaving: readonly PlanNode[]): Promise<Progress> {
  const { topologyId, revision } = plan
  const sources = await sourcesOf(store, leaving, topologyId)
  const evicted = leaving.filter((node) => node.leaving === 'trash').map(({ id }) => id)
  if (evicted.length > 0) await queues.hasten(topologyId, new Set(evicted))
  const { last } = await queues.readings(topologyId, () => false)
  return { revision, sources, called: last, replied: new Map(), delaysAtMs: 0 }
}

async function sourcesOf(store: Store, leaving: readonly PlanNode[], topologyId: string): Promise<Sources> {
  const byNode = new Map<string, string[]>()
  for (const { id } of leaving) byNode.set(id, await leadingTo(store, topologyId, id))
  const ids = new Set([...byNode.keys(), ...[...byNode.values()].flat()])
  return { ids, of: (id) => byNode.get(id) ?? [] }
}

const isPast = ({ next }: Reading, sequence: number): boolean => next === null || next > sequence

function areCalled(queues: readonly Reading[], ids: readonly string[], upTo: number): boolean {
  return queues.every((queue) => queue.isReplies || !ids.includes(queue.nodeId) || isPast(queue, upTo))
}

function areSplit(queues: readonly Reading[], ids: readonly string[], upTo: number | undefined): boolean {
  if (upTo === undefined) return false
  return queues.every((queue) => !queue.isReplies || !ids.includes(queue.nodeId) || isPast(queue, upTo))
}

function isEmpty(queues: readonly Reading[], id: string): boolean {
  return queues.every(({ nodeId, next }) => nodeId !== id || next === null)
}

/** Those of the nodes with empty queues that have no delays either. Delays are looked at first: one may fire between the two. */
async function withoutDelays(
  { queues }: Pick<Deps, 'queues'>,
  topologyId: string,
  candidates: readonly PlanNode[],
  progress: Progress,
): Promise<Set<string>> {
  const begun = performance.now()
  if (candidates.length === 0 || begun < progress.delaysAtMs) return new Set()
  const delayed = await queues.delayed(topologyId)
  const took = performance.now() - begun
  progress.delaysAtMs = begun + took * delaysPart
  const due = candidates.filter(({ id, leaving }) => leaving === 'trash' && delayed.has(id)).map(({ id }) => id)
  if (due.length > 0) await queues.hasten(topologyId, new Set(due))
  const left = candidates.map(({ id }) => id).filter((id) => !delayed.has(id))
  const after = await queues.readings(topologyId, ({ nodeId }) => left.includes(nodeId))
  return new Set(left.filter((id) => isEmpty(after.queues, id)))
}

async function drop({ store, queues }: Deps, plan: Plan, dropped: ReadonlySet<string>): Promise<void> {
  const changed = await changePlan({ store, queues }, plan, (now) => withoutNodes(now, dropped))
  if (!changed) return
  for (const nodeId of dropped) await queues.setPaused(nodeId, null)
}
