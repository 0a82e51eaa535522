import type { Connection } from '../connection.ts'
import { decodeRecord } from '../ledger.ts'
import { hopKey, queueOwner, streamName } from '../names.ts'
import type { Guard } from '../publish/guard.ts'
import { orNull } from '../streams.ts'
import { arrivalOfId, madeFrom, pageArrival, replyOf } from './descent.ts'
import type { Reply } from './descent.ts'
import { enteringKey, enterRecorded } from './enter.ts'
import { followed } from './follow.ts'
import { recordedInputs } from './inputs.ts'
import { arrivalOf, lifeFrom, storedUnder } from './life.ts'
import type { Arrival, Place } from './life.ts'
import type { Asked, Child, Life, Origin, RunHistory, Step } from './types.ts'

interface Deps {
  readonly connection: Connection
  readonly guard: Guard
}

type Reach = <T>(work: () => Promise<T>) => Promise<T>

/** @param reach makes what NATS can't do now `Unavailable` */
export function openHistory(deps: Deps, reach: Reach): RunHistory {
  const { connection } = deps
  return {
    since: (topologyId) => reach(() => sinceOf(connection, topologyId)),
    inputs: (at, limits) => recordedInputs(connection, at, limits),
    enter: (entering, mayGoOn) => enterRecorded(deps, entering, mayGoOn),
    follow: (topologyId, messages) => reach(() => followed(deps, topologyId, messages)),
    // Of a topology that is gone, or was never published, no stream is there: nothing is kept.
    life: (asked, ...wanted) => reach(() => lifeOf(placeOf(connection, asked), asked.origin, ...wanted).catch(orNull)),
    children: (asked, ...wanted) =>
      reach(() => childrenOf(placeOf(connection, asked), asked.origin, ...wanted).catch(orNull)),
  }
}

const placeOf = (connection: Connection, { topologyId }: Asked): Place => ({ connection, topologyId })

async function sinceOf({ jsm }: Connection, topologyId: string): Promise<Date | null> {
  const info = await jsm.streams.info(streamName(topologyId)).catch(orNull)
  return info === null || info.state.messages === 0 ? null : new Date(info.state.first_ts)
}

async function lifeOf(
  place: Place,
  origin: Origin,
  id: string,
  { page, limit, nodeIds }: { readonly page: number; readonly limit: number; readonly nodeIds: readonly string[] },
): Promise<Life | null> {
  const known = await arrivalOfId(place, origin, id)
  const isFollowed = known !== null && (isQueued(known) || (await hasGone(place, known)))
  const arrival = isFollowed ? known : ((await searched(place, id, nodeIds)) ?? known)
  if (arrival === null) return null
  const steps: Step[] = []
  for await (const { step } of lifeFrom(place, await fromPage(place, origin, arrival, page))) {
    if (steps.length === limit) return { steps, nextPage: step.page }
    steps.push(step)
  }
  return { steps, nextPage: null }
}

const isQueued = ({ stored }: Arrival): boolean => stored !== null && stored.sequence > 0

const hasGone = async (place: Place, { message, nodeId }: Arrival): Promise<boolean> =>
  (await storedUnder(place, hopKey(message, nodeId))) !== null

async function fromPage(place: Place, origin: Origin, arrival: Arrival, page: number): Promise<Arrival> {
  if (page === 0) return arrival
  const { id } = arrival.message
  const first = await replyOf(place, origin, id, 0)
  const nodeId = first === null ? arrival.nodeId : (queueOwner(first.stored.subject) ?? arrival.nodeId)
  return pageArrival(place, nodeId, id, page)
}

/** The first hop of the message that left something behind, of all nodes at which it can have been. */
async function searched(place: Place, id: string, nodeIds: readonly string[]): Promise<Arrival | null> {
  const message = { id, page: 0, replay: 0, round: 0, history: [], trail: [] }
  const looks = nodeIds.map(async (nodeId) => ({ nodeId, stored: await storedUnder(place, hopKey(message, nodeId)) }))
  const found = (await Promise.all(looks)).flatMap(({ nodeId, stored }) =>
    stored ? [{ nodeId, seq: stored.seq }] : [],
  )
  const [first] = found.sort((a, b) => a.seq - b.seq)
  return first === undefined ? null : { nodeId: first.nodeId, message, stored: null }
}

/** Looks at so many messages at once. */
const sideBySide = 20

async function childrenOf(
  place: Place,
  origin: Origin,
  id: string,
  { page, from, limit }: { readonly page: number; readonly from: number; readonly limit: number },
): Promise<{ items: Child[]; total: number } | null> {
  if (id === origin.run && origin.entered !== null) return enteredOf(place, origin, from, limit)
  const reply = await replyOf(place, origin, id, page)
  if (reply === null) return null
  const total = await countOf(place, reply)
  const wanted: { readonly id: string; readonly key: string }[] = []
  for (const { number, index } of madeFrom(reply, total, from)) {
    if (wanted.length === limit) break
    wanted.push({ id: childId(reply, index), key: `${reply.outputs.hopKey}/${number}` })
  }
  return { items: await seen(place, wanted), total }
}

const childId = ({ outputs: { paged, input } }: Reply, index: number): string =>
  paged ? `${input.id}#${input.page}.${index}` : `${input.id}.${index}`

async function enteredOf(place: Place, { run, entered }: Origin, from: number, limit: number) {
  const total = entered ?? 0
  const length = Math.max(0, Math.min(limit, total - from))
  const wanted = Array.from({ length }, (_, n) => ({
    id: `${run}.${from + n}`,
    key: `${enteringKey(run, from + n)}/0`,
  }))
  return { items: await seen(place, wanted), total }
}

/** By the ledger, so that the reply needn't be read. 0 while it isn't split. */
async function countOf(place: Place, { outputs: { hopKey: key, next } }: Reply): Promise<number> {
  const ledger = await storedUnder(place, `${key}/ledger`)
  const record = ledger && decodeRecord(ledger.data)
  return record?.kind === 'split' ? record.delta + (next === null ? 1 : 0) : 0
}

async function seen(place: Place, wanted: readonly { readonly id: string; readonly key: string }[]): Promise<Child[]> {
  const children: Child[] = []
  for (let first = 0; first < wanted.length; first += sideBySide) {
    const looks = wanted.slice(first, first + sideBySide).map(({ id, key }) => child(place, id, key))
    children.push(...(await Promise.all(looks)))
  }
  return children
}

async function child(place: Place, id: string, key: string): Promise<Child> {
  const arrival = arrivalOf(await storedUnder(place, key))
  if (arrival === null) return { id, last: null, enteredAt: null }
  let last: Step | null = null
  for await (const { step } of lifeFrom(place, arrival)) {
    last = step
    // What follows are its own children, and the pages after it.
    if (step.state === 'split') break
  }
  return { id, last, enteredAt: arrival.stored?.at ?? null }
}
