import type { JsMsg } from '@nats-io/jetstream'
import type { Lease, LeaseClock } from '../../runtime/queue/deliver/lease.ts'
import { openGuard } from '../../runtime/queue/publish/guard.ts'
import { LostAck } from '../../runtime/queue/publish/publisher.ts'
import type { Queues } from '../../runtime/queue/open.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { connectionOf, messageOf, publisherOf } from './client.ts'
import type { Handed, MemoryStream } from './jetstream.ts'

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

export interface TestLease extends Lease {
  ok: boolean
}

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
  /** False: everything happens at once, as while it starts. */
  gated: boolean
  effects: Effect[] = []
  /** Where the deliveries of a consumer go. */
  readonly pulls = new Map<string, (message: JsMsg) => void>()
  /** Who is told that the connection was lost and is back. */
  readonly listeners = new Set<(connected: boolean) => void>()
  /** Learns that a run is cancelled. */
  hears: (run: string) => void = () => undefined
  #lastLease: TestLease | null = null
  readonly #leases: TestLease[] = []

  constructor(name: string, stream: MemoryStream, gated = true) {
    this.name = name
    this.stream = stream
    this.gated = gated
    this.clock = { take: (inDoubt) => this.#take(inDoubt), close: () => undefined }
    const connection = connectionOf(this)
    const publisher = publisherOf(this)
    const guard = openGuard(connection, publisher, silentLog, 1)
    this.queues = { connection, publisher, guard, replicas: 1 } as unknown as Queues
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
    for (const connected of [false, true]) for (const listener of [...this.listeners]) listener(connected)
  }

  /** Null: it had the message already. */
  hand(consumer: string, handed: Handed): TestLease | null {
    this.#lastLease = null
    this.pulls.get(consumer)?.(messageOf(this, consumer, handed))
    return this.#lastLease
  }

  /** Resolves with what came of it, when the test lets it happen. */
  effect<T>(
    kind: Effect['kind'],
    label: string,
    doing: (choice: number) => T | Promise<T>,
    enabled = (): boolean => true,
  ): Promise<T> {
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
      this.#add(kind, label, enabled, happen, () => reject(new LostAck('lost on purpose')))
    })
  }

  /** Nobody waits for what comes of it. */
  send(label: string, doing: () => void): void {
    if (!this.gated) return doing()
    const happen = (): Promise<() => void> => Promise.resolve(doing()).then(() => () => undefined)
    this.#add(
      'ack',
      label,
      () => true,
      happen,
      () => undefined,
    )
  }

  #add(
    kind: Effect['kind'],
    label: string,
    enabled: Effect['enabled'],
    happen: Effect['happen'],
    fail: Effect['fail'],
  ): void {
    if (this.alive) this.effects.push({ process: this, kind, label, enabled, happen, held: false, fail })
  }

  #take(inDoubt: boolean): Lease {
    const lease: TestLease = { ok: !inDoubt, valid: () => lease.ok, confirm: () => undefined }
    this.#leases.push(lease)
    this.#lastLease = lease
    return lease
  }
}
