import type { Connection } from '../queue/connection.ts'
import { pendingOf } from '../queue/streams.ts'
import { sleep } from './gate.ts'

/** Messages that may wait in a follower's queue before replies for it are held back. */
export const highWaterMark = 10_000
const lookEveryMs = 250

/**
 * Back-pressure inside a topology: a reply isn't split while a follower's queue is over the mark. A batch node is so at most one
 * page ahead: its next page is asked for only when this one is being split.
 */
export interface HighWater {
  /** Resolves when all of these nodes' queues have room for some more; rejects with `Stopped` when the signal aborts. */
  room(topologyId: string, nodeIds: readonly string[], messages: number, signal: AbortSignal): Promise<void>
}

export function openHighWater(connection: Connection, mark: number): HighWater {
  const seen = new Map<string, Look>()
  /** One look serves for a while, with what this bridge has added since. */
  const look = async (topologyId: string, nodeId: string): Promise<Look> => {
    const known = seen.get(nodeId)
    if (known !== undefined && performance.now() - known.at < lookEveryMs) return known
    const fresh = {
      at: performance.now(),
      pending: await pendingOf(connection, topologyId, nodeId).catch(() => mark + 1),
    }
    seen.set(nodeId, fresh)
    return fresh
  }
  return {
    async room(topologyId, nodeIds, messages, signal) {
      for (const nodeId of nodeIds) {
        let latest = await look(topologyId, nodeId)
        while (latest.pending > mark) {
          await sleep(lookEveryMs, signal)
          latest = await look(topologyId, nodeId)
        }
        latest.pending += messages
      }
    },
  }
}

interface Look {
  readonly at: number
  pending: number
}
