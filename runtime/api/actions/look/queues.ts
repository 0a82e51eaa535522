import { listPublished } from '../../../store/queries/topologies.ts'
import type { TopologyHead } from '../../../store/queries/topologies.ts'
import type { Store } from '../../../store/store.ts'
import type { Plan } from '../../../topology/plan.ts'
import type { ApiDeps } from '../../deps.ts'
import { newestPlan } from '../plans.ts'
import { eachOf } from './each.ts'
import { askAround, countHeld, factsOf } from './facts.ts'
import type { NodeFacts, TopologyFacts } from './facts.ts'

type Deps = Pick<ApiDeps, 'store' | 'queues'>

/** How many topologies are looked at side by side. */
const atOnce = 8

/** A topology of which nodes are wanted from a position in its plan on. */
interface Wanted {
  readonly topology: TopologyHead
  readonly plan: Plan
  readonly from: number
}

/**
 * What waits before each node of the topology, or of all that are published (null), by name: `limit` nodes after one, of which `number`
 * is the position in the plan of the topology called `text`. Only topologies of these nodes are looked at.
 */
export async function listQueues(
  deps: Deps,
  topology: TopologyHead | null,
  limit: number,
  after: { readonly number: number; readonly text: string } | null,
) {
  const wanted = await wantedOf(deps.store, topology, limit, after)
  const around = await askAround(deps, topology?.id ?? null)
  const lists = await eachOf(wanted, atOnce, async ({ topology, plan, from }) =>
    shown(await factsOf(deps, topology, plan, around)).slice(from),
  )
  return lists.flat().slice(0, limit)
}

async function wantedOf(
  store: Store,
  one: TopologyHead | null,
  limit: number,
  after: { readonly number: number; readonly text: string } | null,
): Promise<Wanted[]> {
  // Each has a node at least.
  const topologies =
    one === null ? await listPublished(store, after === null ? {} : { from: after.text }, limit + 1) : [one]
  const wanted: Wanted[] = []
  let left = limit
  for (const topology of topologies) {
    if (left <= 0) break
    const plan = await newestPlan(store, topology)
    const from = topology.name === after?.text ? after.number + 1 : 0
    if (plan === null || plan.nodes.length <= from) continue
    wanted.push({ topology, plan, from })
    left -= plan.nodes.length - from
  }
  return wanted
}

function shown({ topology, nodes }: TopologyFacts) {
  const now = Date.now()
  return nodes.map(({ node, depth, oldestAt, delays, ratePerSecond, pause, holdings }, position) => ({
    position,
    topology: topology.name,
    topologyId: topology.id,
    node: node.name,
    nodeId: node.id,
    pending: depth.pending,
    inFlight: depth.inFlight,
    replies: depth.replies,
    delayed: delays.length,
    waiting: waitingOf({ depth, delays, pause, holdings }),
    oldestMs: oldestAt === null ? null : Math.max(0, now - oldestAt.getTime()),
    ratePerSecond,
    ...pause,
  }))
}

/** Why messages wait that are held by a bridge, or delayed; while the node is paused all that it has wait for that. */
function waitingOf({ depth, delays, pause, holdings }: Pick<NodeFacts, 'depth' | 'delays' | 'pause' | 'holdings'>) {
  const turns = delays.filter(({ limit }) => limit !== null).length
  return {
    limit: countHeld({ holdings }, ['limit']) + turns,
    retry: countHeld({ holdings }, ['retry', 'busy', 'refused']) + delays.length - turns,
    paused: countHeld({ holdings }, ['paused']) + (pause.paused === true ? depth.pending : 0),
    breaker: countHeld({ holdings }, ['turn']),
  }
}
