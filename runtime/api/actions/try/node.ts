import { Conflict, Invalid } from '../../../errors.ts'
import type { Worker } from '../../../store/queries/workers.ts'
import { allWorkers } from '../../../store/queries/workers.ts'
import { listNodes } from '../../../store/queries/nodes.ts'
import { checkDocument } from '../../../topology/check.ts'
import { compilePlan } from '../../../topology/compile.ts'
import { isEventType } from '../../../topology/graph.ts'
import { isEventNode } from '../../../topology/plan.ts'
import type { EventNode, Plan, WorkerNode } from '../../../topology/plan.ts'
import { prepareNode } from '../../../protocol/native.ts'
import type { PreparedNode } from '../../../protocol/native.ts'
import type { ApiDeps } from '../../deps.ts'
import { draftOf } from '../drafts.ts'
import type { Place } from '../look/place.ts'
import { defaultsOf } from '../plans.ts'
import { storedOf } from '../publishing/draft-plan.ts'

/** A node as it is to be tried. */
export interface Tried {
  readonly of: 'published' | 'draft'
  /** Null for the draft. */
  readonly revision: number | null
  readonly prepared: PreparedNode
  readonly worker: Worker
}

type Settings = WorkerNode['settings']

/**
 * The node as bridges have it, or as the draft would have it. `of` null: as published, if it is. `settings` replaces the node's own;
 * undefined: these. Throws `Conflict` for what can't be called, and `Invalid` with the faults of the draft's node.
 */
export async function triedNode(
  deps: Pick<ApiDeps, 'store'>,
  place: Place,
  of: Tried['of'] | null,
  settings: Settings | undefined,
): Promise<Tried> {
  const isPublished = place.topology.visibility === 'public' && place.node !== null
  const chosen = of ?? (isPublished ? 'published' : 'draft')
  if (chosen === 'published' && !isPublished)
    throw new Conflict(`the node "${place.row.name}" is not published: try the draft with ?of=draft`)
  const workers = await allWorkers(deps.store)
  const plan = chosen === 'published' ? place.plan : await draftPlan(deps, place, workers)
  const node = plan?.nodes.find(({ id }) => id === place.row.id)
  if (!plan || !node) throw new Conflict(`the node "${place.row.name}" is not in the draft any more`)
  if (isEventNode(node)) throw new Conflict(`"${node.name}" is a ${node.type} node: it calls no worker`)
  const own = settings === undefined ? node : { ...node, settings }
  const revision = chosen === 'published' ? plan.revision : null
  return { of: chosen, revision, prepared: prepareNode(plan, own), worker: workerOf(workers, node.worker) }
}

function workerOf(workers: readonly Worker[], name: string): Worker {
  const worker = workers.find((each) => each.name === name)
  if (worker === undefined) throw new Conflict(`there is no worker "${name}": register it first`)
  if (worker.dialect !== 'native')
    throw new Conflict(`worker "${name}" speaks the dialect ${worker.dialect}, which can't be called yet`)
  return worker
}

/** What is wrong elsewhere in the draft doesn't keep one of its nodes from being tried: followers are only names here. */
async function draftPlan(
  { store }: Pick<ApiDeps, 'store'>,
  { row, topology }: Place,
  workers: readonly Worker[],
): Promise<Plan | null> {
  const document = draftOf(topology)
  const index = document.nodes.findIndex(({ name }) => name === row.name)
  const drawn = document.nodes[index]
  if (drawn === undefined) return null
  const own = `nodes[${index}].`
  const faults = checkDocument(document, { workers: new Map() }).filter(
    ({ path }) => path.startsWith(own) && path !== `${own}worker`,
  )
  if (faults.length > 0) throw new Invalid(`the draft's node "${row.name}" has faults`, faults)
  if (drawn.worker === undefined && !isEventType(drawn.type))
    throw new Invalid(`the draft's node "${row.name}" has no worker`, [{ path: `${own}worker`, message: 'is missing' }])
  const rows = await listNodes(store, topology.id, true)
  const nodeIds = new Map(rows.map(({ name, id }) => [name, id]))
  const edges = document.edges.filter(({ from, to }) => from === row.name && nodeIds.has(to))
  const stored = storedOf([row])
  const defaults = defaultsOf(document, workers)
  const one = { ...document, nodes: [drawn], edges }
  const plan = compilePlan({ topologyId: topology.id, revision: 0, document: one, nodeIds, stored, defaults })
  const followers = edges.map(({ to }): EventNode => {
    return { id: nodeIds.get(to) ?? '', name: to, type: 'start', followers: [], enabled: true }
  })
  return { ...plan, nodes: [...plan.nodes, ...followers] }
}
