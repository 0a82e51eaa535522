import { isDeepStrictEqual } from 'node:util'
import { Conflict, NotFound } from '../../../errors.ts'
import type { Fault } from '../../../errors.ts'
import { getRevision } from '../../../store/queries/revisions.ts'
import type { TrashRow } from '../../../store/queries/trash.ts'
import type { Store } from '../../../store/store.ts'
import { writtenNode } from '../../../topology/files/written.ts'
import { isEventNode } from '../../../topology/plan.ts'
import type { Plan, PlanNode } from '../../../topology/plan.ts'
import { HttpProblem } from '../../problem.ts'

type Row = Pick<TrashRow, 'topologyId' | 'nodeId' | 'nodeName' | 'revision' | 'message'>

/** The node of the published plan that a message of Trash goes to: its own, or another one by id or name. Throws 409 with what is in the way. */
export function targetOf(plan: Plan, row: Row, ref: string | null): PlanNode {
  const found =
    ref === null
      ? plan.nodes.find(({ id }) => id === row.nodeId)
      : (plan.nodes.find(({ id }) => id === ref) ?? plan.nodes.find(({ name }) => name === ref))
  const name = ref ?? row.nodeName
  if (found === undefined && ref === null)
    throw new Conflict(`the published topology "${plan.name}" has no node "${name}" any more: name another node of it`)
  if (found === undefined) throw incompatible(name, [`the published topology has ${namesOf(plan)}, and no such node`])
  if (found.leaving === 'trash')
    throw new Conflict(`the node "${found.name}" was removed: what is sent to it goes to Trash at once`)
  const reasons = found.id === row.nodeId ? [] : reasonsAgainst(found, row)
  if (reasons.length > 0) throw incompatible(found.name, reasons)
  return found
}

function namesOf({ nodes }: Plan): string {
  return nodes.flatMap((node) => (isEventNode(node) ? [] : [node.name])).join(', ')
}

function reasonsAgainst(node: PlanNode, { nodeName, message }: Row): string[] {
  return [
    isEventNode(node) ? 'it is an event node, which takes starts and no messages' : null,
    message.page > 0
      ? `the message is page ${message.page} of what "${nodeName}" reads, and its cursor means nothing elsewhere`
      : null,
  ].filter((reason) => reason !== null)
}

function incompatible(node: string, reasons: readonly string[]): HttpProblem {
  const errors = reasons.map((message): Fault => ({ path: 'node', message }))
  const detail = `the message can't go to "${node}": ${reasons.join('; ')}`
  return new HttpProblem(409, detail, {}, { type: 'urn:sluice:incompatible', errors })
}

/** What decides who handles a message, and how. */
const handling = ['type', 'worker', 'uses', 'path', 'settings', 'emit', 'service'] as const

/** Throws 409 when the node isn't handled as it was in the revision by which the message failed. */
export async function refuseChanged(store: Store, node: PlanNode, row: Row): Promise<void> {
  const then = await planOf(store, row)
  const before = then?.nodes.find(({ id }) => id === node.id)
  if (before === undefined)
    throw changed(row, [{ path: 'node', message: `revision ${row.revision} has no node "${node.name}"` }])
  const [old, now] = [writtenNode(before).all, writtenNode(node).all]
  const faults = handling.flatMap((key): Fault[] => {
    if (isDeepStrictEqual(old[key], now[key])) return []
    return [{ path: key, message: `was ${shown(old[key])}, is ${shown(now[key])}` }]
  })
  if (faults.length > 0) throw changed(row, faults)
}

const shown = (value: unknown): string => (value === undefined ? 'not set' : JSON.stringify(value).slice(0, 200))

function changed({ revision }: Row, errors: readonly Fault[]): HttpProblem {
  const what = errors.map(({ path, message }) => `${path} ${message}`).join('; ')
  const detail = `the node is not what it was in revision ${revision}, by which the message failed: ${what}`
  return new HttpProblem(409, detail, {}, { type: 'urn:sluice:node-changed', errors })
}

/** Null for a revision that isn't known any more. */
async function planOf(store: Store, { topologyId, revision }: Row): Promise<Plan | null> {
  try {
    return (await getRevision(store, topologyId, revision)).plan
  } catch (error) {
    if (error instanceof NotFound) return null
    throw error
  }
}

/** Before an event node lies what was no record of a start; which kind the node is, its plan of then says, too. */
export async function failedAtEvent(store: Store, plan: Plan, row: Row): Promise<boolean> {
  const isIt = ({ id }: PlanNode): boolean => id === row.nodeId
  const node = plan.nodes.find(isIt) ?? (await planOf(store, row))?.nodes.find(isIt)
  return node !== undefined && isEventNode(node)
}

/** As the message enters another node: what it had read, and with what, stays with the node that it leaves. */
export function elsewhere(message: Row['message']): Row['message'] {
  const { since: _, edit: __, ...rest } = message
  return { ...rest, page: 0, cursor: null }
}
