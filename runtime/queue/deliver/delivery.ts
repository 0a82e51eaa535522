import { errors } from '@nats-io/transport-node'
import type { JsMsg } from '@nats-io/jetstream'
import { Stopped, textOf } from '../../errors.ts'
import type { Spent } from '../../protocol/trail.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Connection } from '../connection.ts'
import type { HoldKind } from '../look/ask.ts'
import { beatEveryMs } from './lease.ts'
import type { Lease, LeaseClock } from './lease.ts'
import type { Publisher } from '../publish/publisher.ts'
import { openSource } from './source.ts'
import type { Queue } from './source.ts'

/**
 * Deliveries: messages that this process holds. The only file that acknowledges.
 *
 * States of a delivery: held → acked (its successor is stored, I1) or given back (somebody else shall have it).
 * While it is held its lease is beaten, whether a call is open or it waits.
 */
export interface Delivery {
  readonly sequence: number
  readonly subject: string
  /** Value of a header, empty when it isn't there. */
  header(name: string): string
  readonly body: Uint8Array
  /** It may have been settled before: ask before calling. */
  readonly inDoubt: boolean
  /** Messages that were queued behind it when it was delivered. */
  readonly behind: number
  /** The delivery of its queue before this one was here, too: nobody else had a message in between. */
  readonly followsOwn: boolean
  readonly lease: Lease
  /** Says what is being done with it, for who asks: only then a function is called. Costs no more than the time of day. */
  note(kind: HoldKind, standing?: Standing | (() => Standing)): void
  /** How long it was queued, and what it has been held for until now. */
  spent(): Spent
  /** Only after the successor is stored, or when it is known to be (I1). */
  settled(): void
  /** Lets the server deliver it again, at once or after so many milliseconds. */
  giveBack(delayMs?: number): void
}

/** How what is being done with a message stands now. */
export interface Standing {
  /** By performance.now(), the soonest and the latest that it can go on; null: nobody knows. */
  readonly until: { readonly first: number; readonly last: number } | null
  /** In short; null when the kind says it all. */
  readonly reason: string | null
}

const unknown: Standing = { until: null, reason: null }

/** A message that is held, and what is being done with it. */
export interface HeldNow {
  readonly sequence: number
  readonly kind: HoldKind
  /** By performance.now(). */
  readonly since: number
  readonly standing: Standing
}

export interface Reader {
  /** Messages held at the moment. */
  readonly held: number
  /** One by one. */
  holdings(): Iterable<HeldNow>
  /** Stops pulling and resolves when every held delivery is acked or given back; twice is harmless. */
  close(): Promise<void>
}

export interface Deliveries {
  /**
   * Hands every delivery of a durable consumer to `handle` at once; how many are held is the consumer's MaxAckPending (I4).
   * `handle` must ack or give back what it gets; if it throws, the delivery is given back and the error logged. When the
   * consumer is lost while it is read, `restore` has to make it again.
   */
  read(queue: Queue, handle: (delivery: Delivery) => Promise<void>): Promise<Reader>
  close(): void
}

const progress = new TextEncoder().encode('+WPI')

export function openDeliveries(deps: {
  connection: Connection
  publisher: Publisher
  clock: LeaseClock
  log: Log
}): Deliveries {
  const held = new Set<Held>()
  const beat = setInterval(() => beatAll(held, deps.publisher), 500).unref()
  return {
    read: (queue, handle) => read(deps, held, queue, handle),
    close: () => clearInterval(beat),
  }
}

type Asked = Pick<Delivery, 'inDoubt' | 'followsOwn'>

class Held implements Delivery, HeldNow {
  readonly sequence: number
  readonly inDoubt: boolean
  readonly followsOwn: boolean
  readonly behind: number
  readonly lease: Lease
  /** The newest delivery of the message: an ack on an older one may no longer count. */
  message: JsMsg
  lastBeat = performance.now()
  kind: HoldKind = 'asking'
  since = this.lastBeat
  #standing: Standing | (() => Standing) = unknown
  readonly #spent: { -readonly [K in keyof Spent]: Spent[K] }
  readonly #release: (held: Held) => void

  constructor(message: JsMsg, asked: Asked, lease: Lease, release: (held: Held) => void) {
    this.message = message
    this.sequence = message.seq
    this.behind = message.info.pending
    this.inDoubt = asked.inDoubt
    this.followsOwn = asked.followsOwn
    this.lease = lease
    this.#spent = { queuedMs: queuedMs(message), calledMs: 0, limitMs: 0, retryMs: 0, otherMs: 0 }
    this.#release = release
  }

  get subject(): string {
    return this.message.subject
  }

  get body(): Uint8Array {
    return this.message.data
  }

  header(name: string): string {
    return this.message.headers?.get(name) ?? ''
  }

  get standing(): Standing {
    return typeof this.#standing === 'function' ? this.#standing() : this.#standing
  }

  note(kind: HoldKind, standing: Standing | (() => Standing) = unknown): void {
    const now = performance.now()
    this.#spent[spentFor[this.kind] ?? 'otherMs'] += now - this.since
    this.kind = kind
    this.since = now
    this.#standing = standing
  }

  spent(): Spent {
    this.note(this.kind, this.#standing)
    return { ...this.#spent }
  }

  settled(): void {
    this.#end(() => this.message.ack())
  }

  giveBack(delayMs = 0): void {
    this.#end(() => this.message.nak(delayMs))
  }

  /** On a closed connection nothing can be said: the server delivers again after the ack wait. */
  #end(say: () => void): void {
    this.#release(this)
    try {
      say()
    } catch (error) {
      if (!(error instanceof errors.ClosedConnectionError)) throw error
    }
  }
}

/** What holds of these kinds are spent for; all others are `otherMs`. */
const spentFor: { readonly [K in HoldKind]?: keyof Spent } = {
  calling: 'calledMs',
  limit: 'limitMs',
  retry: 'retryMs',
}

/** By two clocks, so it may be off by what these are. */
function queuedMs({ info }: JsMsg): number {
  return Math.max(0, Date.now() - info.timestampNanos / 1e6)
}

/** Only a confirmed beat counts for the lease; an unconfirmed one still makes the server wait. */
function beatAll(held: ReadonlySet<Held>, publisher: Publisher): void {
  const now = performance.now()
  for (const delivery of held) {
    if (now - delivery.lastBeat < beatEveryMs) continue
    delivery.lastBeat = now
    const { reply } = delivery.message as JsMsg & { readonly reply: string }
    publisher.request(reply, progress).then(
      () => delivery.lease.confirm(now),
      () => undefined, // the lease runs out by itself
    )
  }
}

async function read(
  deps: { connection: Connection; clock: LeaseClock; log: Log },
  allHeld: Set<Held>,
  queue: Queue,
  handle: (delivery: Delivery) => Promise<void>,
): Promise<Reader> {
  const bySequence = new Map<number, Held>()
  const running = new Set<Promise<void>>()
  let before = -1
  const release = (delivery: Held): void => {
    bySequence.delete(delivery.sequence)
    allHeld.delete(delivery)
  }

  const onMessage = (message: JsMsg, inDoubt: boolean): void => {
    const { deliveryCount, deliverySequence } = message.info
    const isNext = deliverySequence === before + 1
    before = deliverySequence
    const known = bySequence.get(message.seq)
    if (known !== undefined) {
      known.message = message
      return
    }
    const doubted = inDoubt || deliveryCount > 1
    const asked = { inDoubt: doubted, followsOwn: isNext && !doubted }
    const delivery = new Held(message, asked, deps.clock.take(doubted), release)
    bySequence.set(message.seq, delivery)
    allHeld.add(delivery)
    const run = start(handle, delivery)
      .catch((error: unknown) => {
        if (error instanceof Stopped) return delivery.giveBack()
        deps.log.error('a delivery could not be handled, it is given back', {
          stream: queue.stream,
          consumer: queue.consumer,
          sequence: message.seq,
          error: textOf(error),
        })
      })
      .finally(() => {
        running.delete(run)
        if (bySequence.get(message.seq) === delivery) delivery.giveBack(failureDelayMs(message.info.deliveryCount))
      })
    running.add(run)
  }

  const source = await openSource(deps, queue, onMessage)
  return {
    get held() {
      return bySequence.size
    },
    holdings: () => bySequence.values(),
    async close() {
      await source.close()
      await Promise.allSettled([...running])
    },
  }
}

/** What can't be handled comes again, later each time, instead of as fast as it can. */
function failureDelayMs(deliveries: number): number {
  return Math.min(100 * 2 ** Math.min(deliveries, 10), 30_000)
}

/** A handler that throws at once is a handler that rejects. */
async function start(handle: (delivery: Delivery) => Promise<void>, delivery: Delivery): Promise<void> {
  await handle(delivery)
}
