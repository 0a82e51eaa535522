import { readDefaults } from '../../protocol/manifest.ts'
import type { Manifest } from '../../protocol/manifest.ts'
import { getRevision } from '../../store/queries/revisions.ts'
import { lockTopology, revisionsInForce } from '../../store/queries/topologies.ts'
import type { InForce } from '../../store/queries/topologies.ts'
import { allServices, limitsOf } from '../../store/queries/services.ts'
import { addressOf, allWorkers } from '../../store/queries/workers.ts'
import type { Worker } from '../../store/queries/workers.ts'
import type { Store } from '../../store/store.ts'
import type { KnownWorker } from '../../topology/check.ts'
import { isEventNode } from '../../topology/plan.ts'
import type { Plan } from '../../topology/plan.ts'
import type { DocumentNode, TopologyDocument } from '../../topology/schema.ts'
import type { NodeDefaults } from '../../topology/values.ts'
import type { ApiDeps } from '../deps.ts'

/** Plans never change, so what was read once is kept. */
const known = new WeakMap<Store, Map<string, Plan>>()
const knownMax = 500

/** The newest plan of a topology, published or not any more; null when it never was. */
export async function newestPlan(store: Store, { id, revision }: InForce): Promise<Plan | null> {
  if (revision === 0) return null
  const plans = known.get(store) ?? new Map<string, Plan>()
  known.set(store, plans)
  const key = `${id}/${revision}`
  const plan = plans.get(key) ?? (await getRevision(store, id, revision)).plan
  if (plans.size >= knownMax) plans.clear()
  plans.set(key, plan)
  return plan
}

type Deps = Pick<ApiDeps, 'store' | 'queues'>

/**
 * Hands the newest plan to the bridges, if the topology is published, with the workers that it calls. Of several that do
 * so at once none puts an older plan over a newer one: each reads and puts while it keeps the others out.
 */
export async function tellBridges({ store, queues }: Deps, topologyId: string): Promise<void> {
  await store.transaction(async (inside) => {
    const topology = await lockTopology(inside, topologyId, null)
    const plan = topology.visibility === 'public' ? await newestPlan(inside, topology) : null
    if (!plan) return
    const used = new Set(plan.nodes.map((node) => (isEventNode(node) ? '' : node.worker)))
    const workers = (await allWorkers(inside)).filter(({ name }) => used.has(name))
    for (const worker of workers) await queues.putWorker(addressOf(worker))
    await queues.setTopologyPaused(topologyId, topology.pausedReason)
    await queues.putPlan(plan)
  })
}

/**
 * Hands all published plans, all workers and all services to the bridges again: what a control does when it starts, since the KV may be
 * new, or behind what a control that died had committed. Answers how many plans there are.
 */
export async function republishAllPlans(deps: Deps): Promise<number> {
  for (const worker of await allWorkers(deps.store)) await deps.queues.putWorker(addressOf(worker))
  for (const service of await allServices(deps.store)) await deps.queues.putService(limitsOf(service))
  const topologies = await revisionsInForce(deps.store)
  for (const topology of topologies) {
    const plan = await newestPlan(deps.store, topology)
    if (plan) await deps.queues.ensure(plan)
    await tellBridges(deps, topology.id)
  }
  return topologies.length
}

/** Null when the worker's manifest was never read. */
export function manifestOf(worker: Worker): Manifest | null {
  return worker.manifest === null ? null : (worker.manifest as unknown as Manifest)
}

/** What the checks at publish know of the workers. */
export function knownWorkers(workers: readonly Worker[]): Map<string, KnownWorker | null> {
  return new Map(workers.map((worker) => [worker.name, manifestOf(worker)]))
}

/** What the nodes of a document get from their workers, by name. */
export function defaultsOf({ nodes }: TopologyDocument, workers: readonly Worker[]): Map<string, NodeDefaults> {
  return defaultsBy(nodes, workers)
}

/** The same for the nodes of a plan. */
export function planDefaultsOf({ nodes }: Plan, workers: readonly Worker[]): Map<string, NodeDefaults> {
  return defaultsBy(
    nodes.flatMap((node) => (isEventNode(node) ? [] : [node])),
    workers,
  )
}

type Using = Pick<DocumentNode, 'name' | 'worker' | 'uses'>

function defaultsBy(nodes: readonly Using[], workers: readonly Worker[]): Map<string, NodeDefaults> {
  const byName = new Map(workers.map((worker) => [worker.name, worker]))
  const entries = nodes.flatMap(({ name, worker: of, uses = name }): [string, NodeDefaults][] => {
    const worker = byName.get(of ?? '')
    if (!worker) return []
    const said = manifestOf(worker)?.nodes.find((node) => node.name === uses)
    const defaults = said === undefined ? {} : readDefaults(said).defaults
    return [[name, worker.timeoutMs === null ? defaults : { ...defaults, timeoutMs: worker.timeoutMs }]]
  })
  return new Map(entries)
}
