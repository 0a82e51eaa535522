import { publicTopologies } from '../../../store/queries/topologies.ts'
import type { Topology } from '../../../store/queries/topologies.ts'
import type { ApiDeps } from '../../deps.ts'
import { newestPlan } from '../plans.ts'
import { askAround, countHeld, factsOf } from './facts.ts'
import type { NodeFacts, TopologyFacts } from './facts.ts'

type Deps = Pick<ApiDeps, 'store' | 'queues'>

/** What waits before each node of the topology, or of all that are published (null). */
export async function listQueues(deps: Deps, topology: Topology | null) {
  const around = await askAround(deps, topology?.id ?? null)
  const topologies = topology === null ? await publicTopologies(deps.store) : [topology]
  const lists = await Promise.all(
    topologies.map(async (each) => {
      const plan = await newestPlan(deps.store, each)
      return plan === null ? [] : shown(await factsOf(deps, each, plan, around))
    }),
  )
  return lists.flat()
}

function shown({ topology, nodes }: TopologyFacts) {
  const now = Date.now()
  return nodes.map(({ node, depth, oldestAt, delays, ratePerSecond, pause, holdings }) => ({
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
  return {
    limit: countHeld({ holdings }, ['limit']),
    retry: countHeld({ holdings }, ['retry', 'busy', 'refused']) + delays.length,
    paused: countHeld({ holdings }, ['paused']) + (pause.paused === true ? depth.pending : 0),
    breaker: countHeld({ holdings }, ['turn']),
  }
}
