import { textOf } from '../errors.ts'
import type { Forward, Later, Output, Split, Trash, Turn, End } from '../call/decide.ts'
import { problem, trash as finalFailure } from '../call/verdict.ts'
import type { ChunkHead } from '../protocol/intake.ts'
import type { FailedCall, Message } from '../protocol/message.ts'
import { withPassage } from '../protocol/trail.ts'
import type { Spent, Trail } from '../protocol/trail.ts'
import { followersOf } from '../protocol/native.ts'
import type { TrashedMessage, Trashed } from '../protocol/outcome.ts'
import type { Guarded } from '../queue/control.ts'
import type { Delivery } from '../queue/deliver/delivery.ts'
import { encodeEnvelope, envelopeHeader, waitHeader } from '../queue/envelope.ts'
import type { DelayedFor } from '../queue/limits/told.ts'
import { endedRecord } from '../queue/ledger.ts'
import { laterTail, ledgerTail, replyTail, trashTail } from '../queue/names.ts'
import { PublishRefused } from '../queue/publish/publisher.ts'
import { encodeReply } from '../queue/reply.ts'
import { pageRead } from './paging/page.ts'
import { nodeOf } from './site.ts'
import type { EventSite, WorkerSite } from './site.ts'
import type { EventNode, WorkerNode } from '../topology/plan.ts'

/** Verdicts that end a hop: each is carried out by exactly one guarded publish (I1, I2). */
export type Settling = Forward | Split | End | Later | Turn | Trash

export interface Hop {
  readonly site: WorkerSite
  readonly delivery: Delivery
  readonly message: Message
  readonly key: string
  readonly origin: string
  /** Number of the call that led to the verdict. */
  readonly attempt: number
  readonly history: readonly FailedCall[]
  /** Made here, whatever came of them. */
  readonly calls: number
}

/** What one settlement publishes. */
interface Successor {
  readonly tail: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: Uint8Array
}

/**
 * Resolves when the successor is stored, or somebody else's is (`settled`; it may be that of another verdict): then the delivery is
 * settled. A node that blocks is paused before: a crash in between must not let the next message pass.
 */
export async function settle(verdict: Settling, hop: Hop, signal: AbortSignal): Promise<Guarded> {
  const { site, origin, delivery } = hop
  if (verdict.kind === 'trash' && verdict.block) await site.pause(blockedReason)
  const store = (one: Successor): Promise<Guarded> =>
    site.ports.guard.publish({ topologyId: site.plan.topologyId, origin, ...one }, delivery, signal)
  try {
    return await store(successorOf(verdict, { ...hop, message: passed(hop, verdict) }))
  } catch (error) {
    // It will never fit: tried again, it would be in the way for ever.
    const isBare = verdict.kind === 'trash' && hop.history.length === 0
    if (!(error instanceof PublishRefused) || isBare) throw error
    return settle(verdict.kind === 'trash' ? verdict : unstorable(error, site), { ...hop, history: [] }, signal)
  }
}

/** The message with this node on its way; what a delay takes is known beforehand. */
function passed({ site, message, delivery, calls }: Hop, verdict: Settling): Message {
  const spent = delivery.spent()
  const retryMs = spent.retryMs + (verdict.kind === 'later' ? verdict.delayMs : 0)
  const limitMs = spent.limitMs + (verdict.kind === 'turn' ? verdict.delayMs : 0)
  return { ...message, trail: trailOf(message, { ...spent, retryMs, limitMs }, site.prepared.node.id, calls) }
}

function trailOf({ trail, created }: Message, spent: Spent, nodeId: string, calls: number): Trail {
  return withPassage(trail, { nodeId, atMs: Date.now() - Date.parse(created), calls, ...spent })
}

/** What follows from the message is larger than NATS takes. */
function unstorable(error: PublishRefused, { prepared }: WorkerSite): Trash {
  const detail = `${textOf(error)}; its headers, its cursor or the number of its followers take too much`
  const refused = problem('too-large', 'what follows from the message cannot be stored', detail)
  return finalFailure({ status: null, problem: refused }, prepared)
}

const blockedReason =
  'a message failed finally and the node has onFail: block; settle its Trash, then resume: a replay goes after what waits'

function successorOf(verdict: Settling, hop: Hop): Successor {
  switch (verdict.kind) {
    case 'forward':
      return forward(verdict, hop)
    case 'split':
      return split(verdict, hop)
    case 'end':
      return endedPage(verdict, hop)
    case 'later':
      return later(verdict, hop, hop.attempt)
    case 'turn':
      return later(verdict, hop, hop.message.attempt)
    case 'trash':
      return trash(verdict, hop)
    default:
      return verdict satisfies never
  }
}

function forward(verdict: Forward, { site, message }: Hop): Successor {
  return site.lanes.inputOf(verdict.follower, successor(message, verdict.output, site.prepared.node.name))
}

/** The same message one node on: it keeps its id, its run and its trace; what belongs to the node it leaves is gone. */
function successor(message: Message, output: Output, from: string): Message {
  return {
    ...message,
    from,
    attempt: 0,
    round: 0,
    replay: 0,
    page: 0,
    cursor: null,
    mark: null,
    edit: 0,
    since: null,
    history: [],
    key: output.key,
    tenant: output.tenant,
    limitKey: output.limitKey,
    headers: output.headers,
    contentType: output.contentType,
    body: output.body,
  }
}

function split(verdict: Split, { site, message, key }: Hop): Successor {
  const { node, followers } = site.prepared
  const { body, ...output } = verdict.output
  const { body: inputBody, ...input } = message
  const reply = encodeReply({
    kind: 'outputs',
    hopKey: key,
    at: new Date().toISOString(),
    nodeName: node.name,
    revision: site.plan.revision,
    followers: [...followers],
    route: verdict.route,
    emit: verdict.emit,
    paged: node.type === 'batch',
    next: verdict.next,
    watermark: verdict.watermark,
    progress: verdict.progress,
    commit: node.watermark?.commit ?? null,
    input: { ...input, history: [] },
    output,
    bodyLength: body.length,
  })
  const stored = verdict.next === null ? body : Buffer.concat([body, inputBody])
  return { tail: replyTail(node.id), headers: [[envelopeHeader, reply]], body: stored }
}

function ended(message: Message, nodeId: string, cancelled: boolean): Successor {
  return { tail: ledgerTail, headers: [], body: endedRecord(message, nodeId, cancelled) }
}

/** The last page of a batch node may be an empty one: the recorder hears of it like of any other. */
function endedPage({ watermark, progress }: End, { site, message }: Hop): Successor {
  const { node } = site.prepared
  const commit = node.watermark?.commit ?? null
  const batch = node.type === 'batch' ? pageRead(message, { next: null, watermark, progress, commit }) : null
  return { tail: ledgerTail, headers: [], body: endedRecord(message, node.id, false, batch) }
}

/** What a message of a cancelled run settles as: nothing follows from it (I7). */
export async function settleCancelled(
  {
    site,
    delivery,
    message,
    origin,
  }: Pick<EventHop, 'delivery' | 'message' | 'origin'> & { site: EventSite | WorkerSite },
  signal: AbortSignal,
): Promise<Guarded> {
  const { plan, ports } = site
  const publish = { topologyId: plan.topologyId, origin, ...ended(message, nodeOf(site).id, true) }
  return ports.guard.publish(publish, delivery, signal)
}

/** The server keeps the message and puts it back into the node's own queue when the delay is over. */
function later({ kind, delayMs }: Later | Turn, { site, message, origin, history }: Hop, attempt: number): Successor {
  const { node } = site.prepared
  const envelope = encodeEnvelope({ ...message, attempt, round: message.round + 1, history })
  return {
    tail: laterTail,
    headers: [
      ['Nats-Schedule', `@at ${new Date(Date.now() + delayMs).toISOString()}`],
      ['Nats-Schedule-Target', `sluice.${site.plan.topologyId}.${origin}.${site.lanes.tailOf(node.id, message)}`],
      ...(kind === 'turn' ? waitsFor(node, message) : []),
      [envelopeHeader, envelope],
    ],
    body: message.body,
  }
}

/** So that who looks at delayed messages can tell a turn at a limit from a failed call. */
function waitsFor({ service }: WorkerNode, { limitKey, tenant }: Message): (readonly [string, string])[] {
  if (service === null) return []
  const limit: DelayedFor = { service, who: limitKey ?? tenant }
  return [[waitHeader, JSON.stringify(limit)]]
}

function trash(verdict: Trash, { site, message, origin, history }: Hop): Successor {
  const { node } = site.prepared
  const trashed: Omit<Trashed, 'body'> = {
    kind: 'trashed',
    run: message.run,
    nodeId: node.id,
    at: new Date().toISOString(),
    trashId: origin,
    revision: site.plan.revision,
    error: verdict.problem,
    attempts: history,
    message: trashedMessage(message),
    ...(node.type === 'batch' && { reading: { commit: node.watermark?.commit ?? null } }),
    created: message.created,
    trail: message.trail,
  }
  return { tail: trashTail, headers: [[envelopeHeader, JSON.stringify(trashed)]], body: message.body }
}

/** Why a message of a node that leaves is in Trash: nothing failed, the graph has no place for it any more. */
export function removedVerdict({ plan, prepared }: WorkerSite): Trash {
  const { name } = prepared.node
  const title = `the node ${name} was removed`
  const detail = `the message was at ${name} when ${plan.name} was published without this node, with inFlight=trash`
  return { kind: 'trash', status: null, problem: problem('node-removed', title, detail), block: false }
}

function trashedMessage(message: Message): TrashedMessage {
  const { id, from, created, replay, page, cursor, edit, since, reconcile, tenant, limitKey, key, trace } = message
  const { headers, contentType } = message
  return {
    ...{ id, from, created, replay, page, cursor, edit, since, reconcile, tenant, key, trace, headers, contentType },
    ...(limitKey !== null && { limitKey }),
  }
}

export interface EventHop {
  readonly site: EventSite
  readonly delivery: Delivery
  readonly message: Message
  readonly key: string
  readonly origin: string
  /** Of a chunk of records; null for any other start. */
  readonly chunk: ChunkHead | null
}

/**
 * Forward to the one follower, split to several, end without any; a chunk of records is always split. `settled` when somebody else has
 * settled it.
 */
export function settleEvent(
  { site, delivery, key, origin, chunk, ...hop }: EventHop,
  signal: AbortSignal,
): Promise<Guarded> {
  const { plan, node, lanes, ports } = site
  const trail = trailOf(hop.message, delivery.spent(), node.id, 0)
  const message = started({ ...hop.message, trail }, node)
  const followers = [...followersOf(plan, node)]
  const [only] = followers
  const one =
    chunk !== null
      ? eventSplit(site, message, key, followers, chunk)
      : only === undefined
        ? ended(message, node.id, false)
        : followers.length === 1
          ? lanes.inputOf(only[1], { ...message, from: node.name })
          : eventSplit(site, message, key, followers, null)
  return ports.guard.publish({ topologyId: plan.topologyId, origin, ...one }, delivery, signal)
}

/** What its run is for, is said by the start or by the node. */
const started = (message: Message, { reconcile = false }: EventNode): Message =>
  reconcile && !message.reconcile ? { ...message, reconcile } : message

function eventSplit(
  { plan, node }: EventSite,
  message: Message,
  key: string,
  followers: readonly (readonly [string, string])[],
  chunk: ChunkHead | null,
): Successor {
  const { body, ...input } = message
  const reply = encodeReply({
    kind: 'outputs',
    hopKey: key,
    at: message.created,
    nodeName: node.name,
    revision: plan.revision,
    followers,
    route: null,
    emit: { kind: chunk === null ? 'page' : 'records' },
    paged: false,
    next: null,
    watermark: null,
    progress: null,
    commit: null,
    input,
    output: {
      contentType: message.contentType,
      headers: message.headers,
      key: message.key,
      tenant: message.tenant,
      limitKey: message.limitKey,
    },
    bodyLength: chunk?.recordBytes ?? body.length,
    ...(chunk !== null && chunk.faults > 0 && { faults: chunk }),
  })
  return { tail: replyTail(node.id), headers: [[envelopeHeader, reply]], body }
}
