import type { Generation, Plan, WorkerNode } from '../../topology/plan.ts'
import type { Connection } from '../connection.ts'
import { laneQueues, streamName } from '../names.ts'
import type { InputQueue } from '../names.ts'
import { firstStored } from '../janitor/stored.ts'
import { delayedInto } from '../look/later.ts'
import { orNull } from '../streams.ts'

/** Which past generations of a node hold nothing any more: everything in them is settled, and no delayed message will come back to them. */
export async function settledGenerations(connection: Connection, plan: Plan, node: WorkerNode): Promise<number[]> {
  const stream = streamName(plan.topologyId)
  const empty: Generation[] = []
  for (const generation of node.past) {
    if (await isEmpty(connection, stream, laneQueues(plan.topologyId, node.id, generation))) empty.push(generation)
  }
  if (empty.length === 0) return []
  const targets = (await delayedInto(connection, plan.topologyId)).get(node.id)
  return empty.map(({ generation }) => generation).filter((generation) => targets?.has(generation) !== true)
}

async function isEmpty(connection: Connection, stream: string, queues: readonly InputQueue[]): Promise<boolean> {
  for (const { consumer, filter } of queues) {
    const info = await connection.jsm.consumers.info(stream, consumer).catch(orNull)
    // Without its consumer nobody knows what of a lane is settled.
    const done = info?.ack_floor.stream_seq ?? 0
    if ((await firstStored(connection, stream, done + 1, filter)) !== null) return false
  }
  return true
}
