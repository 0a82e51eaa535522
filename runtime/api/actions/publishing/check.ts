import { Invalid } from '../../../errors.ts'
import type { Fault } from '../../../errors.ts'
import { newId } from '../../../ids.ts'
import { listNodes } from '../../../store/queries/nodes.ts'
import type { Topology } from '../../../store/queries/topologies.ts'
import { allWorkers } from '../../../store/queries/workers.ts'
import { checkDraft } from '../../../topology/check.ts'
import { canCompile } from '../../../topology/compile.ts'
import { readDocument } from '../../../topology/document.ts'
import { differenceOf, graphOfDocument, graphOfPlan } from '../../../topology/files/difference.ts'
import type { Difference } from '../../../topology/files/difference.ts'
import { carryGenerations } from '../../../topology/lanes/generations.ts'
import { withoutLeaving } from '../../../topology/leaving.ts'
import type { Plan } from '../../../topology/plan.ts'
import type { TopologyDocument } from '../../../topology/schema.ts'
import type { ApiDeps } from '../../deps.ts'
import { draftOf, fillIn } from '../drafts.ts'
import { messagesOf, nothingThere } from '../leaving/leave.ts'
import type { Lying } from '../leaving/leave.ts'
import { knownWorkers, newestPlan } from '../plans.ts'
import { faultsOfDraft, knownServices, planFrom } from './draft-plan.ts'
import type { Stored } from './draft-plan.ts'

type Deps = Pick<ApiDeps, 'store' | 'queues'>

export interface Checked {
  /** Of the document, everything for which saving or publishing it would be refused as it is. */
  readonly errors: readonly Fault[]
  /** What publishing it would change; null: nothing was ever published, or no plan can be made of it. */
  readonly difference: { readonly from: number; readonly difference: Difference } | null
  /** What saving it would change of the draft; null: it can't be saved. */
  readonly changes: Difference | null
  readonly leaving: readonly Leaver[]
}

/** A node that the document takes away while messages may still come to it. */
interface Leaver extends Lying {
  readonly node: string
}

/**
 * What saving and publishing a document would come to, by the same checks; nothing is stored. Throws `Invalid` for what is no document
 * at all. `isDrawn`: it is what a document of an older editor is read as.
 */
export async function checkPublishing(
  deps: Deps,
  topology: Topology,
  value: unknown,
  isDrawn: boolean,
): Promise<Checked> {
  const { store } = deps
  const { id } = topology
  const [rows, workers, newest] = await Promise.all([
    listNodes(store, id, true),
    allWorkers(store),
    newestPlan(store, topology),
  ])
  const { document, faults } = readDocument(value)
  const declared = await knownServices(store, id, document ?? blank, workers, { isDrawn })
  if (!document) return unread(value, faults, { workers, ...declared })
  const byName = new Map(rows.map((row) => [row.name, row]))
  const draft = fillIn(document, byName)
  const nodes = draft.nodes.map((node) => ({ ...node, id: byName.get(node.name)?.id ?? newId() }))
  const plan = newest !== null && canCompile(document) ? planFrom(topology, draft.document, { nodes, workers }) : null
  const isSavable = checkDraft(document).length === 0
  return {
    errors: faultsOfDraft(draft.document, { workers, ...declared }),
    difference: newest && plan && { from: newest.revision, difference: published(newest, plan) },
    changes: isSavable ? differenceOf(graphOfDocument(draftOf(topology)), graphOfDocument(draft.document)) : null,
    leaving: newest === null ? [] : await leaversOf(deps, document, newest),
  }
}

const blank: TopologyDocument = { name: '', nodes: [], edges: [] }

/** Of a document whose shape is wrong: as much as what is right of it tells, as ever. */
function unread(value: unknown, faults: readonly Fault[], { workers, services }: Omit<Stored, 'nodes'>): Checked {
  if (!Array.isArray((Object(value) as { nodes?: unknown }).nodes))
    throw new Invalid('the body is no topology document', faults)
  const known = { workers: knownWorkers(workers), ...(services !== null && { services }) }
  return { errors: readDocument(value, known).faults, difference: null, changes: null, leaving: [] }
}

function published(newest: Plan, plan: Plan): Difference {
  const after = carryGenerations(plan, newest, new Date().toISOString())
  return differenceOf(graphOfPlan(withoutLeaving(newest)), graphOfPlan(after))
}

/** Those for which a publish is refused that doesn't say what becomes of messages. A node is the same as long as its name is. */
async function leaversOf({ store, queues }: Deps, { nodes }: TopologyDocument, newest: Plan): Promise<Leaver[]> {
  const kept = new Set(nodes.map(({ name }) => name))
  const gone = newest.nodes.filter(({ name, leaving }) => leaving === undefined && !kept.has(name))
  if (gone.length === 0) return []
  const { at, total } = await messagesOf({ queues }, store, newest)
  return total === 0 ? [] : gone.map(({ id, name }) => ({ node: name, ...(at.get(id) ?? nothingThere) }))
}
