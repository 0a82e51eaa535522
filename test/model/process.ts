import { JetStreamApiError } from '@nats-io/jetstream'
import type { ConsumerInfo, JsMsg } from '@nats-io/jetstream'
import type { Msg, MsgHdrs } from '@nats-io/transport-node'
import type { Connection } from '../../runtime/queue/connection.ts'
import type { Lease, LeaseClock } from '../../runtime/queue/deliver/lease.ts'
import { openGuard } from '../../runtime/queue/publish/guard.ts'
import { LostAck, PublishRefused } from '../../runtime/queue/publish/publisher.ts'
import type { Publisher } from '../../runtime/queue/publish/publisher.ts'
import type { Queues } from '../../runtime/queue/open.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import type { Handed, MemoryStream, Stored } from './jetstream.ts'

/** One thing that a process does to the world, held until the test lets it happen. */
export interface Effect {
  readonly process: Process
  readonly kind: 'publish' | 'look' | 'ack' | 'call' | 'store' | 'purge' | 'fetch'
  readonly label: string
  /** False: it can't happen now, such as reading where nothing is. */
  readonly enabled: () => boolean
  /** Does it to the world and returns how the process learns of it. */
  readonly happen: (choice: number) => Promise<() => void>
  /** It takes long: nothing comes of it until it is let go. */
  held: boolean
  /** The connection broke first: it didn't happen, or nobody knows. */
  readonly fail: () => void
}

type Doing<T> = (choice: number) => T | Promise<T>

/**
 * A process that may die between any two of its effects. Its connection and its publisher are those that the engine's own code is
 * given; each request to the outside waits in `effects`.
 */
export class Process {
  readonly name: string
  readonly stream: MemoryStream
  readonly queues: Queues
  readonly clock: LeaseClock
  alive = true
  /** Stopped by a signal: it does nothing, but what it sent arrives. */
  stopped = false
  effects: Effect[] = []
  /** Where the deliveries of a consumer go. */
  readonly pulls = new Map<string, (message: JsMsg) => void>()
  /** Learns that a run is cancelled. */
  hears: (run: string) => void = () => undefined
  lastLease: TestLease | null = null
  /** False: everything happens at once, as while it starts. */
  gated: boolean
  readonly #leases: TestLease[] = []
  #outcomes: Outcomes = { filters: [], next: 1, delivered: 0 }
  readonly #listeners = new Set<(connected: boolean) => void>()

  constructor(name: string, stream: MemoryStream, gated = true) {
    this.name = name
    this.stream = stream
    this.gated = gated
    this.clock = { take: (inDoubt) => this.#take(inDoubt), close: () => undefined }
    const connection = this.#connection()
    const publisher = this.#publisher()
    this.queues = {
      connection,
      publisher,
      guard: openGuard(connection, publisher, silentLog),
      replicas: 1,
    } as unknown as Queues
  }

  /** Nothing that it waits for comes any more. */
  kill(): void {
    this.alive = false
    this.effects = []
    this.pulls.clear()
  }

  /** Every lease is void; publishes that are on their way are stored or not, as `stored` says, and nobody knows. */
  async disconnect(stored: (index: number) => boolean): Promise<void> {
    for (const lease of this.#leases) lease.ok = false
    const broken = this.effects.filter(({ kind }) => kind === 'publish')
    // What reached the server is what was sent first.
    const upTo = broken.findIndex((_, index) => !stored(index))
    for (const [index, effect] of broken.entries()) {
      this.effects.splice(this.effects.indexOf(effect), 1)
      if (upTo < 0 || index < upTo) await effect.happen(0)
      effect.fail()
    }
    this.effects = this.effects.filter(({ kind }) => kind !== 'ack')
    for (const connected of [false, true]) for (const listener of [...this.#listeners]) listener(connected)
  }

  hand(consumer: string, handed: Handed): TestLease | null {
    this.lastLease = null
    this.pulls.get(consumer)?.(this.#message(consumer, handed))
    return this.lastLease
  }

  /** Resolves with what came of it, when the test lets it happen. */
  effect<T>(kind: Effect['kind'], label: string, doing: Doing<T>, enabled = (): boolean => true): Promise<T> {
    if (!this.gated) return Promise.resolve().then(() => doing(0))
    return new Promise<T>((resolve, reject) => {
      const happen = async (choice: number): Promise<() => void> => {
        try {
          const value = await doing(choice)
          return () => resolve(value)
        } catch (error) {
          const reason = error instanceof Error ? error : new Error(String(error))
          return () => reject(reason)
        }
      }
      this.#add({
        process: this,
        kind,
        label,
        enabled,
        happen,
        held: false,
        fail: () => reject(new LostAck('lost on purpose')),
      })
    })
  }

  #add(effect: Effect): void {
    if (this.alive) this.effects.push(effect)
  }

  #take(inDoubt: boolean): Lease {
    const lease: TestLease = { ok: !inDoubt, valid: () => lease.ok, confirm: () => undefined }
    this.#leases.push(lease)
    this.lastLease = lease
    return lease
  }

  #message(consumer: string, { message, deliveryCount, token }: Handed): JsMsg {
    const send = (label: string, doing: () => void): void => {
      const happen = (): Promise<() => void> => Promise.resolve(doing()).then(() => () => undefined)
      if (!this.gated) doing()
      else
        this.#add({
          process: this,
          kind: 'ack',
          label,
          enabled: () => true,
          happen,
          held: false,
          fail: () => undefined,
        })
    }
    return {
      ...readable(message),
      reply: `$JS.ACK.${this.stream.name}.${token}`,
      info: { deliveryCount },
      ack: () => send(`ack ${consumer} ${message.seq}`, () => this.stream.ack(consumer, message.seq)),
      nak: () => send(`nak ${consumer} ${message.seq}`, () => this.stream.again(consumer, message.seq)),
    } as unknown as JsMsg
  }

  #publisher(): Publisher {
    const publish: Publisher['publish'] = (subject, headers, body) =>
      this.effect('publish', subject, () => {
        const answer = this.stream.publish(subject, bytesOf(headers), body)
        if (answer !== null && 'refused' in answer) throw new PublishRefused(answer.refused, 'wrong last sequence')
        return answer?.seq ?? 0
      })
    return {
      publish,
      request: (subject, body) => this.effect('look', subject, () => this.#look(subject, body)),
      // The parts of a batch go out with its last one.
      send: (subject, headers, body) => void this.stream.publish(subject, bytesOf(headers), body),
      close: () => undefined,
    }
  }

  #look(subject: string, body: Uint8Array): Msg {
    const prefix = `$JS.API.DIRECT.GET.${this.stream.name}`
    const found = subject.startsWith(`${prefix}.`)
      ? this.stream.last(subject.slice(prefix.length + 1))
      : this.stream.messages.get((JSON.parse(Buffer.from(body).toString()) as { seq: number }).seq)
    return { headers: { code: found ? 0 : 404 }, data: found?.data } as unknown as Msg
  }

  #connection(): Connection {
    const { stream } = this
    const look = <T>(label: string, doing: () => T, enabled?: () => boolean): Promise<T> =>
      this.effect('look', label, doing, enabled)
    const jsm = {
      streams: {
        info: () =>
          look('stream info', () => ({
            created: stream.created,
            state: { first_seq: stream.firstSeq, last_seq: stream.lastSeq },
          })),
        purge: (_: string, { seq }: { seq: number }) => this.effect('purge', `purge ${seq}`, () => stream.purge(seq)),
      },
      consumers: {
        info: (_: string, name: string) => look(`consumer ${name}`, () => infoOf(stream, name)),
        list: () => this.#list(),
        update: (_: string, name: string, config: DurableConfig) => this.#ensure(name, config),
        add: (_: string, config: OutcomesConfig & DurableConfig) => {
          if (config.durable_name !== undefined) return this.#ensure(config.durable_name, config)
          this.#outcomes = { filters: config.filter_subjects, next: config.opt_start_seq, delivered: 0 }
          return Promise.resolve({ name: 'outcomes' })
        },
        delete: () => Promise.resolve(true),
      },
      direct: { getMessage: (_: string, query: Query) => this.#direct(query) },
    }
    return {
      js: { consumers: { get: (_: string, name: string) => Promise.resolve(this.#consumer(name)) } },
      jsm,
      connected: true,
      onChange: (listener: (connected: boolean) => void) => {
        this.#listeners.add(listener)
        return () => this.#listeners.delete(listener)
      },
      whenConnected: () => Promise.resolve(),
    } as unknown as Connection
  }

  /** One portion of at most five outcomes: as many as the test says. */
  #fetch(outcomes: Outcomes): AsyncIterable<JsMsg> & { close(): Promise<void> } {
    const first = (): Stored | null => {
      const found = outcomes.filters.map((filter) => this.stream.next(outcomes.next, filter)?.seq ?? Infinity)
      return this.stream.messages.get(Math.min(...found)) ?? null
    }
    const take = (choice: number): JsMsg[] => {
      const taken: JsMsg[] = []
      for (let next = first(); next !== null && taken.length <= choice % 5; next = first()) {
        outcomes.next = next.seq + 1
        taken.push({ ...readable(next), info: { deliverySequence: ++outcomes.delivered } } as unknown as JsMsg)
      }
      return taken
    }
    let end = (): void => undefined
    const closed = new Promise<JsMsg[]>((resolve) => (end = () => resolve([])))
    const portion = this.effect('fetch', `outcomes from ${outcomes.next}`, take, () => first() !== null)
    const mine = this.effects.at(-1)
    return {
      async *[Symbol.asyncIterator]() {
        yield* await Promise.race([portion, closed])
      },
      close: () => {
        this.effects = this.effects.filter((effect) => effect !== mine)
        return Promise.resolve(end())
      },
    }
  }

  async *#list(): AsyncGenerator<ConsumerInfo> {
    const all = await this.effect('look', 'consumer list', () =>
      [...this.stream.durables.keys()].map((name) => infoOf(this.stream, name)),
    )
    yield* all
  }

  #ensure(name: string, config: DurableConfig): Promise<void> {
    return Promise.resolve(this.stream.ensure(name, config.filter_subject, config.max_ack_pending))
  }

  /** Whether a node's replies are split is answered when they are: how often it is asked shows nothing. */
  #direct({ seq, next_by_subj: filter }: Query): Promise<Stored | null> {
    const { stream } = this
    const replies =
      this.pulls.size === 0 ? undefined : [...stream.durables.values()].find((one) => one.filter === filter)
    if (replies === undefined) return this.effect('look', `from ${seq} ${filter}`, () => stream.next(seq, filter))
    const find = (): Stored | null => stream.next(stream.ackFloor(replies.name) + 1, filter)
    return this.effect('look', `all of ${replies.name} is split`, find, () => find() === null)
  }

  #consumer(name: string): unknown {
    if (name === 'outcomes')
      return { fetch: () => Promise.resolve(this.#fetch(this.#outcomes)), info: () => Promise.resolve({}) }
    return {
      info: () => Promise.resolve(infoOf(this.stream, name)),
      consume: ({ callback }: { callback: (message: JsMsg) => void }) => {
        this.pulls.set(name, callback)
        return Promise.resolve({ close: () => Promise.resolve() })
      },
    }
  }
}

interface Outcomes {
  readonly filters: readonly string[]
  next: number
  delivered: number
}

interface OutcomesConfig {
  readonly filter_subjects: readonly string[]
  readonly opt_start_seq: number
}

interface DurableConfig {
  readonly durable_name?: string
  readonly filter_subject: string
  readonly max_ack_pending: number
}

export interface TestLease extends Lease {
  ok: boolean
}

interface Query {
  readonly seq: number
  readonly next_by_subj: string
}

/** The engine's header blocks are encoded once; see envelope.ts. */
function bytesOf(headers: MsgHdrs | null): Uint8Array | null {
  return headers === null ? null : (headers as unknown as { encode(): Uint8Array }).encode()
}

function readable({ seq, subject, headers, data }: Stored): Partial<JsMsg> {
  return {
    seq,
    subject,
    data,
    headers: { get: (name: string) => headers.get(name) ?? '' },
    json: () => JSON.parse(Buffer.from(data).toString()) as unknown,
  } as unknown as Partial<JsMsg>
}

function infoOf(stream: MemoryStream, name: string): ConsumerInfo {
  const durable = stream.durables.get(name)
  if (durable === undefined)
    throw new JetStreamApiError({ code: 404, err_code: 10014, description: 'consumer not found' })
  return {
    name,
    created: stream.created,
    ts: '2026-06-01T00:00:00Z',
    config: { durable_name: name, filter_subject: durable.filter, max_ack_pending: durable.maxAckPending },
    delivered: { consumer_seq: durable.delivered, stream_seq: durable.delivered },
    ack_floor: { consumer_seq: 0, stream_seq: stream.ackFloor(name) },
    num_pending: 0,
    num_ack_pending: durable.pending.size,
  } as unknown as ConsumerInfo
}
