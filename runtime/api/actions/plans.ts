import { z } from '@hono/zod-openapi'
import { getRevision, latestPlans } from '../../store/queries/revisions.ts'
import { publicTopologies } from '../../store/queries/topologies.ts'
import type { Topology } from '../../store/queries/topologies.ts'
import { addressOf, allWorkers } from '../../store/queries/workers.ts'
import type { Worker } from '../../store/queries/workers.ts'
import type { Store } from '../../store/store.ts'
import type { KnownWorker } from '../../topology/check.ts'
import type { NodeDefaults } from '../../topology/compile.ts'
import type { Plan } from '../../topology/plan.ts'
import { retrySchema } from '../../topology/schema.ts'
import type { TopologyDocument } from '../../topology/schema.ts'
import type { ApiDeps } from '../deps.ts'

/** Plans never change, so what was read once is kept. */
const known = new WeakMap<Store, Map<string, Plan>>()
const knownMax = 500

/** The newest plan of a topology, published or not any more; null when it never was. */
export async function newestPlan(store: Store, { id, revision }: Topology): Promise<Plan | null> {
  if (revision === 0) return null
  const plans = known.get(store) ?? new Map<string, Plan>()
  known.set(store, plans)
  const key = `${id}/${revision}`
  const plan = plans.get(key) ?? (await getRevision(store, id, revision)).plan
  if (plans.size >= knownMax) plans.clear()
  plans.set(key, plan)
  return plan
}

/** Puts all published plans and all workers again: what a control does when it starts, since the KV may be new or behind. */
export async function republishAllPlans({ store, queues }: Pick<ApiDeps, 'store' | 'queues'>): Promise<number> {
  for (const worker of await allWorkers(store)) await queues.putWorker(addressOf(worker))
  const live = new Set((await publicTopologies(store)).map((topology) => topology.id))
  const plans = (await latestPlans(store)).filter((plan) => live.has(plan.topologyId))
  for (const plan of plans) {
    await queues.ensure(plan)
    await queues.putPlan(plan)
  }
  return plans.length
}

/** The part of a worker's manifest that the engine reads; unknown fields are kept for people. */
export const manifestSchema = z.looseObject({
  protocol: z.literal(1),
  worker: z.string().max(200),
  version: z.string().max(200).optional(),
  nodes: z
    .array(
      z.looseObject({
        name: z.string().max(200),
        type: z.enum(['connector', 'batch', 'custom']),
        path: z.string().max(1000).optional(),
        service: z.string().max(200).optional(),
        defaults: z
          .looseObject({
            prefetch: z.int().min(1).max(20).optional(),
            timeoutMs: z.int().min(100).max(86_400_000).optional(),
            retry: retrySchema.optional(),
          })
          .optional(),
      }),
    )
    .max(1000),
})

type Manifest = z.infer<typeof manifestSchema>

/** Null when the worker's manifest was never read. */
function manifestOf(worker: Worker): Manifest | null {
  return worker.manifest === null ? null : (worker.manifest as unknown as Manifest)
}

/** What the checks at publish know of the workers. */
export function knownWorkers(workers: readonly Worker[]): Map<string, KnownWorker | null> {
  return new Map(workers.map((worker) => [worker.name, manifestOf(worker)]))
}

/** What the nodes of a document get from their workers, by name. */
export function defaultsOf(document: TopologyDocument, workers: readonly Worker[]): Map<string, NodeDefaults> {
  const byName = new Map(workers.map((worker) => [worker.name, worker]))
  const entries = document.nodes.flatMap((node): [string, NodeDefaults][] => {
    const worker = byName.get(node.worker ?? '')
    if (!worker) return []
    const says = manifestOf(worker)?.nodes.find((each) => each.name === (node.uses ?? node.name))
    return [[node.name, defaultsFrom(worker, says)]]
  })
  return new Map(entries)
}

function defaultsFrom(worker: Worker, says: Manifest['nodes'][number] | undefined): NodeDefaults {
  const { path, service, defaults = {} } = says ?? {}
  const timeoutMs = worker.timeoutMs ?? defaults.timeoutMs
  return {
    ...(path !== undefined && { path }),
    ...(service !== undefined && { service }),
    ...(defaults.prefetch !== undefined && { prefetch: defaults.prefetch }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(defaults.retry !== undefined && { retry: defaults.retry }),
  }
}
