import { Conflict } from '../../errors.ts'
import { generationsMax } from '../../topology/lanes/generations.ts'
import { isEventNode } from '../../topology/plan.ts'
import type { PastGeneration, Plan, PlanNode, WorkerNode } from '../../topology/plan.ts'
import type { ApiDeps } from '../deps.ts'

type Deps = Pick<ApiDeps, 'queues'>

/** For so long a past generation stays in the plan even when it is empty: it costs little, and somebody may be late. */
const keptMs = 3_600_000

/**
 * The plan without the past generations of lanes that are done: of each node those that retired an hour ago, and all of them when there
 * are too many. Throws `Conflict` when there are still too many.
 * @param newest the plan from which this one was made; in force if the topology is public
 */
export async function dropPastLanes(
  { queues }: Deps,
  plan: Plan,
  newest: Plan | null,
  isPublic: boolean,
): Promise<Plan> {
  if (newest === null || !plan.nodes.some((node) => pastOf(node).length > 0)) return plan
  // Somebody who doesn't know the newest lanes may still send into older ones.
  const isKnown = await haveAll({ queues }, newest, isPublic)
  const nodes = await Promise.all(
    plan.nodes.map(async (node) => {
      if (isEventNode(node)) return node
      const candidates = droppable(node, newest)
      const isSure = isKnown && candidates.length > 0
      const gone = isSure ? await queues.settledGenerations(plan, { ...node, past: candidates }) : []
      return checkedCount({ ...node, past: node.past.filter(({ generation }) => !gone.includes(generation)) })
    }),
  )
  return { ...plan, nodes }
}

const pastOf = (node: PlanNode): readonly PastGeneration[] => (isEventNode(node) ? [] : node.past)

/** True when every live bridge sends by the lanes of this plan or a later one, or has stopped the topology. */
async function haveAll({ queues }: Deps, { topologyId, revision }: Plan, isPublic: boolean): Promise<boolean> {
  const bridges = await queues.bridges()
  return bridges.every(({ revisions, sending }) =>
    isPublic || revisions[topologyId] !== undefined ? (sending[topologyId] ?? 0) >= revision : true,
  )
}

function droppable(node: WorkerNode, newest: Plan): PastGeneration[] {
  const before = newest.nodes.find(({ id }) => id === node.id)
  // What this very plan retires is still being sent into.
  const inForce = before === undefined || isEventNode(before) ? null : before.generation
  const isOld = ({ retiredAt }: PastGeneration): boolean => Date.now() - Date.parse(retiredAt) > keptMs
  const tooMany = node.past.length > generationsMax
  return node.past.filter((past) => past.generation !== inForce && (tooMany || isOld(past)))
}

function checkedCount(node: WorkerNode): WorkerNode {
  if (node.past.length <= generationsMax) return node
  throw new Conflict(
    `${node.name} has ${node.past.length} older sets of lanes that are not done: messages are left in them, or not every bridge has the newest plan yet; wait, and publish again`,
  )
}
