import { Conflict, NotFound, Unsure } from '../../errors.ts'
import { newId } from '../../ids.ts'
import type { StartMessage } from '../../queue/control.ts'
import { getNode } from '../../store/queries/nodes.ts'
import { findRun } from '../../store/queries/runs.ts'
import type { Topology } from '../../store/queries/topologies.ts'
import { isEventNode, overlapOf } from '../../topology/plan.ts'
import type { EventNode, Plan, PlanNode } from '../../topology/plan.ts'
import type { ApiDeps } from '../deps.ts'
import { HttpProblem, retryAfterSeconds } from '../problem.ts'
import { startGated } from './firing/gate.ts'
import { firingMessage } from './firing/message.ts'
import { runIdOf } from './keys.ts'
import { newestPlan } from './plans.ts'

export interface Start {
  /** Id or name; null: the only start node. */
  readonly node: string | null
  /** Equal keys mean the same run; null: a run of its own. */
  readonly key: string | null
  readonly tenant: string | null
  readonly contentType: string
  readonly headers: Readonly<Record<string, string>>
  readonly trace: string | null
  /** The run reads everything again; default false. */
  readonly reconcile?: boolean
  /** Null: none was sent; a cron node then sends what its firings do. */
  readonly body: Uint8Array | null
  /** Whether it begins although another run of a node is going on whose runs must not overlap. */
  readonly force: boolean
}

export type StartDeps = Pick<ApiDeps, 'store' | 'queues' | 'admission' | 'events' | 'log'>

/**
 * Starts a run, or queues it behind those that it must not overlap with, and answers its id, or the id of the run that the same key
 * started. Throws `NotFound`, `Conflict`, what `Admission.admit` does, and `HttpProblem` (503) with the key that asks for the same run
 * again when nobody knows whether it was stored.
 */
export async function startRun(deps: StartDeps, topology: Topology, start: Start): Promise<string> {
  const { store, queues, admission } = deps
  const node = await startNodeOf(store, topology, start.node)
  const key = start.key ?? newId()
  const run = runIdOf(topology.id, node.id, key)
  // The queue knows a key for as long as its history reaches; after that, the run itself is the memory of it.
  if (start.key !== null && (await findRun(store, run))) return run
  const message = messageOf(start, topology, node)
  const isGated = overlapOf(node) !== 'allow'
  // It may have begun under its key while the runs of the node were allowed to overlap, and not be recorded yet.
  if (isGated && start.key !== null && (await queues.isStarted(topology.id, node.id, key))) return run
  try {
    await admit({ store, admission }, topology, node, message.body.byteLength)
  } catch (refusal) {
    // What was accepted under this key is in the queue before it is a run: only new starts are refused.
    if (start.key !== null && (await queues.isStarted(topology.id, node.id, key))) return run
    throw refusal
  }
  const names = { topologyId: topology.id, topologyName: topology.name, nodeId: node.id, nodeName: node.name }
  if (isGated) await startGated(deps, node, { id: run, ...names, ...message }, start.force)
  else
    await publishStart(queues, { topologyId: topology.id, nodeId: node.id, key, run, ...message }, start.key !== null)
  return run
}

/** `isOwnKey`: whoever sent it knows the key. */
async function publishStart(queues: StartDeps['queues'], start: StartMessage, isOwnKey: boolean): Promise<void> {
  try {
    await queues.start(start)
  } catch (error) {
    if (!(error instanceof Unsure)) throw error
    const { key, run } = start
    const how = isOwnKey ? 'with the same key' : `with the header Idempotency-Key: ${key}`
    const detail = `${error.message}, and the run would be ${run}; send the start again ${how}, and it is one run in any case`
    const place = { location: `/api/runs/${run}`, ...(!isOwnKey && { 'idempotency-key': key }) }
    throw new HttpProblem(503, detail, { 'retry-after': retryAfterSeconds, ...place })
  }
}

/** The node of a published topology at which something is started. Throws `NotFound`, `Conflict`. */
export async function startNodeOf(store: ApiDeps['store'], topology: Topology, ref: string | null): Promise<EventNode> {
  const plan = topology.visibility === 'public' ? await newestPlan(store, topology) : null
  if (!plan) throw new Conflict(`the topology "${topology.name}" is a draft: publish it first`)
  return eventNodeOf(plan, ref)
}

function messageOf(start: Start, topology: Topology, node: EventNode) {
  const { tenant, contentType, headers, trace, reconcile = false, body } = start
  if (body !== null || node.schedule === undefined)
    return { tenant, contentType, headers, trace, reconcile, body: body ?? new Uint8Array() }
  const names = { topology: topology.name, node: node.name }
  const fired = { ...names, scheduledAt: null, firedAt: new Date(), missedSince: null }
  const own = firingMessage(node.schedule.message, fired)
  return { ...own, tenant: tenant ?? own.tenant, headers: { ...own.headers, ...headers }, trace, reconcile }
}

/** Throws `Conflict` where nothing may be started, and what `Admission.admit` does. */
export async function admit(
  { store, admission }: Pick<StartDeps, 'store' | 'admission'>,
  topology: Topology,
  node: PlanNode,
  bytes: number,
): Promise<void> {
  if (!topology.enabled) throw new Conflict(`the topology "${topology.name}" is disabled: enable it to start runs`)
  if (isEventNode(node) && !(await getNode(store, node.id)).enabled)
    throw new Conflict(`the node "${node.name}" is disabled`)
  await admission.admit(topology, bytes)
}

function eventNodeOf(plan: Plan, ref: string | null): EventNode {
  const events = plan.nodes.filter(isEventNode).filter(({ leaving }) => leaving === undefined)
  if (ref !== null) {
    const node = plan.nodes.find(({ id }) => id === ref) ?? plan.nodes.find(({ name }) => name === ref)
    if (!node) throw new NotFound(`the published topology "${plan.name}" has no node "${ref}"`)
    if (node.leaving !== undefined)
      throw new Conflict(`the node "${node.name}" was removed: it only finishes what was started before`)
    if (!isEventNode(node)) throw new Conflict(`"${node.name}" is a ${node.type} node: only event nodes can be started`)
    return node
  }
  const starts = events.filter(({ type }) => type === 'start')
  const [only, second] = starts.length > 0 ? starts : events
  if (!only) throw new Conflict(`the topology "${plan.name}" has no node that can be started`)
  if (!second) return only
  const names = (starts.length > 0 ? starts : events).map(({ name }) => name).join(', ')
  throw new Conflict(`the topology "${plan.name}" can be started at several nodes: name one of ${names}`)
}
