import type { Connection } from '../queue/connection.ts'
import { pendingOf } from '../queue/streams.ts'
import { sleep } from './gate.ts'
import type { Lanes } from './lanes/lanes.ts'

const lookEveryMs = 250

/**
 * Back-pressure inside a topology: a reply isn't split while a follower's queue is over the mark. A batch node is so at most one
 * page ahead: its next page is asked for only when this one is being split.
 */
export interface HighWater {
  /** The mark. */
  readonly mark: number
  /**
   * Resolves when all of these nodes' queues have room for some more; rejects with `Stopped` when the signal aborts. `onFull` hears
   * for which one it waits.
   */
  room(
    at: Place,
    nodeIds: readonly string[],
    messages: number,
    signal: AbortSignal,
    onFull: (nodeId: string) => void,
  ): Promise<void>
  /** The node is gone. */
  forget(nodeId: string): void
}

interface Place {
  readonly topologyId: string
  readonly lanes: Pick<Lanes, 'consumersOf'>
}

/** @param mark messages that may wait in a follower's queue before replies for it are held back */
export function openHighWater(connection: Connection, mark: number): HighWater {
  const seen = new Map<string, Look>()
  /** One look serves for a while, and for a tenth of the mark: each bridge goes over it by so much at most, and one reply. */
  const look = async ({ topologyId, lanes }: Place, nodeId: string): Promise<Look> => {
    const known = seen.get(nodeId)
    if (known !== undefined && performance.now() - known.at < lookEveryMs && known.added <= mark / 10) return known
    const fresh = {
      at: performance.now(),
      added: 0,
      pending: await pendingOf(connection, topologyId, lanes.consumersOf(nodeId)).catch(() => mark + 1),
    }
    seen.set(nodeId, fresh)
    return fresh
  }
  return {
    mark,
    forget: (nodeId) => void seen.delete(nodeId),
    async room(at, nodeIds, messages, signal, onFull) {
      for (const nodeId of nodeIds) {
        let latest = await look(at, nodeId)
        if (latest.pending > mark) onFull(nodeId)
        while (latest.pending > mark) {
          await sleep(lookEveryMs, signal)
          latest = await look(at, nodeId)
        }
        latest.pending += messages
        latest.added += messages
      }
    },
  }
}

interface Look {
  readonly at: number
  pending: number
  /** By this bridge since then: other bridges may have added as much. */
  added: number
}
