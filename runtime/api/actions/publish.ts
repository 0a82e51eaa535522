import { isDeepStrictEqual } from 'node:util'
import { Conflict } from '../../errors.ts'
import { clearSchedules } from '../../store/queries/starts/gates.ts'
import { listNodes } from '../../store/queries/nodes.ts'
import { getRevision, insertRevision } from '../../store/queries/revisions.ts'
import type { RevisionKind } from '../../store/queries/revisions.ts'
import { lockTopology, updateTopology } from '../../store/queries/topologies.ts'
import type { Topology, TopologyChange } from '../../store/queries/topologies.ts'
import { keepServices } from '../../store/queries/services.ts'
import { allWorkers } from '../../store/queries/workers.ts'
import type { Store } from '../../store/store.ts'
import { prefetchFault } from '../../topology/check.ts'
import { republishPlan } from '../../topology/compile.ts'
import { carryGenerations } from '../../topology/lanes/generations.ts'
import { withoutLeaving } from '../../topology/leaving.ts'
import { costFault } from '../../topology/limits/costs.ts'
import { isEventNode } from '../../topology/plan.ts'
import type { Plan } from '../../topology/plan.ts'
import type { Fields } from '../access/change.ts'
import { ofTopology } from '../access/targets.ts'
import type { Changing } from '../deps.ts'
import { refuseDiscarding } from './discard/discard.ts'
import { draftOf } from './drafts.ts'
import { dropPastLanes } from './lanes.ts'
import { enforceSchedules } from './firing/schedules.ts'
import { keepNodes } from './leaving/leave.ts'
import type { InFlight } from './leaving/leave.ts'
import { newestPlan, planDefaultsOf, tellBridges } from './plans.ts'
import { knownServices, planOfDraft, storedOf } from './publishing/draft-plan.ts'
import type { Stored } from './publishing/draft-plan.ts'

/**
 * Publishing. In one transaction, which keeps other changes of the topology out: check → make the queues → write the
 * revision. Then the bridges are told. With NATS away nothing changes; a control that dies between commit and telling
 * is made good by another one (`openSweep`), or by the next one that starts (`republishAllPlans`).
 */
type Deps = Pick<Changing, 'store' | 'queues' | 'audit'>

/**
 * The whole draft as a new revision, unless it is the one in force. Throws `Invalid` with every fault, and `Conflict` when a node goes
 * away while messages may still come to it and `inFlight` is `refuse`.
 */
export async function publish(
  deps: Deps,
  id: string,
  ifVersion: number | null,
  inFlight: InFlight = 'refuse',
): Promise<Topology> {
  const change = { kind: 'publish', inFlight, ...(inFlight !== 'refuse' && { how: { inFlight } }) } as const
  return putRevision(deps, id, ifVersion, change, (_, topology, stored) => planOfDraft(topology, stored))
}

/**
 * The published graph with the stored node values as a new revision, so that half-finished edits of the draft stay out.
 * Then waits up to 5 s for the live bridges. Throws `Conflict` while the topology is a draft.
 */
export async function republish(
  deps: Deps,
  id: string,
  ifVersion: number | null,
): Promise<{ topology: Topology; bridges: { applied: string[]; missing: string[] } }> {
  const topology = await putRevision(
    deps,
    id,
    ifVersion,
    { kind: 'republish', inFlight: 'refuse' },
    async (inside, before, { nodes, workers }) => {
      const plan = before.visibility === 'public' ? await newestPlan(inside, before) : null
      if (!plan) throw new Conflict(`the topology "${before.name}" is a draft: publish it first`)
      return checkedLanes(republishPlan(plan, storedOf(nodes), planDefaultsOf(plan, workers)))
    },
  )
  return { topology, bridges: await deps.queues.awaitApplied(id, topology.revision, 5_000) }
}

/** A draft may have given up its partitions and have a prefetch instead, while the published graph still has them. */
function checkedLanes(plan: Plan): Plan {
  for (const node of plan.nodes) {
    const fault = isEventNode(node) ? null : prefetchFault(node.name, node.partitions, node.prefetch)
    if (fault !== null) throw new Conflict(`${fault}, in the published graph: publish the draft, or set prefetch to 1`)
  }
  return plan
}

/** An earlier plan as a new revision; the draft stays as it is. Throws `NotFound`, `Conflict`. */
export async function rollback(deps: Deps, id: string, to: number, ifVersion: number | null): Promise<Topology> {
  const change = { kind: 'rollback', inFlight: 'refuse', how: { rolledBackTo: to } } as const
  return putRevision(deps, id, ifVersion, change, async (inside, before) => {
    const { plan } = await getRevision(inside, id, to)
    await refuseUnfit(inside, plan)
    return { ...withoutLeaving(plan), name: before.name, revision: before.revision + 1 }
  })
}

/** What was published once may name a service that is gone, so its calls would have no limits, or that allows less now. */
async function refuseUnfit(inside: Store, plan: Plan): Promise<void> {
  const users = plan.nodes.flatMap((node) =>
    isEventNode(node) || node.service === null ? [] : { ...node, service: node.service },
  )
  const there = await keepServices(
    inside,
    users.map(({ service }) => service),
  )
  for (const { name, service, limitCost = 1 } of users) {
    const declared = there.get(service)
    if (declared === undefined)
      throw new Conflict(`there is no service "${service}" any more, which that revision names: add it`)
    const fault = costFault(name, limitCost, service, declared.limits)
    if (fault !== null) throw new Conflict(`in that revision ${fault}`)
  }
}

/** Back to draft: bridges stop, queued messages stay for a later publish. Idempotent. */
export async function unpublish(deps: Deps, id: string, ifVersion: number | null): Promise<Topology> {
  return deps.store.transaction(async (inside) => {
    const topology = await lockTopology(inside, id, ifVersion)
    if (topology.visibility === 'draft') return topology
    // No bridge is left that could be behind; what is stored goes out with the next publish.
    const after = await changeTopology(deps, inside, topology, { visibility: 'draft', bridgeOutOfSync: false })
    await clearSchedules(inside, id)
    await deps.queues.stopPlan(id)
    return after
  })
}

type MakePlan = (inside: Store, topology: Topology, stored: Stored) => Promise<Plan> | Plan

interface RevisionChange {
  readonly kind: RevisionKind
  readonly inFlight: InFlight
  /** For the audit log. */
  readonly how?: Fields
}

async function putRevision(
  deps: Deps,
  id: string,
  ifVersion: number | null,
  { kind, inFlight, how }: RevisionChange,
  make: MakePlan,
): Promise<Topology> {
  const topology = await deps.store.transaction(async (inside) => {
    const before = await lockTopology(inside, id, ifVersion)
    const change = (to: TopologyChange) => changeTopology(deps, inside, before, to, how)
    await refuseDiscarding(deps, before)
    const nodes = await listNodes(inside, id, true)
    const workers = await allWorkers(inside)
    const newest = await newestPlan(inside, before)
    const stored = { nodes, workers, ...(await knownServices(inside, id, draftOf(before), workers, { isKept: true })) }
    const made = carryGenerations(await make(inside, before, stored), newest, new Date().toISOString())
    const isPublic = before.visibility === 'public'
    const kept = newest === null ? made : await keepNodes(deps, inside, made, newest, inFlight)
    if (kind === 'publish' && isPublic && isSame(kept, newest)) {
      // Set when a value was stored that was there before.
      return before.bridgeOutOfSync ? change({ bridgeOutOfSync: false }) : before
    }
    const plan = await dropPastLanes(deps, kept, newest, isPublic)
    await deps.queues.ensure(plan)
    await insertRevision(inside, plan, kind)
    await enforceSchedules(inside, plan)
    const bridgeOutOfSync = isOutOfSync(plan, stored)
    return change({ visibility: 'public', revision: plan.revision, bridgeOutOfSync })
  })
  await tellBridges(deps, id)
  return topology
}

async function changeTopology(
  { audit }: Deps,
  inside: Store,
  before: Topology,
  change: TopologyChange,
  how?: Fields,
): Promise<Topology> {
  const after = await updateTopology(inside, before.id, change)
  await audit(inside, ofTopology(before, after, how))
  return after
}

/** Publishing what is published already changes nothing, so that it can be done from scripts again and again. */
function isSame(plan: Plan, newest: Plan | null): boolean {
  return newest !== null && isDeepStrictEqual({ ...plan, revision: 0 }, { ...newest, revision: 0 })
}

/** True after a rollback to a plan whose node values aren't the stored ones: then a republish would change something. */
function isOutOfSync(plan: Plan, { nodes, workers }: Stored): boolean {
  return !isDeepStrictEqual(republishPlan(plan, storedOf(nodes), planDefaultsOf(plan, workers)).nodes, plan.nodes)
}
