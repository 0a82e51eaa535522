import type { Topology } from '../../store/queries/topologies.ts'
import type { Caller } from '../deps.ts'

/** Why a node rests: paused by itself, else with its topology. `paused` null: NATS is away, so nobody knows. */
export interface PauseState {
  readonly paused: boolean | null
  readonly pausedReason: string | null
  readonly pausedBy: 'node' | 'topology' | null
}

export const pausedBy = ({ name }: Caller): string => `paused by ${name}`

/** A topology's pause is stored with it, a node's own one only where bridges see it: `nodes`, null when that is away. */
export function pauseOf(
  nodeId: string,
  topology: Pick<Topology, 'paused' | 'pausedReason'>,
  nodes: ReadonlyMap<string, string> | null,
): PauseState {
  const own = nodes?.get(nodeId)
  if (own !== undefined) return { paused: true, pausedReason: own, pausedBy: 'node' }
  if (!topology.paused) return { paused: nodes === null ? null : false, pausedReason: null, pausedBy: null }
  return { paused: true, pausedReason: `the topology is ${topology.pausedReason ?? 'paused'}`, pausedBy: 'topology' }
}
