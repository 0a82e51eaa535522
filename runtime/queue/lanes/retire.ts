import { isEventNode } from '../../topology/plan.ts'
import type { Generation, Plan, WorkerNode } from '../../topology/plan.ts'
import type { Connection } from '../connection.ts'
import { inputQueues, isLaneConsumerOf, laneQueues, streamName } from '../names.ts'
import type { InputQueue } from '../names.ts'
import { firstStored } from '../janitor/stored.ts'
import { consumersOf } from '../look/consumers.ts'
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

/**
 * Deletes the consumers of lanes that the plan doesn't name any more. Only when all bridges have it: one with an older plan would make
 * them anew, and a new consumer begins with what is settled long ago. What is stored in the lanes stays for the janitor: the guard needs it.
 */
export async function sweepLanes(connection: Connection, plan: Plan): Promise<void> {
  const lanes = plan.nodes.filter((node) => !isEventNode(node))
  const stream = streamName(plan.topologyId)
  const named = new Set(lanes.flatMap((node) => inputQueues(plan.topologyId, node).map(({ consumer }) => consumer)))
  const unnamed: InputQueue[] = []
  for (const { name, config } of await consumersOf(connection, stream)) {
    if (named.has(name) || !lanes.some((node) => isLaneConsumerOf(name, node.id))) continue
    unnamed.push({ consumer: name, filter: config.filter_subject ?? '>', generation: null })
  }
  for (const queue of unnamed) {
    if (await isEmpty(connection, stream, [queue]))
      await connection.jsm.consumers.delete(stream, queue.consumer).catch(orNull)
  }
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
