import { hash } from 'node:crypto'
import { generationsOf } from '../topology/lanes/generations.ts'
import { isEventNode } from '../topology/plan.ts'
import type { Generation, PlanNode } from '../topology/plan.ts'

/**
 * Names of streams, consumers and subjects. `t` and `node` are ids, never names: a topology that is made again under an
 * old name must not meet old data.
 *
 * | subject                           | what                                                     |
 * |-----------------------------------|----------------------------------------------------------|
 * | `sluice.<t>.<origin>.node.<node>.<generation>.<lane>` | one lane of a worker node's input queue |
 * | `sluice.<t>.<origin>.event.<node>`  | an event node's input queue: starts                     |
 * | `sluice.<t>.<origin>.reply.<node>`  | a reply that becomes many messages, stored whole        |
 * | `sluice.<t>.<origin>.ledger`        | ended, split into N, replayed, discarded                |
 * | `sluice.<t>.<origin>.trash`         | a message that finally failed, whole                    |
 * | `sluice.<t>.<origin>.later`         | a delayed message; the server fires it into a queue     |
 */
export const streamName = (t: string): string => `SLUICE_${t}`
export const originFilter = (t: string, origin: string): string => `sluice.${t}.${origin}.>`
export const subjectsOf = (t: string): string => `sluice.${t}.>`
/** Of a stream that takes nothing any more; nobody publishes there. */
export const closedSubject = (t: string): string => `sluice_closed.${t}`

export const laneTail = (node: string, generation: number, lane: number): string => `node.${node}.${generation}.${lane}`
/** Event nodes' inputs have a subject of their own: the recorder reads all of them, whatever the plan. */
export const eventTail = (node: string): string => `event.${node}`
export const replyTail = (node: string): string => `reply.${node}`
export const ledgerTail = 'ledger'
export const trashTail = 'trash'
export const laterTail = 'later'

/** All lanes of all generations. */
export const nodeFilter = (t: string, node: string): string => `sluice.${t}.*.node.${node}.>`
export const generationFilter = (t: string, node: string, generation: number): string =>
  `sluice.${t}.*.node.${node}.${generation}.*`
const laneFilter = (t: string, node: string, generation: number, lane: number): string =>
  `sluice.${t}.*.${laneTail(node, generation, lane)}`
export const eventFilter = (t: string, node: string): string => `sluice.${t}.*.${eventTail(node)}`
export const eventsFilter = (t: string): string => `sluice.${t}.*.event.>`
export const replyFilter = (t: string, node: string): string => `sluice.${t}.*.reply.${node}`
export const tailFilter = (t: string, tail: string): string => `sluice.${t}.*.${tail}`

export const laneConsumer = (node: string, generation: number, lane: number): string =>
  `node_${node}_${generation}_${lane}`
export const eventConsumer = (node: string): string => `event_${node}`
/** Read by nobody: it counts the delayed messages. */
export const delayedConsumer = 'delayed'
export const replyConsumer = (node: string): string => `reply_${node}`
/** One that the engine made, for what is unfinished; not one that somebody put beside them. */
export const isOwnConsumer = (consumer: string): boolean =>
  consumer === delayedConsumer || /^(node|event|reply)_/.test(consumer)

/** The generation in whose lane a message of a worker node lies. */
export function generationOf(subject: string): number {
  return Number(subject.split('.')[5])
}

/** One queue before a node, and the consumer by which all bridges read it. */
export interface InputQueue {
  readonly consumer: string
  readonly filter: string
  /** Whose lane it is; null for an event node's queue. */
  readonly generation: Generation | null
}

/** The queues before a node: of a worker node each lane of each generation that the plan knows. */
export function inputQueues(t: string, node: PlanNode): InputQueue[] {
  if (isEventNode(node))
    return [{ consumer: eventConsumer(node.id), filter: eventFilter(t, node.id), generation: null }]
  return generationsOf(node).flatMap((generation) => laneQueues(t, node.id, generation))
}

export function laneQueues(t: string, node: string, generation: Generation): InputQueue[] {
  return Array.from({ length: generation.partitions }, (_, lane) => ({
    consumer: laneConsumer(node, generation.generation, lane),
    filter: laneFilter(t, node, generation.generation, lane),
    generation,
  }))
}

/** The node whose queue (of inputs or of replies) a subject or a consumer's filter is about; null for everything else. */
export function queueOwner(subject: string): string | null {
  const [, , , kind, node] = subject.split('.')
  return node !== undefined && (kind === 'node' || kind === 'event' || kind === 'reply') ? node : null
}

/**
 * Origin of everything that a hop publishes: 128 bits of SHA-256 over the hop's key, as 22 characters that are safe in a
 * subject. Equal keys give equal origins, on every bridge and after every crash: that is what makes a hop settle once (I2).
 */
export function originOf(key: string): string {
  return hash('sha256', key, 'buffer').subarray(0, 16).toString('base64url')
}

/** What of a message makes a delivery at one node a hop of its own. */
export interface HopIdentity {
  readonly id: string
  readonly page: number
  readonly replay: number
  readonly round: number
}

/** Key of a hop: `<id>@<node>~<round>`, with `#<page>` for batch pages after the first and `!<n>` for the n-th replay. */
export function hopKey(message: HopIdentity, nodeId: string): string {
  const page = message.page > 0 ? `#${message.page}` : ''
  const replay = message.replay > 0 ? `!${message.replay}` : ''
  return `${message.id}@${nodeId}~${message.round}${page}${replay}`
}
