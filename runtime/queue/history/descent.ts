import type { StoredMsg } from '@nats-io/jetstream'
import { readOutputs } from '../../protocol/outputs.ts'
import { hopKey } from '../names.ts'
import type { StoredOutputs } from '../reply.ts'
import { enteringKey } from './enter.ts'
import { arrivalOf, lifeFrom, storedUnder } from './life.ts'
import type { Arrival, Place } from './life.ts'
import type { Origin } from './types.ts'

/**
 * Ids tell of whom a message was made (I2): `<id>.<n>` is the n-th of `<id>`, `<id>#<page>.<n>` of a page of it, `<id>!<n>` an edited
 * replay of it. So the way down to a message is known, and every step of it is one look.
 */
interface Parentage {
  readonly parent: string
  readonly page: number
  readonly index: number
}

/** Null for the message with which a run began. */
export function parentageOf(id: string): Parentage | null {
  const match = /^(.+?)(?:#(\d{1,9}))?\.(\d{1,9})$/.exec(withoutEdits(id))
  if (match === null) return null
  return { parent: match[1] as string, page: Number(match[2] ?? 0), index: Number(match[3]) }
}

const withoutEdits = (id: string): string => id.replace(/(?:!\d{1,9})+$/, '')

/** A run's messages are split from each other in no more steps than there are nodes. */
const depthMax = 200

/** Where a message entered its first queue; null: that is not kept any more, or there never was one. */
export async function arrivalOfId(place: Place, origin: Origin, id: string, depth = 0): Promise<Arrival | null> {
  const bare = withoutEdits(id)
  if (bare === origin.run && origin.entered === null) return startOf(origin)
  const parentage = parentageOf(bare)
  if (parentage === null || depth > depthMax) return null
  const { parent, page, index } = parentage
  if (parent === origin.run && origin.entered !== null) return enteredAt(place, origin, index)
  const reply = await replyOf(place, origin, parent, page, depth + 1)
  const number = reply === null ? null : numberOf(reply, index)
  if (reply === null || number === null) return null
  return arrivalOf(await storedUnder(place, `${reply.outputs.hopKey}/${number}`))
}

const startOf = ({ run, nodeId, startedAt }: Origin): Arrival => ({
  nodeId,
  message: { id: run, page: 0, replay: 0, round: 0, history: [], trail: [] },
  stored: { sequence: 0, at: startedAt },
})

async function enteredAt(place: Place, { nodeId, run, entered }: Origin, index: number): Promise<Arrival | null> {
  if (index >= (entered ?? 0)) return null
  const key = enteringKey(run, index)
  const arrival = arrivalOf(await storedUnder(place, `${key}/0`))
  if (arrival !== null) return arrival
  // What waits to be put into its lane has no place in the queue yet.
  if ((await storedUnder(place, key)) === null) return null
  return {
    nodeId,
    message: { id: `${run}.${index}`, page: 0, replay: 0, round: 0, history: [], trail: [] },
    stored: null,
  }
}

export interface Reply {
  readonly stored: StoredMsg
  readonly outputs: StoredOutputs
}

/** The stored reply from which the messages of a message (of one page of it) were made. */
export async function replyOf(
  place: Place,
  origin: Origin,
  id: string,
  page: number,
  depth = 0,
): Promise<Reply | null> {
  const arrival = await arrivalOfId(place, origin, id, depth)
  if (arrival === null) return null
  for await (const { step, reply } of lifeFrom(place, arrival)) {
    if (reply === null || step.id !== id) continue
    if (step.page === page) return reply
    if (reply.outputs.paged) return pageOf(place, { ...arrival, nodeId: step.nodeId }, reply.outputs, page)
  }
  return null
}

/** Goes to a page at once, not over all before it. */
async function pageOf(place: Place, at: Arrival, { input }: StoredOutputs, page: number): Promise<Reply | null> {
  for await (const { reply, step } of lifeFrom(place, await pageArrival(place, at.nodeId, input.id, page))) {
    if (step.page !== page) return null
    if (reply !== null) return reply
  }
  return null
}

/** A page after the first before its batch node. */
export async function pageArrival(place: Place, nodeId: string, id: string, page: number): Promise<Arrival> {
  const message = { id, page, replay: 0, round: 0, history: [], trail: [] }
  const before = hopKey({ ...message, page: page - 1 }, nodeId)
  const stored = arrivalOf(await storedUnder(place, `${before}/next`))
  return stored ?? { nodeId, message, stored: null }
}

/** One message made from a reply: under which number it was published, and its place in the reply, which is in its id. */
export interface Made {
  readonly number: number
  readonly index: number
}

/** Places of the messages made from a reply, in order, from the `from`-th on. */
export function* madeFrom({ stored, outputs }: Reply, count: number, from: number): Generator<Made> {
  const { followers, route, emit } = outputs
  if (emit.kind === 'events') {
    for (const made of routed(stored, outputs)) if (made.number >= from) yield made
    return
  }
  const receivers = [...followers.keys()].filter((n) => route === null || route.includes(followers[n]?.[1] ?? ''))
  for (let number = from; number < count; number++) {
    const output = Math.floor(number / receivers.length)
    yield { number, index: output * followers.length + (receivers[number % receivers.length] ?? 0) }
  }
}

/** Each output may name its own followers, so they have to be read. */
function* routed(stored: StoredMsg, { followers, route, emit, output, bodyLength }: StoredOutputs): Generator<Made> {
  const outputs = readOutputs(stored.data.subarray(0, bodyLength), output.contentType, emit)
  if (outputs.kind === 'malformed') return
  let [number, at] = [0, 0]
  for (const one of outputs) {
    for (const [position, [name, id]] of followers.entries()) {
      const isMeant = one.route === null ? route === null || route.includes(id) : one.route.includes(name)
      if (isMeant) yield { number: number++, index: at * followers.length + position }
    }
    at++
  }
}

function numberOf(reply: Reply, index: number): number | null {
  const { followers, route, emit } = reply.outputs
  if (emit.kind !== 'events') {
    const receivers = [...followers.keys()].filter((n) => route === null || route.includes(followers[n]?.[1] ?? ''))
    const rank = receivers.indexOf(index % followers.length)
    return rank < 0 ? null : Math.floor(index / followers.length) * receivers.length + rank
  }
  for (const made of madeFrom(reply, Infinity, 0)) if (made.index === index) return made.number
  return null
}
