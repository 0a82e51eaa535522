import { setMaxListeners } from 'node:events'
import { vi } from 'vitest'
import { openLimiter } from '../../runtime/limiter/limiter.ts'
import type { Limiter } from '../../runtime/limiter/limiter.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import type { Limit } from '../../runtime/topology/limits/limits.ts'
import { memoryCells } from './cells.ts'

/** A node of some bridges, by a clock of its own: the limiter is the real one, and what is around it does what was measured of it. */
export interface Simulation {
  readonly limits: readonly Limit[]
  readonly prefetch: number
  readonly bridges: number
  /** How many messages of each tenant come, one after the other, those of the first tenant first. */
  readonly tenants: Readonly<Record<string, number>>
  /** One message of the tenant `guest` comes so often, beside those. */
  readonly guestEveryMs?: number
  readonly seconds: number
  /** Schedules fire late by up to so much, beside that they fire together. */
  readonly lateMs: number
}

export interface Simulated {
  /** By tenant: when calls began, in milliseconds since the start. */
  readonly calls: ReadonlyMap<string, readonly number[]>
  readonly putOffs: number
  /** How long messages of `guest` waited for their call. */
  readonly guestWaitsMs: readonly number[]
}

interface Message {
  readonly tenant: string
  readonly timesAway: number
  /** When it came first. */
  readonly cameAt: number
}

const service = 'shop'
/** Of nats-server: schedules that are due fire together, no more often. */
const fireEveryMs = 250
const writeMs = 2
const settleMs = 3
const callMs = 8
/** Between two messages that are stored. */
const storeMs = 0.5

export async function simulate(given: Simulation): Promise<Simulated> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'] })
  try {
    const node = new SimulatedNode(given)
    node.start()
    await vi.advanceTimersByTimeAsync(given.seconds * 1_000)
    await node.close()
    return node
  } finally {
    vi.useRealTimers()
  }
}

class SimulatedNode implements Simulated {
  readonly calls = new Map<string, number[]>()
  readonly guestWaitsMs: number[] = []
  putOffs = 0
  readonly #given: Simulation
  readonly #limiters: readonly Limiter[]
  readonly #begunAt = performance.now()
  #guests: NodeJS.Timeout | undefined
  readonly #stopping = new AbortController()
  readonly #queue: Message[] = []
  #delayed: { readonly at: number; readonly message: Message }[] = []
  #firing: NodeJS.Timeout | null = null
  #held = 0
  #delivered = 0
  #random = 1

  constructor(given: Simulation) {
    this.#given = given
    setMaxListeners(0, this.#stopping.signal)
    const cells = memoryCells()
    cells.hold = () => pause(writeMs)
    this.#limiters = Array.from({ length: given.bridges }, (_, n) =>
      openLimiter({
        bridgeId: String(n),
        cells,
        now: () => performance.now() + epoch,
        bridges: () => given.bridges,
        tell: () => Promise.resolve(),
        poke: () => undefined,
        release: () => undefined,
        log: silentLog,
      }),
    )
    const declared = { name: service, limits: given.limits, maxInFlight: null, inFlightScope: 'global' as const }
    for (const limiter of this.#limiters) limiter.setService(service, declared)
  }

  start(): void {
    const all = Object.entries(this.#given.tenants).flatMap(([tenant, count]) => Array<string>(count).fill(tenant))
    for (const [index, tenant] of all.entries()) {
      setTimeout(() => this.#come(tenant), index * storeMs)
    }
    const { guestEveryMs } = this.#given
    if (guestEveryMs !== undefined) this.#guests = setInterval(() => this.#come('guest'), guestEveryMs)
  }

  async close(): Promise<void> {
    clearInterval(this.#guests)
    this.#stopping.abort()
    await Promise.all(this.#limiters.map((limiter) => limiter.close()))
  }

  #come(tenant: string): void {
    if (!this.calls.has(tenant)) this.calls.set(tenant, [])
    this.#put({ tenant, timesAway: 0, cameAt: performance.now() })
  }

  #put(message: Message): void {
    this.#queue.push(message)
    this.#deliver()
  }

  #deliver(): void {
    while (this.#held < this.#given.prefetch) {
      const message = this.#queue.shift()
      if (message === undefined) return
      this.#held++
      const limiter = this.#limiters[this.#delivered++ % this.#limiters.length]
      if (limiter !== undefined) void this.#hop(limiter, message, this.#queue.length).catch(() => undefined)
    }
  }

  async #hop(limiter: Limiter, message: Message, behind: number): Promise<void> {
    const { tenant: who, timesAway, cameAt } = message
    const { prefetch } = this.#given
    const call = { nodeId: 'n', service, who, cost: 1, mayLeave: true, timesAway, prefetch, behind }
    const leave = limiter.take(call) ?? (await limiter.wait(call, this.#stopping.signal))
    if (leave.kind === 'pass') {
      this.calls.get(who)?.push(performance.now() - this.#begunAt)
      if (who === 'guest') this.guestWaitsMs.push(performance.now() - cameAt)
      await pause(callMs)
      leave.end()
    } else {
      this.putOffs++
      const at = performance.now() + leave.delayMs
      await pause(settleMs)
      this.#delay({ at, message: { ...message, timesAway: timesAway + 1 } })
    }
    this.#held--
    this.#deliver()
  }

  #delay(delayed: { readonly at: number; readonly message: Message }): void {
    this.#delayed.push(delayed)
    this.#delayed.sort((a, b) => a.at - b.at)
    this.#fireLater()
  }

  #fireLater(): void {
    const [next] = this.#delayed
    if (this.#firing !== null || next === undefined) return
    const late = this.#next() * this.#given.lateMs
    this.#firing = setTimeout(() => this.#fire(), Math.max(fireEveryMs, next.at - performance.now()) + late)
  }

  #fire(): void {
    this.#firing = null
    const now = performance.now()
    const due = this.#delayed.filter(({ at }) => at <= now)
    this.#delayed = this.#delayed.slice(due.length)
    for (const { message } of due) this.#put(message)
    this.#fireLater()
  }

  /** From 0 to 1, the same each time that it is run. */
  #next(): number {
    this.#random = (this.#random * 48_271) % 2_147_483_647
    return this.#random / 2_147_483_647
  }
}

/** The limiter's clock is the server's, not that of a bridge. */
const epoch = 1_795_000_000_000

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
