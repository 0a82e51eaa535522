import { Invalid } from '../../../errors.ts'
import type { Fault } from '../../../errors.ts'
import { getDrawing } from '../../../store/queries/drawings.ts'
import { listNodes } from '../../../store/queries/nodes.ts'
import type { Node } from '../../../store/queries/nodes.ts'
import { keepServices, serviceNames, servicesNamed } from '../../../store/queries/services.ts'
import type { Service } from '../../../store/queries/services.ts'
import type { Topology } from '../../../store/queries/topologies.ts'
import { allWorkers } from '../../../store/queries/workers.ts'
import type { Worker } from '../../../store/queries/workers.ts'
import type { Store } from '../../../store/store.ts'
import { checkDocument } from '../../../topology/check.ts'
import { compilePlan } from '../../../topology/compile.ts'
import type { StoredNode } from '../../../topology/compile.ts'
import { carryGenerations } from '../../../topology/lanes/generations.ts'
import { costFaults } from '../../../topology/limits/costs.ts'
import type { Costing } from '../../../topology/limits/costs.ts'
import type { ServiceLimits } from '../../../topology/limits/limits.ts'
import type { Plan } from '../../../topology/plan.ts'
import type { TopologyDocument } from '../../../topology/schema.ts'
import { draftOf } from '../drafts.ts'
import { defaultsOf, knownWorkers, newestPlan } from '../plans.ts'

/** What forbids publishing a draft, and the plan that comes of it when nothing does. Stores nothing. */

/** What a plan is made of beside the document. */
export interface Stored extends Declared {
  readonly nodes: readonly StoredRow[]
  readonly workers: readonly Worker[]
}

type StoredRow = Pick<
  Node,
  | 'id'
  | 'name'
  | 'prefetch'
  | 'timeoutMs'
  | 'retry'
  | 'inPlaceMaxMs'
  | 'onFail'
  | 'enabled'
  | 'cron'
  | 'timezone'
  | 'overlap'
  | 'missed'
>

interface Declared {
  /** Names of the services that there are. Null: any will do, since documents of the older editors name applications, which need no limits. */
  readonly services: ReadonlySet<string> | null
  /** Of those that the draft uses. */
  readonly limits: ReadonlyMap<string, Pick<ServiceLimits, 'limits'>>
}

/** Throws `Invalid` with every fault of the draft. */
export function planOfDraft(topology: Topology, stored: Stored): Plan {
  const document = draftOf(topology)
  const faults = faultsOfDraft(document, stored)
  if (faults.length > 0) throw new Invalid(`the draft can't be published: ${countOf(faults.length)}`, faults)
  return planFrom(topology, document, stored)
}

/** Everything that forbids publishing a document. */
export function faultsOfDraft(document: TopologyDocument, { workers, services, limits }: Omit<Stored, 'nodes'>) {
  const known = { workers: knownWorkers(workers), ...(services !== null && { services }) }
  return [
    ...checkDocument(document, known),
    ...costFaults(document, costingOf(document, workers, limits)),
    ...dialectFaults(document, workers),
  ]
}

/** Of a document that `canCompile` takes, the next revision. */
export function planFrom(
  { id, revision }: Pick<Topology, 'id' | 'revision'>,
  document: TopologyDocument,
  { nodes, workers }: Pick<Stored, 'nodes' | 'workers'>,
): Plan {
  return compilePlan({
    topologyId: id,
    revision: revision + 1,
    document,
    nodeIds: new Map(nodes.map((node) => [node.name, node.id])),
    stored: storedOf(nodes),
    defaults: defaultsOf(document, workers),
  })
}

/** What a publish would put in force now, but for nodes that leave. Throws `Invalid` with every fault of the draft. */
export async function draftPlan(store: Store, topology: Topology): Promise<Plan> {
  const [nodes, workers] = await Promise.all([listNodes(store, topology.id, true), allWorkers(store)])
  const [newest, declared] = await Promise.all([
    newestPlan(store, topology),
    knownServices(store, topology.id, draftOf(topology), workers, {}),
  ])
  return carryGenerations(planOfDraft(topology, { nodes, workers, ...declared }), newest, new Date().toISOString())
}

interface Knowing {
  /** What is stored comes of it, so the services that it uses stay as they are until the transaction ends. */
  readonly isKept?: boolean
  /** It is what a document of an older editor is read as, whatever the draft is. */
  readonly isDrawn?: boolean
}

export async function knownServices(
  inside: Store,
  topologyId: string,
  document: TopologyDocument,
  workers: readonly Worker[],
  { isKept = false, isDrawn = false }: Knowing,
): Promise<Declared> {
  const defaults = defaultsOf(document, workers)
  const named = document.nodes.flatMap(({ name, service }) => service ?? defaults.get(name)?.service ?? [])
  const limits = isKept ? await keepServices(inside, named) : byName(await servicesNamed(inside, named))
  const takesAny = isDrawn || (await getDrawing(inside, topologyId)) !== null
  return { services: takesAny ? null : await serviceNames(inside), limits }
}

const byName = (services: readonly Service[]) => new Map(services.map((service) => [service.name, service]))

function costingOf(document: TopologyDocument, workers: readonly Worker[], limits: Declared['limits']): Costing {
  const defaults = defaultsOf(document, workers)
  return {
    defaultService: (node) => defaults.get(node)?.service,
    limitsOf: (service) => limits.get(service)?.limits,
  }
}

/** Bridges call workers in the native protocol only: a worker of another dialect would refuse every message. */
function dialectFaults({ nodes }: TopologyDocument, workers: readonly Worker[]): Fault[] {
  const foreign = new Set(workers.filter(({ dialect }) => dialect !== 'native').map(({ name }) => name))
  return nodes.flatMap(({ worker }, index) =>
    worker !== undefined && foreign.has(worker)
      ? [
          {
            path: `nodes[${index}].worker`,
            message: `worker "${worker}" speaks the dialect orchesty, which can't be called yet`,
          },
        ]
      : [],
  )
}

export function storedOf(nodes: readonly StoredRow[]): Map<string, StoredNode> {
  return new Map(
    nodes.map(({ name, prefetch, timeoutMs, retry, inPlaceMaxMs, onFail, enabled, ...others }) => {
      const { cron, timezone, overlap, missed } = others
      const values = { prefetch, timeoutMs, retry: retry as StoredNode['retry'], inPlaceMaxMs, onFail }
      return [name, { ...values, enabled, cron, timezone, overlap, missed }]
    }),
  )
}

function countOf(faults: number): string {
  return faults === 1 ? 'it has one fault' : `it has ${faults} faults`
}
