import { untried } from '../protocol/message.ts'
import type { Message } from '../protocol/message.ts'
import { readOutputs } from '../protocol/outputs.ts'
import type { Outputs, ReplyOutput } from '../protocol/outputs.ts'
import { publishMany } from '../queue/publish/batch.ts'
import type { Delivery } from '../queue/deliver/delivery.ts'
import { envelopeHeader } from '../queue/envelope.ts'
import type { GuardedPublish } from '../queue/publish/guard.ts'
import { decodeRecord, encodeRecord, endedRecord } from '../queue/ledger.ts'
import { ledgerTail, originOf } from '../queue/names.ts'
import { decodeReply } from '../queue/reply.ts'
import type { StoredOutputs, StoredReplay, StoredReply, StoredRerun } from '../queue/reply.ts'
import { trashOf } from './records/faults.ts'
import type { InputPublish, Lanes } from './lanes/lanes.ts'
import { nextMark } from '../protocol/reading.ts'
import { pageRead } from './paging/page.ts'
import type { Ports, Stop } from './site.ts'

/** Where replies are split: the node that replied, and the way into its followers' queues. */
export interface SplitSite {
  readonly topologyId: string
  readonly nodeId: string
  readonly lanes: Lanes
}

/** How soon a reply comes again whose ledger record is there, but can't be seen. */
const lookAgainMs = 200

/**
 * The splitter turns a stored reply into messages. I3: in this order: the ledger record, whose acknowledgement is awaited before
 * anything else goes out; the continuation; the messages; then the ack. Each is guarded under `<key of the reply's hop>/<k>`, so
 * redoing it after a crash changes nothing, and no run looks finished early (I6).
 */
export async function split(delivery: Delivery, site: SplitSite, ports: Ports, stop: Stop): Promise<void> {
  const { topologyId, nodeId, lanes } = site
  const splitting = { delivery, site, ports, stop }
  const reply = decodeReply(delivery.header(envelopeHeader))
  if (reply.kind === 'rerun') return enter(reply, splitting)
  const made = reply.kind === 'replay' ? replayed(reply, nodeId, delivery.body) : outputsOf(reply, site, delivery.body)
  if (reply.kind === 'outputs') await room(reply, made.count, splitting)
  delivery.note('settling')
  const at = { topologyId, hopKey: reply.hopKey }
  const begun = await begin(reply, made, splitting)
  if (begun === 'unknown') return delivery.giveBack(lookAgainMs)
  if (begun === 'ended') return delivery.settled()
  if (made.continuation !== null)
    await ports.guard.publish(guarded(at, 'next', lanes.inputOf(nodeId, made.continuation)), delivery, stop.now)
  await publishMany(ports, publishes(at, lanes, made.messages), delivery, stop.now)
  await publishMany(ports, made.trash, delivery, stop.now)
  delivery.settled()
}

/** A reply that is held here, and with what it is split. */
interface Splitting {
  readonly delivery: Delivery
  readonly site: SplitSite
  readonly ports: Ports
  readonly stop: Stop
}

/** It is counted already: the message is all that follows. */
async function enter(reply: StoredRerun, { delivery, site, ports, stop }: Splitting): Promise<void> {
  delivery.note('settling')
  const at = { topologyId: site.topologyId, hopKey: reply.hopKey }
  const message = { ...reply.message, body: delivery.body }
  await ports.guard.publish(guarded(at, '0', site.lanes.inputOf(site.nodeId, message)), delivery, stop.now)
  delivery.settled()
}

/** Waits until the followers have room, but no longer than until the run is cancelled. */
async function room(reply: StoredOutputs, count: number, { delivery, site, ports, stop }: Splitting): Promise<void> {
  checkKnown(receivers(reply), site.lanes)
  const place = { topologyId: site.topologyId, nodeId: site.nodeId, run: reply.input.run }
  const onFull = (nodeId: string): void => delivery.note('follower', { until: null, reason: nodeId })
  await ports.cancelled.whileNot(place, stop.soon, (signal) =>
    ports.highWater.room(site, receivers(reply), count, signal, onFull),
  )
}

/**
 * Stores the reply's ledger record, and answers which one is there: of a cancelled run it is `ended` (and nothing follows), unless
 * a split was stored before: then its messages are counted, and must all come, to be cancelled at their own hops. And what was
 * ended stays ended, also for who doesn't know that the run was cancelled. A replay is never ended here: its message is cancelled at
 * its hop.
 */
async function begin(
  reply: Exclude<StoredReply, StoredRerun>,
  made: Made,
  { delivery, site, ports, stop }: Splitting,
): Promise<'begun' | 'ended' | 'unknown'> {
  const { topologyId, nodeId } = site
  const cancelled = reply.kind === 'outputs' && (await ports.cancelled.has(topologyId, reply.input.run, stop.now))
  const body = cancelled ? endedRecord(reply.input, nodeId, true) : made.record
  const publish = guarded({ topologyId, hopKey: reply.hopKey }, 'ledger', { tail: ledgerTail, headers: [], body })
  if ((await ports.guard.publish(publish, delivery, stop.now)) === 'accepted') return cancelled ? 'ended' : 'begun'
  const stored = await ports.guard.published(topologyId, publish.origin, stop.now)
  // Compacted, so all is done, or not to be seen yet: the server knows whether the reply is still to be delivered.
  if (stored === null) return 'unknown'
  return decodeRecord(stored).kind === 'ended' ? 'ended' : 'begun'
}

function receivers({ followers, route }: StoredOutputs): string[] {
  return followers.map(([, id]) => id).filter((id) => route === null || route.includes(id))
}

/** A follower that isn't known here is one of a newer plan: the reply is given back until that has come, or goes to who has it. */
function checkKnown(nodeIds: readonly string[], lanes: Lanes): void {
  const unknown = nodeIds.find((id) => !lanes.has(id))
  if (unknown !== undefined) throw new Error(`a reply has the follower ${unknown}, which this bridge's plan lacks`)
}

interface Made {
  readonly record: Uint8Array
  readonly count: number
  readonly continuation: Message | null
  /** Made one at a time, so that a page of 100 000 records needs no memory of that size. */
  readonly messages: Iterable<Addressed>
  /** What goes to Trash in place of a message. */
  readonly trash: Iterable<GuardedPublish>
}

interface Addressed {
  readonly to: string
  readonly message: Message
}

function guarded(at: { topologyId: string; hopKey: string }, k: string, publish: InputPublish): GuardedPublish {
  return { topologyId: at.topologyId, origin: originOf(`${at.hopKey}/${k}`), ...publish }
}

function* publishes(
  at: { topologyId: string; hopKey: string },
  lanes: Lanes,
  messages: Iterable<Addressed>,
): Generator<GuardedPublish> {
  let k = 0
  for (const { to, message } of messages) yield guarded(at, String(k++), lanes.inputOf(to, message))
}

/** A replay: the message goes into this node's queue, its row is marked at the node that failed, the run is in progress again. */
function replayed(reply: StoredReplay, nodeId: string, body: Uint8Array): Made {
  const message: Message = { ...reply.message, body }
  const record = encodeRecord({
    kind: 'replayed',
    run: message.run,
    nodeId: reply.failedAt ?? nodeId,
    at: new Date().toISOString(),
    trashId: reply.trashId,
  })
  return { record, count: 1, continuation: null, messages: [{ to: nodeId, message }], trash: [] }
}

function outputsOf(reply: StoredOutputs, { topologyId, nodeId }: SplitSite, stored: Uint8Array): Made {
  const outputs = readOutputs(stored.subarray(0, reply.bodyLength), reply.output.contentType, reply.emit)
  if (outputs.kind === 'malformed') throw new Error(`a stored reply can't be read: ${outputs.detail}`)
  const continuation = reply.next === null ? null : nextPage(reply, reply.next, stored.subarray(reply.bodyLength))
  const count = countOf(reply, outputs)
  return {
    record: record(reply, nodeId, count + (reply.faults?.faults ?? 0)),
    count,
    continuation,
    messages: children(reply, outputs),
    trash: trashOf(reply, topologyId, nodeId, stored),
  }
}

function countOf({ route, followers }: StoredOutputs, outputs: Outputs): number {
  const names = new Set(followers.map(([name]) => name))
  const routed = outputs.routes.reduce((sum, route) => sum + route.filter((name) => names.has(name)).length, 0)
  return (outputs.count - outputs.routes.length) * (route?.length ?? followers.length) + routed
}

function* children(reply: StoredOutputs, outputs: Outputs): Generator<Addressed> {
  let index = 0
  for (const output of outputs) {
    for (const [position, [name, id]] of reply.followers.entries()) {
      if (goesTo(reply, output, name, id))
        yield { to: id, message: child(reply, output, index * reply.followers.length + position) }
    }
    index++
  }
}

function goesTo(reply: StoredOutputs, output: ReplyOutput, name: string, id: string): boolean {
  if (output.route !== null) return output.route.includes(name)
  return reply.route === null || reply.route.includes(id)
}

function child({ input, output, paged, at, nodeName }: StoredOutputs, from: ReplyOutput, index: number): Message {
  return {
    ...untried,
    id: paged ? `${input.id}#${input.page}.${index}` : `${input.id}.${index}`,
    run: input.run,
    from: nodeName,
    created: at,
    tenant: from.tenant ?? output.tenant,
    limitKey: from.limitKey ?? output.limitKey ?? null,
    key: from.key ?? output.key,
    trace: input.trace,
    reconcile: input.reconcile,
    headers: output.headers,
    contentType: from.contentType,
    body: from.body,
  }
}

function nextPage({ input }: StoredOutputs, cursor: string, body: Uint8Array): Message {
  const page = input.page + 1
  // In replies of older versions there is none.
  const mark = nextMark(input.mark ?? null, page, cursor)
  return { ...input, page, cursor, mark, attempt: 0, round: 0, replay: 0, history: [], trail: [], body }
}

function record({ paged, at, ...reply }: StoredOutputs, nodeId: string, messages: number): Uint8Array {
  return encodeRecord({
    kind: 'split',
    run: reply.input.run,
    nodeId,
    at,
    delta: messages - 1 + (reply.next === null ? 0 : 1),
    batch: paged ? pageRead(reply.input, reply) : null,
    created: reply.input.created,
    trail: reply.input.trail,
  })
}
