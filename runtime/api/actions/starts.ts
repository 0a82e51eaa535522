import { createHash } from 'node:crypto'
import { Conflict, NotFound } from '../../errors.ts'
import { newId } from '../../ids.ts'
import { getNode } from '../../store/queries/nodes.ts'
import { findRun } from '../../store/queries/runs.ts'
import type { Topology } from '../../store/queries/topologies.ts'
import { isEventNode } from '../../topology/plan.ts'
import type { EventNode, Plan, PlanNode } from '../../topology/plan.ts'
import type { ApiDeps } from '../deps.ts'
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
  readonly body: Uint8Array
}

type Deps = Pick<ApiDeps, 'store' | 'queues' | 'admission'>

/**
 * Starts a run and answers its id, or the id of the run that the same key started. Throws `NotFound`, `Conflict`, and what
 * `Admission.admit` does.
 */
export async function startRun({ store, queues, admission }: Deps, topology: Topology, start: Start): Promise<string> {
  const plan = topology.visibility === 'public' ? await newestPlan(store, topology) : null
  if (!plan) throw new Conflict(`the topology "${topology.name}" is a draft: publish it first`)
  const node = eventNodeOf(plan, start.node)
  const key = start.key ?? newId()
  const run = runIdOf(topology.id, node.id, key)
  // The queue knows a key for as long as its history reaches; after that, the run itself is the memory of it.
  if (start.key !== null && (await findRun(store, run))) return run
  const { tenant, contentType, headers, trace, body } = start
  try {
    await admit({ store, admission }, topology, node, body.byteLength)
  } catch (refusal) {
    // What was accepted under this key is in the queue before it is a run: only new starts are refused.
    if (start.key !== null && (await queues.isStarted(topology.id, node.id, key))) return run
    throw refusal
  }
  await queues.start({ topologyId: topology.id, nodeId: node.id, key, run, tenant, contentType, headers, trace, body })
  return run
}

/** Throws `Conflict` where nothing may be started, and what `Admission.admit` does. */
export async function admit(
  { store, admission }: Pick<Deps, 'store' | 'admission'>,
  topology: Topology,
  node: PlanNode,
  bytes: number,
): Promise<void> {
  if (!topology.enabled) throw new Conflict(`the topology "${topology.name}" is disabled: enable it to start runs`)
  if (isEventNode(node) && !(await getNode(store, node.id)).enabled)
    throw new Conflict(`the node "${node.name}" is disabled`)
  await admission.admit(topology, bytes)
}

/** The same for the same key, and for nothing else. */
export function runIdOf(topologyId: string, nodeId: string, key: string): string {
  return createHash('sha256')
    .update(JSON.stringify([topologyId, nodeId, key]))
    .digest('hex')
    .slice(0, 32)
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
