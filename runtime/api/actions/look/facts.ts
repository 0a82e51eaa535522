import type { Delay, Delays, Heartbeat, Looks, QueueDepth } from '../../../queue/control.ts'
import type { CallCounts, Holding, HoldKind, NodeLook } from '../../../queue/look/ask.ts'
import type { TopologyHead } from '../../../store/queries/topologies.ts'
import type { Plan, PlanNode } from '../../../topology/plan.ts'
import type { ApiDeps } from '../../deps.ts'
import { pauseOf } from '../pauses.ts'
import type { PauseState } from '../pauses.ts'

/** What is known of one node's queue at a moment. */
export interface NodeFacts {
  readonly node: PlanNode
  readonly depth: QueueDepth
  /** When the oldest message came that isn't settled; null: there is none. */
  readonly oldestAt: Date | null
  readonly delays: readonly Delay[]
  /** What all bridges hold that answered. */
  readonly holdings: readonly Holding[]
  /** What all of them settle a second; null while one is silent, since nobody knows then. */
  readonly ratePerSecond: number | null
  /** Of all bridges that told it, when this one node was asked for. */
  readonly calls: CallCounts | null
  readonly pause: PauseState
}

export interface TopologyFacts {
  readonly topology: TopologyHead
  readonly plan: Plan
  readonly live: readonly Heartbeat[]
  /** Ids of bridges that live and didn't answer. */
  readonly silent: readonly string[]
  /** Messages in a queue above which replies for it are held back; null: no bridge said so. */
  readonly highWater: number | null
  /** False when there are more delayed messages than were read. */
  readonly areDelaysComplete: boolean
  readonly nodes: readonly NodeFacts[]
}

type Deps = Pick<ApiDeps, 'queues'>

/** What bridges hold of one topology or of all (null), and the pauses of nodes: shared by the facts of many topologies. */
export async function askAround({ queues }: Deps, topologyId: string | null, nodeId: string | null = null) {
  const [looks, paused] = await Promise.all([queues.look({ topologyId, nodeId }), queues.paused()])
  return { looks, paused }
}

type Around = Awaited<ReturnType<typeof askAround>>

/** The facts of a topology's nodes. Throws `Unavailable` when NATS is away. */
export async function factsOf(
  { queues }: Deps,
  topology: TopologyHead,
  plan: Plan,
  { looks, paused }: Around,
): Promise<TopologyFacts> {
  const [depths, readings, delays] = await Promise.all([
    queues.depths(plan),
    queues.readings(plan.topologyId, ({ isReplies }) => !isReplies),
    queues.delays(plan.topologyId),
  ])
  const silent = silentOf(looks)
  const oldest = new Map<string, Date>()
  for (const { nodeId, since } of readings.queues)
    if (since !== null && since < (oldest.get(nodeId) ?? new Date(8.64e15))) oldest.set(nodeId, since)
  const seen = looksByNode(looks)
  const nodes = plan.nodes.flatMap((node) => {
    const depth = depths.find(({ nodeId }) => nodeId === node.id)
    if (depth === undefined) return []
    const own = seen.get(node.id) ?? []
    const pause = pauseOf(node.id, topology, paused)
    const oldestAt = oldest.get(node.id) ?? null
    return [{ node, depth, oldestAt, delays: delaysFor(delays, node), pause, ...heldOf(own, silent.length > 0) }]
  })
  const marks = looks.looks.map(({ highWater }) => highWater)
  const highWater = marks.length > 0 ? Math.max(...marks) : null
  return { topology, plan, live: looks.live, silent, highWater, areDelaysComplete: delays.isComplete, nodes }
}

function silentOf({ live, looks }: Looks): string[] {
  const answered = new Set(looks.map(({ bridge }) => bridge))
  return live.map(({ id }) => id).filter((id) => !answered.has(id))
}

function looksByNode({ looks }: Looks): Map<string, NodeLook[]> {
  const seen = new Map<string, NodeLook[]>()
  for (const look of looks.flatMap(({ nodes }) => nodes)) {
    const known = seen.get(look.nodeId)
    if (known === undefined) seen.set(look.nodeId, [look])
    else known.push(look)
  }
  return seen
}

const delaysFor = ({ nodes }: Delays, { id }: PlanNode): readonly Delay[] => nodes.get(id) ?? []

function heldOf(looks: readonly NodeLook[], isPartial: boolean) {
  const rate = looks.reduce((sum, { settledPerSecond }) => sum + settledPerSecond, 0)
  return {
    holdings: looks.flatMap(({ holdings }) => holdings),
    ratePerSecond: isPartial ? null : rounded(rate),
    calls: callsOf(looks),
  }
}

function callsOf(looks: readonly NodeLook[]): CallCounts | null {
  return looks.reduce<CallCounts | null>((sum, { calls }) => {
    if (calls === undefined) return sum
    const { made, overloaded } = sum ?? { made: 0, overloaded: 0 }
    return { made: made + calls.made, overloaded: overloaded + calls.overloaded }
  }, null)
}

const rounded = (value: number): number => Math.round(value * 100) / 100

/** Inputs (not stored replies) that are held for one of these reasons. */
export function countHeld({ holdings }: Pick<NodeFacts, 'holdings'>, kinds: readonly HoldKind[]): number {
  return holdings.reduce((sum, { kind, isReply, count }) => sum + (!isReply && kinds.includes(kind) ? count : 0), 0)
}
