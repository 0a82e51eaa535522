import { laneOf, partitionKeyOf } from '../../protocol/lane.ts'
import type { Message } from '../../protocol/message.ts'
import { encodeEnvelope, envelopeHeader } from '../../queue/envelope.ts'
import { eventTail, inputQueues, laneTail } from '../../queue/names.ts'
import { isEventNode } from '../../topology/plan.ts'
import type { Generation, Plan } from '../../topology/plan.ts'

/** What is published to put a message into a node's queue. */
export interface InputPublish {
  readonly tail: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Uint8Array
}

/**
 * The way into the queues of a topology's nodes, by the plan that this bridge has now. Whatever puts a message before a node
 * (a forward, a start, a split, a next page, a delay, a replay) asks here for its lane; an event node has one, which a replay takes.
 */
export interface Lanes {
  has(nodeId: string): boolean
  /** End of the subject under which the node gets this message. Throws for a node that isn't in the plan. */
  tailOf(nodeId: string, message: Message): string
  /** The message as it is published for the node. Throws for a node that isn't in the plan. */
  inputOf(nodeId: string, message: Message): InputPublish
  /** Consumers of the node's queue, past generations too; none for a node that isn't in the plan. */
  consumersOf(nodeId: string): readonly string[]
}

interface Entrance {
  readonly tailOf: (message: Message) => string
  readonly consumers: readonly string[]
}

/** Lanes whose plan changes: who keeps them always asks the newest. */
export interface OpenLanes extends Lanes {
  /** @param sending the generation into which a node's messages go; the one in force for nodes that aren't named */
  use(plan: Plan, sending?: ReadonlyMap<string, Generation>): void
}

export function openLanes(): OpenLanes {
  let entrances: ReadonlyMap<string, Entrance> = new Map()
  const tailOf = (nodeId: string, message: Message): string => {
    const entrance = entrances.get(nodeId)
    if (entrance === undefined) throw new Error(`no way leads to node ${nodeId}: it is not in the plan of this bridge`)
    return entrance.tailOf(message)
  }
  return {
    use: (plan, sending = new Map()) => (entrances = entrancesOf(plan, sending)),
    has: (nodeId) => entrances.has(nodeId),
    tailOf,
    inputOf: (nodeId, message) => ({
      tail: tailOf(nodeId, message),
      headers: [[envelopeHeader, encodeEnvelope(message)]],
      body: message.body,
    }),
    consumersOf: (nodeId) => entrances.get(nodeId)?.consumers ?? [],
  }
}

function entrancesOf(plan: Plan, sending: ReadonlyMap<string, Generation>): Map<string, Entrance> {
  const entrances = new Map<string, Entrance>()
  for (const node of plan.nodes) {
    const consumers = inputQueues(plan.topologyId, node).map(({ consumer }) => consumer)
    if (isEventNode(node)) entrances.set(node.id, { tailOf: () => eventTail(node.id), consumers })
    else entrances.set(node.id, { tailOf: tailsOf(node.id, sending.get(node.id) ?? node), consumers })
  }
  return entrances
}

function tailsOf(nodeId: string, generation: Generation): (message: Message) => string {
  const { partitions } = generation
  const tails = Array.from({ length: partitions }, (_, lane) => laneTail(nodeId, generation.generation, lane))
  const [only = ''] = tails
  if (partitions === 1) return () => only
  const key = partitionKeyOf(generation)
  return (message) => tails[laneOf(key, partitions, message)] ?? only
}
