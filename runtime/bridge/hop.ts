import type { Called } from '../call/call.ts'
import { decide } from '../call/decide.ts'
import type { Hold } from '../call/decide.ts'
import type { ChunkHead } from '../protocol/intake.ts'
import type { Message } from '../protocol/message.ts'
import type { Delivery } from '../queue/deliver/delivery.ts'
import { chunkHeader, decodeEnvelope, envelopeHeader } from '../queue/envelope.ts'
import type { HoldKind } from '../queue/look/ask.ts'
import { hopKey, originOf } from '../queue/names.ts'
import { sleep } from './gate.ts'
import { removedVerdict, settle, settleCancelled, settleEvent } from './settle.ts'
import type { Hop, Settling } from './settle.ts'
import { nodeOf } from './site.ts'
import type { EventSite, Stop, WorkerSite } from './site.ts'
import { Tries } from './tries.ts'

/**
 * The life of a message at one worker node: deliver → in doubt? ask → call → decide → settle → ack.
 *
 * I1  it is acked only after the guarded publish that replaces it is stored, or known to be.
 * I2  it settles once: everything it publishes stands below the origin of its key.
 * I9  waiting is never failing: a hold that doesn't burn leaves no trace.
 * A message whose run is cancelled settles as cancelled instead of being called, or, when a call was under way, instead of what
 * would have followed from it; waits end at once.
 * When the bridge stops, what waits is given back and another bridge starts it again.
 */
export async function hop(delivery: Delivery, siteNow: () => WorkerSite, stop: Stop): Promise<void> {
  let site = siteNow()
  let message = decodeEnvelope(delivery.header(envelopeHeader), delivery.body)
  const key = hopKey(message, site.prepared.node.id)
  const origin = originOf(key)

  const { order } = site
  if (order !== null) {
    delivery.note('order')
    await waitHere(siteNow, message, stop, (signal) => order.turn(delivery, signal))
  }
  const tries = new Tries(message)
  for (;;) {
    site = await whenItsTurn(siteNow, delivery, message, stop)
    if (await needsNoCall({ site, delivery, message, key, origin, ...tries.soFar }, stop)) return
    const asking = site.prepared.node.type === 'batch' ? await asked(siteNow, message, stop) : message
    if (asking === null) continue
    message = asking
    delivery.note('calling')
    const called = await site.caller.call(message, tries, delivery, (kind, standing) => async (wait) => {
      delivery.note(kind, standing)
      await waitHere(siteNow, message, stop, wait)
      delivery.note('calling')
    })
    if (stop.now.aborted) return delivery.giveBack()
    site.meter.called(called)
    const verdict = decide(called.result, tries.context(site.prepared, called, message))
    switch (verdict.kind) {
      case 'hold':
        if (verdict.burns) tries.failed(verdict.failure, called)
        tries.stay(verdict)
        // The next call waits until its service takes calls again, here or by a schedule.
        if (verdict.cause === 'rate-limit') {
          site.caller.backOff(message, { delayMs: verdict.delayMs, retryAfterMs: verdict.retryAfterMs ?? null })
          break
        }
        noteHold(delivery, verdict, verdict.cause)
        await waitHere(siteNow, message, stop, (signal) => sleep(verdict.delayMs, signal))
        break
      case 'pause':
        await site.pause(verdict.reason)
        break
      default:
        if (verdict.kind !== 'end' && (await isCancelled(site, message, stop)))
          return cancel({ site, delivery, message, origin }, stop)
        countFailure(tries, verdict, called)
        await settleInOrder(verdict, { site, delivery, message, key, origin, ...tries.soFar }, stop)
        return delivery.settled()
    }
  }
}

function countFailure(tries: Tries, verdict: Settling, called: Called): void {
  if (verdict.kind === 'later') tries.failed(verdict.failure, called)
  if (verdict.kind === 'trash') tries.failed(verdict, called)
}

const holdKindOf = {
  retry: 'retry',
  busy: 'busy',
  refused: 'refused',
  breaker: 'turn',
} as const satisfies Record<Exclude<Hold['cause'], 'rate-limit'>, HoldKind>

function noteHold(delivery: Delivery, { delayMs, failure }: Hold, cause: keyof typeof holdKindOf): void {
  const { title, detail } = failure.problem
  const until = performance.now() + delayMs
  const reason = cause === 'refused' ? (detail ?? title) : title
  delivery.note(holdKindOf[cause], { until: { first: until, last: until }, reason })
}

/** Waits while the node or its topology is paused. */
async function passGate(
  delivery: Delivery,
  siteNow: () => WorkerSite | EventSite,
  message: Message,
  stop: Stop,
): Promise<void> {
  const { gate } = siteNow()
  delivery.note('paused')
  await waitHere(siteNow, message, stop, (signal) => gate.pass(signal))
}

/**
 * A page is asked for by what a person made of its cursor, and the first one from the watermark on; neither changes the hop's key.
 * Null: something else came up meanwhile.
 */
async function asked(siteNow: () => WorkerSite, message: Message, stop: Stop): Promise<Message | null> {
  const { plan, prepared, ports } = siteNow()
  let asking: Message | null = null
  await waitHere(siteNow, message, stop, async (signal) => {
    asking = await ports.reading.asked(message, { topologyId: plan.topologyId, node: prepared.node }, signal)
  })
  return asking
}

/** What somebody else settled may have been a split, whatever the worker answered here. */
async function settleInOrder(verdict: Settling, hop: Hop, stop: Stop): Promise<void> {
  hop.delivery.note('settling')
  const stored = await settle(verdict, hop, stop.now)
  hop.site.meter.hops[stored === 'settled' ? 'known' : verdict.kind]++
  if (verdict.kind === 'split' || stored === 'settled') await keepOrder(hop, stop)
}

/** True when the message is settled: it was before, or its run is cancelled, or its node leaves. */
async function needsNoCall(held: Hop, stop: Stop): Promise<boolean> {
  const { site, delivery, message, origin } = held
  // In doubt from the beginning, or by now: who waited through an outage may not be the only holder any more.
  if (!delivery.lease.valid() && (await isSettled(delivery, site, origin, stop))) {
    site.meter.hops.known++
    await keepOrder(held, stop)
    delivery.settled()
  } else if (await isCancelled(site, message, stop)) {
    await cancel(held, stop)
  } else if (isEvicting(site)) {
    await settleInOrder(removedVerdict(site), held, stop)
    delivery.settled()
  } else {
    return false
  }
  return true
}

/** An event node's hop makes no call: what the intake stored goes to the followers, a chunk of records one by one. */
export async function eventHop(delivery: Delivery, siteNow: () => EventSite, stop: Stop): Promise<void> {
  const message = decodeEnvelope(delivery.header(envelopeHeader), delivery.body)
  const site = await whenItsTurn(siteNow, delivery, message, stop)
  const key = hopKey(message, site.node.id)
  const origin = originOf(key)
  if (delivery.inDoubt && (await isSettled(delivery, site, origin, stop))) return settledBefore(delivery, site, stop)
  if (await isCancelled(site, message, stop)) return cancel({ site, delivery, message, origin }, stop)
  delivery.note('settling')
  const chunk = chunkOf(delivery)
  const stored = await settleEvent({ site, delivery, message, key, origin, chunk }, stop.now)
  site.meter.hops[chunk === null ? 'forward' : 'split']++
  if (chunk !== null || stored === 'settled') await keepOrder({ site, delivery }, stop)
  delivery.settled()
}

function chunkOf(delivery: Delivery): ChunkHead | null {
  const head = delivery.header(chunkHeader)
  return head === '' ? null : (JSON.parse(head) as ChunkHead)
}

/**
 * Resolves with the site by which the message goes, when it may. It may have waited for a new plan: that its worker is another one, or
 * that it has other followers now.
 */
async function whenItsTurn<S extends WorkerSite | EventSite>(
  siteNow: () => S,
  delivery: Delivery,
  message: Message,
  stop: Stop,
): Promise<S> {
  for (;;) {
    const site = siteNow()
    const { gate, replies } = site
    if (replies?.mayPrecede(delivery)) {
      delivery.note('split')
      await waitHere(siteNow, message, stop, (signal) => replies.splitBefore(delivery, signal))
    }
    // A bridge that stops begins nothing: waiting gives the message back then.
    if (stop.soon.aborted || !gate.open) await passGate(delivery, siteNow, message, stop)
    if (siteNow() === site) return site
  }
}

async function settledBefore(delivery: Delivery, site: WorkerSite | EventSite, stop: Stop): Promise<void> {
  await keepOrder({ site, delivery }, stop)
  delivery.settled()
}

async function isSettled(
  delivery: Delivery,
  { plan, ports }: WorkerSite | EventSite,
  origin: string,
  stop: Stop,
): Promise<boolean> {
  return (await ports.guard.ask(plan.topologyId, origin, delivery, stop.now)) === 'settled'
}

function isCancelled(
  { plan, ports }: WorkerSite | EventSite,
  { run }: Message,
  stop: Stop,
): boolean | Promise<boolean> {
  return ports.cancelled.has(plan.topologyId, run, stop.now)
}

async function cancel(hop: Parameters<typeof settleCancelled>[0], stop: Stop): Promise<void> {
  const { site, delivery } = hop
  delivery.note('settling')
  const stored = await settleCancelled(hop, stop.now)
  site.meter.hops.cancelled++
  if (stored === 'settled') await keepOrder({ site, delivery }, stop)
  delivery.settled()
}

/** Does the node leave, and its messages go to Trash? */
const isEvicting = (site: WorkerSite | EventSite): boolean => nodeOf(site).leaving === 'trash'

/** Waits with the message held, but no longer than until its run is cancelled, or it must go to Trash since its node leaves. */
function waitHere(
  siteNow: () => WorkerSite | EventSite,
  { run }: Message,
  stop: Stop,
  wait: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const site = siteNow()
  const isEvicted = (): boolean => isEvicting(siteNow())
  const place = { topologyId: site.plan.topologyId, nodeId: nodeOf(site).id, run, isEvicted }
  return site.ports.cancelled.whileNot(place, stop.soon, wait)
}

/** I5: the next message is only taken when what was stored before it is split. */
async function keepOrder(
  { site, delivery }: { readonly site: WorkerSite | EventSite; readonly delivery: Delivery },
  stop: Stop,
): Promise<void> {
  if (site.replies === null) return
  delivery.note('split')
  await site.replies.split(stop.soon)
}
