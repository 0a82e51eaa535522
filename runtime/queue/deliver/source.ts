import { setTimeout as wait } from 'node:timers/promises'
import type { Subscription } from '@nats-io/transport-node'
import type { ConsumerInfo, ConsumerMessages, JsMsg } from '@nats-io/jetstream'
import { textOf } from '../../errors.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Connection } from '../connection.ts'
import { bornAt } from '../streams.ts'
import { untilLost } from './lost.ts'

/** What a reader reads. */
export interface Queue {
  readonly stream: string
  readonly consumer: string
  /** Makes the consumer if it isn't there; idempotent. */
  restore(): Promise<void>
}

/** The deliveries of a durable consumer, for as long as it is open. */
export interface Source {
  /** Resolves when the last delivery that the server has sent was handed over; twice is harmless. */
  close(): Promise<void>
}

/** After a (re)connect the server may have forgotten acks: so many deliveries of a consumer, for so long, are in doubt. */
const doubt = { deliveries: 10_000, ms: 30_000 }
const newMs = 10_000
const retryMs = 500
/** An answer of the server that takes longer isn't waited for. */
const drainMs = 1_000
/** One pull is kept open for more than can be held: a pull per message doubles the server's CPU. */
const pull = { max_messages: 128, expires: 30_000, idle_heartbeat: 5_000 }

interface Deps {
  readonly connection: Connection
  readonly log: Log
}

/**
 * Pulls until it is closed. A consumer that is lost meanwhile is made again, and delivers its queue from the beginning: what was
 * settled before is in doubt, so that nobody calls for it again.
 */
export async function openSource(
  deps: Deps,
  queue: Queue,
  onMessage: (message: JsMsg, inDoubt: boolean) => void,
): Promise<Source> {
  const { connection, log } = deps
  const doubts = new Doubts()
  const closing = new AbortController()
  let messages: ConsumerMessages | null = null

  const open = async (): Promise<void> => {
    const source = await connection.js.consumers.get(queue.stream, queue.consumer)
    doubts.know(await source.info(true))
    const opened = await source.consume({
      ...pull,
      callback: (message) => onMessage(message, doubts.next(message.seq)),
    })
    messages = opened
    void untilLost(opened).then((lost) => lost && void renew())
  }
  const renew = async (): Promise<void> => {
    doubts.forget()
    log.warn('a consumer is lost, it is made again', { stream: queue.stream, consumer: queue.consumer })
    await messages?.close()
    await persist(deps, closing.signal, async () => {
      await queue.restore()
      await open()
    })
    if (closing.signal.aborted) await messages?.close()
  }

  await open()
  // Somebody may have made the consumer again while this connection was away.
  const stopListening = connection.onChange((connected) => {
    doubts.begin()
    doubts.forget()
    if (connected) void persist(deps, closing.signal, () => refresh(connection, queue, doubts))
  })
  return {
    async close() {
      closing.abort()
      stopListening()
      if (messages !== null) await end(messages, connection)
    },
  }
}

/**
 * What the server sent before it knew of the end still comes, and can be given back. The client's own `close` drops it: nobody would
 * get it before its ack wait is over, and an ordered node would stand still so long (measured: in one of three restarts under load).
 */
async function end(messages: ConsumerMessages, { connected }: Connection): Promise<void> {
  // The client's type doesn't show its subscription.
  const { sub } = messages as ConsumerMessages & { readonly sub: Subscription }
  if (connected && !sub.isClosed())
    await Promise.race([sub.drain(), wait(drainMs, undefined, { ref: false })]).catch(() => undefined)
  await messages.close()
}

async function refresh({ jsm }: Connection, { stream, consumer }: Queue, doubts: Doubts): Promise<void> {
  doubts.know(await jsm.consumers.info(stream, consumer))
}

/** Tries again until it works or the signal aborts. */
async function persist({ connection, log }: Deps, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  const goesOn = (): boolean => !signal.aborted
  while (goesOn()) {
    try {
      await connection.whenConnected(signal)
      return await work()
    } catch (error) {
      if (!goesOn()) return
      log.debug('a consumer can not be read yet, trying again', { error: textOf(error) })
      await wait(retryMs, undefined, { signal }).catch(() => undefined)
    }
  }
}

/** Which deliveries may have been settled before: of those somebody asks before calling. */
class Doubts {
  /** Up to where another consumer of that name may have delivered: everything, while nobody knows. */
  #bornAt = Infinity
  #left = 0
  #until = 0

  /** What a consumer says of itself. One that was made just now has delivered nothing yet. */
  know(info: ConsumerInfo): void {
    if (this.#bornAt === Infinity && !isNew(info)) this.begin()
    this.#bornAt = bornAt(info)
  }

  forget(): void {
    this.#bornAt = Infinity
  }

  begin(): void {
    this.#left = doubt.deliveries
    this.#until = performance.now() + doubt.ms
  }

  next(sequence: number): boolean {
    if (sequence <= this.#bornAt) return true
    return this.#left > 0 && this.#left-- > 0 && performance.now() < this.#until
  }
}

/** Both times are the server's. */
function isNew({ created, ts, delivered }: ConsumerInfo): boolean {
  return delivered.consumer_seq === 0 && ts !== undefined && Date.parse(ts) - Date.parse(created) < newMs
}
