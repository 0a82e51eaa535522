import type { Generation } from '../../topology/plan.ts'
import type { Connection } from '../connection.ts'
import { generationFilter, laneQueues, streamName } from '../names.ts'
import type { InputQueue } from '../names.ts'
import { firstStored } from '../janitor/stored.ts'
import { orNull } from '../streams.ts'

/**
 * How far a generation of lanes is done. What the floor says is never too high: it is computed as the janitor computes floors, by what
 * a consumer has acknowledged and what is stored after that, never by counts of pending messages, which lag behind the store.
 * It is read from the stream's leader: a replica may not have what was stored last.
 *
 * All looks of one process at one generation are made here, one at a time, and shared by everybody who waits.
 */
export interface GenerationFloor {
  /** True when no message below this one, which is stored, waits in the generation or is held. Throws when NATS doesn't answer. */
  reaches(sequence: number): Promise<boolean>
}

interface LaneFloor {
  readonly queue: InputQueue
  /** Nothing up to here is unsettled. */
  clear: number
  /** The first unsettled message, as far as it was looked at. */
  waiting: number | null
}

/** What was found waiting is believed for so long, however many ask. */
const freshMs = 5

export function openFloor(
  connection: Connection,
  topologyId: string,
  nodeId: string,
  generation: Generation,
): GenerationFloor {
  const stream = streamName(topologyId)
  const filter = generationFilter(topologyId, nodeId, generation.generation)
  const lanes = laneQueues(topologyId, nodeId, generation).map((queue): LaneFloor => ({
    queue,
    clear: 0,
    waiting: null,
  }))
  let clear = 0
  let found = { sequence: 0, at: -Infinity }
  let looking: Promise<unknown> = Promise.resolve()

  const look = async (sequence: number): Promise<boolean> => {
    if (clear >= sequence - 1) return true
    if (found.sequence > clear && found.sequence < sequence && performance.now() - found.at < freshMs) return false
    if (found.sequence <= clear) {
      // Mostly nothing was stored in a generation to which nothing is sent: one look serves for all its lanes.
      const first = (await firstStored(connection, stream, clear + 1, filter))?.seq ?? null
      if (first === null || first >= sequence) {
        clear = (first ?? sequence) - 1
        return true
      }
    }
    for (const lane of lanes) {
      if (await laneReaches(connection, stream, lane, sequence)) continue
      found = { sequence: lane.waiting ?? 0, at: performance.now() }
      return false
    }
    clear = Math.min(...lanes.map((lane) => lane.clear))
    return true
  }
  return {
    reaches(sequence) {
      if (clear >= sequence - 1) return Promise.resolve(true)
      const mine = looking.then(() => look(sequence))
      looking = mine.catch(() => undefined)
      return mine
    },
  }
}

async function laneReaches(
  connection: Connection,
  stream: string,
  lane: LaneFloor,
  sequence: number,
): Promise<boolean> {
  if (lane.clear >= sequence - 1) return true
  const { consumer, filter } = lane.queue
  const info = await connection.jsm.consumers.info(stream, consumer).catch(orNull)
  // Lost, and soon made again: until then nobody knows.
  if (info === null) return false
  const done = info.ack_floor.stream_seq
  // What waits needn't be fetched again, with its body, to know that it waits.
  if (lane.waiting !== null && done < lane.waiting) return false
  lane.waiting = (await firstStored(connection, stream, Math.max(lane.clear, done) + 1, filter))?.seq ?? null
  lane.clear = (lane.waiting ?? sequence) - 1
  return lane.clear >= sequence - 1
}
