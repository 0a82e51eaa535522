import type { Connection } from '../../queue/connection.ts'
import type { Delivery } from '../../queue/deliver/delivery.ts'
import { openFloor } from '../../queue/lanes/floor.ts'
import type { GenerationFloor } from '../../queue/lanes/floor.ts'
import { generationOf } from '../../queue/names.ts'
import { generationsOf } from '../../topology/lanes/generations.ts'
import { isOrdered } from '../../topology/plan.ts'
import type { Plan, WorkerNode } from '../../topology/plan.ts'
import { untilTrue } from '../gate.ts'

/**
 * Order over a change of generation. Messages of one key lie in several lanes then, and the stream's sequence says which was first: a
 * message is called only when no unsettled one of another generation has a lower sequence. It holds both ways, since a bridge that got
 * its plan late still sends into older lanes. The lowest of all is always the first of its lane, so somebody always goes on.
 */
export interface Order {
  /** Resolves when it is this message's turn; rejects with `Stopped` when the signal aborts. */
  turn(delivery: Delivery, signal: AbortSignal): Promise<void>
}

/** Is a node paused without this bridge having been told so yet? */
export type IsPaused = (nodeId: string) => Promise<boolean>

/** How soon it is looked whether older lanes are done, and how seldom at most. */
const looks = { firstMs: 5, maxMs: 100 }

export interface Orders {
  /** Null for a node with one generation, whose lanes are in order by themselves, that doesn't block. */
  orderOf(plan: Plan, node: WorkerNode): Order | null
}

/** Orders of one topology. What is known of a generation outlives the plan. */
export function openOrders(connection: Connection, isPaused: IsPaused): Orders {
  const floors = new Map<string, GenerationFloor>()
  return {
    orderOf({ topologyId }, node) {
      const blocks = node.onFail === 'block' && isOrdered(node)
      if (node.past.length === 0 && !blocks) return null
      const others =
        node.past.length === 0
          ? []
          : generationsOf(node).map((generation) => {
              const key = `${node.id}/${generation.generation}`
              const floor = floors.get(key) ?? openFloor(connection, topologyId, node.id, generation)
              floors.set(key, floor)
              return { generation: generation.generation, floor }
            })
      return {
        async turn({ subject, sequence, followsOwn }, signal) {
          const mine = generationOf(subject)
          for (const { generation, floor } of others) {
            if (generation !== mine) await untilTrue(() => floor.reaches(sequence), looks, signal)
          }
          if (blocks && (others.length > 0 || !followsOwn)) await unblocked(node.id, isPaused, signal)
        },
      }
    },
  }
}

/**
 * A node that blocks is paused before the message that failed is acked, but this bridge may be told of it only after it gets the next one.
 * So unless it had the one before itself, it asks; and again, until its gate is told, which knows when the pause is over.
 */
function unblocked(nodeId: string, isPaused: IsPaused, signal: AbortSignal): Promise<void> {
  return untilTrue(async () => !(await isPaused(nodeId)), looks, signal)
}
