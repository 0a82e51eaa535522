import { Conflict } from '../../../../errors.ts'
import { findTopology } from '../../../../store/queries/topologies.ts'
import type { Topology } from '../../../../store/queries/topologies.ts'
import type { TrashHead } from '../../../../store/queries/trash.ts'
import type { BulkPlace } from '../../../../store/schema/index.ts'
import { isEventNode } from '../../../../topology/plan.ts'
import type { PlanNode } from '../../../../topology/plan.ts'
import type { ApiDeps } from '../../../deps.ts'
import { beingCancelled, nodeAgain, planAgain } from '../../settle-trash.ts'

/** Where messages are sent again. What many of them have in common is asked for once. */
export interface Targets {
  topology(row: TrashHead): Promise<Topology | null>
  /** Throws `Conflict` when it can't be sent again now. */
  node(row: TrashHead): Promise<PlanNode>
}

/** Good for one batch: what was asked for is as old as this. */
export function openTargets({ store, queues }: Pick<ApiDeps, 'store' | 'queues'>): Targets {
  const topologies = new Map<string, Promise<Topology | null>>()
  const cancelling = new Map<string, Promise<ReadonlySet<string | null>>>()
  const topology = ({ topologyId }: TrashHead) => once(topologies, topologyId, () => findTopology(store, topologyId))
  return {
    topology,
    async node(row) {
      const plan = await planAgain(store, await topology(row), row)
      const node = nodeAgain(plan, row)
      const runs = await once(cancelling, row.topologyId, () => queues.cancelling(row.topologyId))
      if (runs.has(row.runId) || runs.has(null)) throw beingCancelled()
      return node
    },
  }
}

function once<T>(known: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
  const found = known.get(key) ?? ask()
  known.set(key, found)
  return found
}

/** From where a message is followed that is replayed: its hop at the node that failed. */
export function placeOf({ topologyId, nodeId, runId: run, message }: TrashHead, isEdited: boolean): BulkPlace {
  const replay = message.replay + 1
  const id = isEdited ? `${message.id}!${replay}` : message.id
  return { topologyId, nodeId, run, id, page: message.page, replay, round: 0, sequence: null }
}

/** Do its messages keep an order? */
export const isOrdered = (node: PlanNode): boolean => !isEventNode(node) && (node.prefetch === 1 || node.partitions > 1)

/** Why it is refused; null: the error is another one. */
export const refusalOf = (error: unknown): string | null => (error instanceof Conflict ? error.message : null)
