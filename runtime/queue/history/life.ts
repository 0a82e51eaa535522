import type { StoredMsg } from '@nats-io/jetstream'
import type { Message } from '../../protocol/message.ts'
import type { Trashed } from '../../protocol/outcome.ts'
import { passageOf } from '../../protocol/trail.ts'
import type { Passage, Trail } from '../../protocol/trail.ts'
import type { Connection } from '../connection.ts'
import { decodeEnvelope, envelopeHeader } from '../envelope.ts'
import { lastStored } from '../janitor/stored.ts'
import { decodeRecord } from '../ledger.ts'
import { hopKey, originFilter, originOf, queueOwner, streamName } from '../names.ts'
import { decodeReply } from '../reply.ts'
import type { StoredOutputs } from '../reply.ts'
import type { Step } from './types.ts'

/**
 * Follows a message from hop to hop. Origins are derived from hops, so each successor is one look at the stream, and nothing has to be
 * searched: the length of a run costs nothing.
 */

/** A message in the queue of a node. */
export interface Arrival {
  readonly nodeId: string
  /** What makes its hop here; the body is not looked at. */
  readonly message: Pick<Message, 'id' | 'page' | 'replay' | 'round' | 'history' | 'trail'>
  /** Null when it is not known where it lay, or that is compacted. */
  readonly stored: { readonly sequence: number; readonly at: Date } | null
}

/** What a hop left behind, and where the message went. */
interface Settled {
  readonly step: Step
  readonly next: Arrival | null
  readonly reply: { readonly stored: StoredMsg; readonly outputs: StoredOutputs } | null
}

export interface Place {
  readonly connection: Connection
  readonly topologyId: string
}

/** Every step from an arrival on, until the message has ended or waits. With the stored reply of each that was split. */
export async function* lifeFrom(place: Place, arrival: Arrival): AsyncGenerator<Settled> {
  let next: Arrival | null = arrival
  while (next !== null) {
    const settled: Settled = await settledAt(place, next)
    yield settled
    next = settled.next
  }
}

/** The last thing stored below an origin: what its hop settled as. */
export function storedUnder({ connection, topologyId }: Place, key: string): Promise<StoredMsg | null> {
  return lastStored(connection, streamName(topologyId), originFilter(topologyId, originOf(key)))
}

/** A stored message in a node's queue; null for anything else. */
export function arrivalOf(stored: StoredMsg | null): Arrival | null {
  const nodeId = stored === null || tailOf(stored) === 'reply' ? null : queueOwner(stored.subject)
  if (stored === null || nodeId === null) return null
  const message = decodeEnvelope(stored.header.get(envelopeHeader), nothing)
  return { nodeId, message, stored: { sequence: stored.seq, at: stored.time } }
}

const nothing = new Uint8Array()
const tailOf = ({ subject }: StoredMsg): string => subject.split('.')[3] ?? ''

async function settledAt(place: Place, arrival: Arrival): Promise<Settled> {
  const key = hopKey(arrival.message, arrival.nodeId)
  const stored = await storedUnder(place, key)
  if (stored === null) return ending(arrival, { state: arrival.stored === null ? 'gone' : 'waiting' })
  switch (tailOf(stored)) {
    case 'ledger':
      return ended(arrival, stored)
    case 'trash':
      return trashed(place, arrival, stored)
    case 'later':
      return delayed(arrival, stored)
    case 'reply':
      return split(place, arrival, key, stored)
    default:
      return forwarded(arrival, stored)
  }
}

function stepOf({ nodeId, message, stored }: Arrival, more: Partial<Step> & Pick<Step, 'state'>): Step {
  return {
    nodeId,
    id: message.id,
    page: message.page,
    replay: message.replay,
    sequence: stored?.sequence ?? null,
    enteredAt: stored?.at ?? null,
    at: null,
    dueAt: null,
    attempts: message.history,
    spent: spentAt(message.trail, nodeId),
    made: null,
    trash: null,
    ...more,
  }
}

function ending(arrival: Arrival, more: Partial<Step> & Pick<Step, 'state'>): Settled {
  return { step: stepOf(arrival, more), next: null, reply: null }
}

function spentAt(trail: Trail, nodeId: string): Passage | null {
  const step = trail.find(([id]) => id === nodeId)
  return step === undefined ? null : passageOf(step)
}

function ended(arrival: Arrival, stored: StoredMsg): Settled {
  const record = decodeRecord(stored.data)
  const isCancelled = record.kind === 'ended' && record.cancelled
  const spent = 'trail' in record ? spentAt(record.trail ?? [], arrival.nodeId) : null
  return ending(arrival, { state: isCancelled ? 'cancelled' : 'done', at: stored.time, spent })
}

function delayed(arrival: Arrival, stored: StoredMsg): Settled {
  const { history, trail } = decodeEnvelope(stored.header.get(envelopeHeader), nothing)
  const dueAt = new Date(stored.header.get('Nats-Schedule').replace(/^@at /, ''))
  const spent = spentAt(trail, arrival.nodeId)
  return ending(arrival, { state: 'delayed', at: stored.time, dueAt, attempts: history, spent })
}

function forwarded(arrival: Arrival, stored: StoredMsg): Settled {
  const next = arrivalOf(stored)
  const spent = spentAt(next?.message.trail ?? [], arrival.nodeId)
  // Back from a delay: it is still at this node.
  const isBack = next?.nodeId === arrival.nodeId
  const more = { state: isBack ? 'delayed' : 'forwarded', at: stored.time, spent } as const
  const attempts = isBack ? next.message.history : arrival.message.history
  return { step: stepOf(arrival, { ...more, attempts }), next, reply: null }
}

async function trashed(place: Place, arrival: Arrival, stored: StoredMsg): Promise<Settled> {
  const failed = JSON.parse(stored.header.get(envelopeHeader)) as Omit<Trashed, 'body'>
  const decided = await storedUnder(place, `trash:${failed.trashId}!${arrival.message.replay + 1}`)
  const isReplay = decided !== null && tailOf(decided) === 'reply'
  const settled = decided && ({ as: isReplay ? 'replayed' : 'discarded', at: decided.time } as const)
  const trash = { id: failed.trashId, error: failed.error, settled }
  const spent = spentAt(failed.trail ?? [], arrival.nodeId)
  const step = stepOf(arrival, { state: 'trashed', at: stored.time, attempts: failed.attempts, spent, trash })
  const next = isReplay ? await replayed(place, decided) : null
  return { step, next, reply: null }
}

/** Where it is from the moment at which it was put back; before the splitter has done so it has no place in the queue. */
async function replayed(place: Place, decided: StoredMsg): Promise<Arrival | null> {
  const reply = decodeReply(decided.header.get(envelopeHeader))
  if (reply.kind !== 'replay') return null
  const entered = arrivalOf(await storedUnder(place, `${reply.hopKey}/0`))
  const nodeId = queueOwner(decided.subject)
  return entered ?? (nodeId === null ? null : { nodeId, message: reply.message, stored: null })
}

async function split(place: Place, arrival: Arrival, key: string, stored: StoredMsg): Promise<Settled> {
  const outputs = decodeReply(stored.header.get(envelopeHeader))
  if (outputs.kind !== 'outputs') return ending(arrival, { state: 'gone' })
  const spent = spentAt(outputs.input.trail, arrival.nodeId)
  const ledger = await storedUnder(place, `${key}/ledger`)
  const record = ledger && decodeRecord(ledger.data)
  const reply = { stored, outputs }
  if (record === null) return { ...ending(arrival, { state: 'splitting', at: stored.time, spent }), reply }
  if (record.kind !== 'split') return ending(arrival, { state: 'cancelled', at: stored.time, spent })
  const made = record.delta + (outputs.next === null ? 1 : 0)
  const next = outputs.next === null ? null : await nextPage(place, arrival, key, outputs)
  return { step: stepOf(arrival, { state: 'split', at: stored.time, spent, made }), next, reply }
}

async function nextPage(place: Place, { nodeId }: Arrival, key: string, { input }: StoredOutputs): Promise<Arrival> {
  const next = arrivalOf(await storedUnder(place, `${key}/next`))
  if (next !== null) return next
  return {
    nodeId,
    message: { ...input, page: input.page + 1, round: 0, replay: 0, history: [], trail: [] },
    stored: null,
  }
}
