import { silentLog } from '../../runtime/telemetry/log.ts'
import { ensureQueues } from '../../runtime/queue/streams.ts'
import { streamName } from '../../runtime/queue/names.ts'
import { startBridge, startRecorder } from './actors.ts'
import type { Books } from './books.ts'
import { MemoryStream } from './jetstream.ts'
import { modelPlan, topologyId } from './plan.ts'
import { Process } from './process.ts'
import type { Effect, TestLease } from './process.ts'
import { counterNames, Truth } from './truth.ts'

export const pick = <T>(all: readonly T[], n: number): T | undefined =>
  all.length === 0 ? undefined : all[n % all.length]
/** Lets everything run that waits for nothing but promises. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const drainMax = 20_000

/**
 * Two bridges and two controls over one stream. Everything they do to it, to Postgres or to workers is an effect that waits until a
 * step lets it happen, gets lost, or kills the process before or after it.
 */
export class World {
  readonly stream = new MemoryStream(streamName(topologyId))
  readonly truth = new Truth()
  readonly books: Books
  /** Runs of which control has said that they are cancelled; bridges hear of it later. */
  readonly cancelling = new Set<string>()
  #bridges: Process[] = []
  #controls: Process[] = []
  readonly #leases = new Map<string, TestLease[]>()
  readonly #forgotten: Map<string, ReturnType<MemoryStream['consumerState']>>[] = []

  private constructor(books: Books) {
    this.books = books
    this.stream.onStored = this.truth.stored
  }

  static async open(books: Books): Promise<World> {
    const world = new World(books)
    const setup = new Process('setup', world.stream, false)
    await ensureQueues(setup.queues.connection, modelPlan, { replicas: 1, log: silentLog })
    await world.#replace('bridge', 0)
    await world.#replace('bridge', 1)
    await world.#replace('control', 0)
    await world.#replace('control', 1)
    return world
  }

  /** Everything is well from now on: all that can happen does, until nothing is left. */
  async drain(): Promise<void> {
    for (const process of this.processes) this.letGo(process)
    for (let left = drainMax; left > 0; left--) {
      if (!(await this.calm(left))) return
    }
    throw new Error(`the world does not come to rest: ${this.#restless()}`)
  }

  #restless(): string {
    const effects = this.enabled().map(({ process, kind, label }) => `${process.name}: ${kind} ${label}`)
    return [...effects, ...this.unacked().map(([consumer, seq]) => `${consumer} ${seq} is not acked`)].join('; ')
  }

  letGo(process: Process): void {
    process.stopped = false
    for (const effect of process.effects) effect.held = false
  }

  /** False when there is nothing left to happen. */
  async calm(n: number): Promise<boolean> {
    const effects = this.enabled()
    for (const effect of effects) if (effect.process.effects.includes(effect)) await this.happen(effect, 0)
    const delivered = this.deliver(n)
    await turn()
    if (delivered || effects.length > 0) return true
    const schedules = this.stream.schedules()
    for (const { seq } of schedules) this.stream.fire(seq)
    if (schedules.length > 0) return true
    const unacked = this.unacked()
    for (const [consumer, seq] of unacked) this.expire(consumer, seq)
    return unacked.length > 0
  }

  get processes(): Process[] {
    return [...this.#bridges, ...this.#controls]
  }

  get bridges(): readonly Process[] {
    return this.#bridges
  }

  get controls(): readonly Process[] {
    return this.#controls
  }

  /** What may happen next: of a process's publishes the one that was sent first. */
  enabled(): Effect[] {
    return this.processes.flatMap(({ effects, stopped }) => {
      if (stopped) return []
      const publish = effects.find(({ kind }) => kind === 'publish')
      return effects.filter(
        (effect) => !effect.held && effect.enabled() && (effect.kind !== 'publish' || effect === publish),
      )
    })
  }

  async happen(effect: Effect, choice: number): Promise<void> {
    const learn = await this.#perform(effect, choice)
    for (const one of learn) one()
    await turn()
  }

  /** It happens, and its process dies before it learns of it. */
  async happenUnheard(effect: Effect, choice: number): Promise<void> {
    await this.#perform(effect, choice)
  }

  async #perform(effect: Effect, choice: number): Promise<(() => void)[]> {
    // What was sent arrives long before the history window is over.
    const arrived: (() => void)[] = []
    if (effect.kind === 'purge') for (const one of this.#sent()) arrived.push(...(await this.#perform(one, 0)))
    const [what, seq] = effect.label.split(' ')
    if (effect.kind === 'purge') this.#checkGone((one) => (what === 'purge' ? one < Number(seq) : one === Number(seq)))
    remove(effect)
    const learn = await effect.happen(choice)
    if (effect.kind === 'store') await this.#checkBooks()
    return [...arrived, learn]
  }

  #sent(): Effect[] {
    return this.processes.flatMap(({ effects }) => effects.filter(({ kind }) => kind === 'publish'))
  }

  /** False when nobody can be given anything. */
  deliver(n: number): boolean {
    const bridge = pick(
      this.#bridges.filter(({ stopped }) => !stopped),
      n,
    )
    const names = [...this.stream.durables.keys()]
    return bridge !== undefined && names.some((_, i) => this.deliverTo(bridge, pick(names, (n >> 1) + i) ?? ''))
  }

  deliverTo(bridge: Process, consumer: string): boolean {
    const handed = this.stream.deliver(consumer)
    if (handed === null) return false
    const lease = bridge.hand(consumer, handed)
    const key = `${consumer} ${handed.message.seq}`
    if (lease) this.#leases.set(key, [...(this.#leases.get(key) ?? []), lease])
    return true
  }

  unacked(): [consumer: string, seq: number][] {
    return [...this.stream.durables.values()].flatMap(({ name, pending, again }) =>
      [...pending.keys()].filter((seq) => !again.has(seq)).map((seq): [string, number] => [name, seq]),
    )
  }

  /** The lease of whoever holds it ends, then somebody else shall have it. */
  expire(consumer: string, seq: number): void {
    for (const lease of this.#leases.get(`${consumer} ${seq}`) ?? []) lease.ok = false
    this.stream.again(consumer, seq)
  }

  async crash(process: Process): Promise<void> {
    process.kill()
    const bridge = this.#bridges.indexOf(process)
    await (bridge >= 0 ? this.#replace('bridge', bridge) : this.#replace('control', this.#controls.indexOf(process)))
  }

  /** All connections break; the server forgets what it knew of its consumers since some time ago. */
  async crashServer(n: number, choice: number): Promise<void> {
    for (const process of this.processes) await process.disconnect((index) => index < choice % 4)
    const states = this.#forgotten.at(-1 - (n % this.#forgotten.length))
    for (const [name, state] of states ?? []) this.stream.restore(name, state)
    await turn()
  }

  /** What a server that crashes later may fall back to. */
  remember(): void {
    this.#forgotten.push(
      new Map([...this.stream.durables.keys()].map((name) => [name, this.stream.consumerState(name)])),
    )
    if (this.#forgotten.length > 12) this.#forgotten.shift()
  }

  async #replace(kind: 'bridge' | 'control', index: number): Promise<void> {
    const process = new Process(`${kind} ${index}`, this.stream)
    if (kind === 'bridge') {
      this.#bridges[index] = process
      process.gated = false
      await startBridge(process, this.truth.scripts, this.cancelling)
      process.gated = true
    } else {
      this.#controls[index] = process
      void startRecorder(process, this.books)
    }
    await turn()
  }

  /** What goes is settled and written down: nobody waits for it. */
  #checkGone(isGoing: (seq: number) => boolean): void {
    const going = [...this.stream.messages.values()].filter(({ seq }) => isGoing(seq))
    for (const { seq, subject, headers } of going) {
      const isOutcome = ['ledger', 'trash', 'event'].includes(subject.split('.')[3] ?? '')
      const durable = [...this.stream.durables.values()].find(
        ({ filter }) => this.stream.next(seq, filter)?.seq === seq,
      )
      if (durable && (seq > durable.delivered || durable.pending.has(seq)))
        this.truth.broken.push(`${seq} is gone while ${durable.name} needs it`)
      if (isOutcome && seq > this.books.at) this.truth.broken.push(`${seq} is gone and not recorded`)
      if (headers.has('Nats-Schedule')) this.truth.broken.push(`${seq} is gone before it is due`)
    }
  }

  /** I6, at every position of the recorder. */
  async #checkBooks(): Promise<void> {
    for (const run of this.truth.runs()) {
      const booked = await this.books.run(run)
      const truth = this.truth.countersAt(run, this.books.at)
      for (const name of counterNames) {
        if (booked[name] === truth[name]) continue
        this.truth.broken.push(
          `${run} at ${this.books.at}: ${name} is recorded ${booked[name]}, in truth ${truth[name]}`,
        )
      }
      const [state, p] = [booked.state, truth.inProgress]
      if (state !== 'running' && p !== 0) this.truth.broken.push(`${run} is ${state} with ${p} on their way`)
    }
  }

  /** After `drain`: every law, as the facts that break it. */
  async violations(): Promise<string[]> {
    await this.#checkBooks()
    this.truth.checkOrder('list', 'order')
    this.truth.checkOrder('order', 'last')
    const lost = this.truth.open().map((what) => `${what} never came`)
    const end = this.truth.runs().map(async (run) => ({ run, ...(await this.books.run(run)) }))
    const running = (await Promise.all(end)).filter(({ state }) => state === 'running')
    return [...this.truth.broken, ...lost, ...running.map(({ run }) => `${run} never ends`)]
  }
}

export function remove(effect: Effect): void {
  const { effects } = effect.process
  const index = effects.indexOf(effect)
  if (index >= 0) effects.splice(index, 1)
}
