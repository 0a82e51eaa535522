import { Pool } from 'undici'
import type { buildConnector } from 'undici'
import type { Log } from '../telemetry/log.ts'
import type { WorkerAddress } from '../topology/plan.ts'
import { addressKey, hasNames, openAddresses } from './addresses.ts'
import type { Address } from './addresses.ts'
import { Connections } from './ahead.ts'
import { Circuit } from './breaker/circuit.ts'
import type { Change, Health } from './breaker/circuit.ts'
import { Line } from './breaker/line.ts'
import { patienceMs } from './breaker/node-breaker.ts'
import { askHealth } from './breaker/probe.ts'
import { nothing, weighForInstance } from './breaker/weigh.ts'
import { outlookOf } from './reach.ts'
import type { Outlook, Reach } from './reach.ts'
import type { CallResult } from './verdict.ts'

/** One address of a worker. */
export interface Instance {
  readonly url: string
  readonly pool: Pool
  /** Path of the URL, before the path of a node; without a slash at the end. */
  readonly basePath: string
}

export interface InstanceHealth extends Health {
  readonly url: string
  /** Calls that are open. */
  readonly inFlight: number
}

/**
 * The instances of one worker. A call goes to the least busy one whose breaker lets it.
 *
 * A *suspect* is a message that was on the worker when it died, twice in a row: it is called alone, so that nobody else is hit
 * if it is the culprit. One suspect at a time has an instance to itself: no other call is begun there until it is answered,
 * and it is called when those that are open have ended. In between, those that have waited meanwhile get their turn.
 */
export interface Instances {
  /** No address is known: there is nothing to wait for. */
  readonly isEmpty: boolean
  /** A slot if there is one at once. */
  take(isSuspect: boolean): Slot | null
  /** A slot when it is one's turn; null after 5 s: look again. Rejects with `Stopped` when the signal aborts. */
  turn(isSuspect: boolean, signal: AbortSignal): Promise<Slot | null>
  /** The call of the message with this id is over. Null: there was none, or we gave it up: nobody is to blame. */
  done(slot: Slot, result: CallResult | null, message: string): void
  /** A call will be made in a moment: connections are opened for it where that takes long, and the instance takes calls. */
  expect(): void
  states(): InstanceHealth[]
  outlook(): Outlook
  /** How well it can be called now; null: not at all. An instance is asked for its health (2 s) unless it answered a call lately. */
  reach(): Promise<Reach | null>
  close(): Promise<void>
}

export interface InstancesDeps {
  readonly log: Log
  readonly onChange: (url: string, change: Change) => void
}

const resolveEveryMs = 10_000
/** An answer so old still shows that calls get through; less than a bridge in trouble waits before it asks the others. */
const latelyMs = 1_500
/** So many instances are asked for their health at once, at most. */
const askedMax = 3

/** Resolves the worker's names first; a name that can't be resolved has no instance until it can. */
export async function openInstances(worker: WorkerAddress, deps: InstancesDeps): Promise<Instances> {
  const addresses = openAddresses(worker.urls, deps.log)
  const crew = new Crew(deps)
  crew.replace(await addresses())
  if (hasNames(worker.urls))
    crew.refresh(setInterval(() => void addresses().then((found) => crew.replace(found)), resolveEveryMs))
  return crew
}

/** An instance and what is known of it. */
interface Member extends Instance {
  readonly key: string
  readonly circuit: Circuit
  readonly connections: Connections
  inFlight: number
  /** performance.now() */
  answeredAt: number
}

/** The right to make one call of an instance, to be given back with `done`. */
export class Slot {
  readonly instance: Member
  readonly epoch: number
  /** performance.now() */
  readonly begunAt = performance.now()

  constructor(member: Member) {
    this.instance = member
    this.epoch = member.circuit.begin()
    member.inFlight++
  }
}

/**
 * States of a suspect: waiting in line → first of the line, with a member reserved for it → alone at that member → done.
 */
class Crew implements Instances {
  readonly #deps: InstancesDeps
  readonly #line = new Line<Slot>()
  readonly #suspects = new Line<Slot>()
  #members: readonly Member[] = []
  /** Nobody but a suspect may begin a call there. */
  #reserved: Member | null = null
  #alone: Slot | null = null
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(deps: InstancesDeps) {
    this.#deps = deps
  }

  get isEmpty(): boolean {
    return this.#members.length === 0
  }

  take(isSuspect: boolean): Slot | null {
    if (!isSuspect) return this.#give()
    const turn = this.#suspects.length === 0 ? this.#giveAlone() : null
    this.#dropReservation()
    return turn
  }

  async turn(isSuspect: boolean, signal: AbortSignal): Promise<Slot | null> {
    if (!isSuspect) return this.#line.join(patienceMs, signal)
    // With a member reserved it only waits for calls to end.
    const turn = this.#suspects.join(patienceMs, signal, () => this.#reserved === null)
    try {
      this.#serve()
      return await turn
    } finally {
      // Who has left without a turn may have had a member reserved.
      this.#serve()
    }
  }

  done(slot: Slot, result: CallResult | null, message: string): void {
    const { instance, epoch, begunAt } = slot
    const showing = result === null ? nothing : weighForInstance(result, instance.answeredAt > begunAt)
    const now = performance.now()
    if (showing.kind === 'good') instance.answeredAt = now
    instance.inFlight--
    if (result !== null) instance.connections.called()
    if (this.#alone === slot) {
      this.#alone = null
      this.#reserved = null
    }
    instance.circuit.end(epoch, showing, message, now)
    if (this.#isWanted) this.#serve()
  }

  expect(): void {
    for (const { circuit, connections } of this.#members) if (!circuit.isOpen) connections.expect()
  }

  states(): InstanceHealth[] {
    return this.#members.map(({ url, circuit, inFlight }) => ({ url, ...circuit.health, inFlight }))
  }

  outlook(): Outlook {
    return outlookOf(this.#members.map(({ circuit }) => circuit.outlook))
  }

  async reach(): Promise<Reach | null> {
    const called = this.#members.filter(({ circuit }) => circuit.outlook.kind === 'can')
    if (called.some(({ answeredAt }) => performance.now() - answeredAt < latelyMs)) return 'called'
    const asked = called.slice(0, askedMax).map(({ pool, basePath }) => askHealth(pool, `${basePath}/healthz`))
    const shown = (await Promise.all(asked)).map(({ kind }) => kind)
    if (shown.includes('good')) return 'healthy'
    return shown.includes('absent') ? 'answers' : null
  }

  refresh(timer: NodeJS.Timeout): void {
    this.#timer = timer.unref()
  }

  replace(addresses: readonly Address[]): void {
    if (this.#isClosed) return
    const known = new Map(this.#members.map((member) => [member.key, member]))
    const members = addresses.map((address) => known.get(addressKey(address)) ?? this.#newMember(address))
    for (const gone of this.#members) if (!members.includes(gone)) void closeMember(gone)
    this.#members = members
    this.#serve()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#timer)
    const members = this.#members
    this.#members = []
    this.#line.dismiss()
    this.#suspects.dismiss()
    await Promise.all(members.map(closeMember))
  }

  get #isWanted(): boolean {
    return this.#line.length > 0 || this.#suspects.length > 0
  }

  /** Those who stood behind a suspect go first, or suspects would keep all others away. */
  #serve(): void {
    this.#dropReservation()
    if (this.#line.length > 0) this.#line.serve(() => this.#give())
    if (this.#suspects.length > 0) this.#suspects.serve(() => this.#giveAlone())
    this.#dropReservation()
  }

  #give(): Slot | null {
    const member = this.#leastBusy()
    return member === null ? null : new Slot(member)
  }

  #giveAlone(): Slot | null {
    if (this.#alone !== null) return null
    const member = this.#reserve()
    if (member === null || member.inFlight > 0 || !member.circuit.admits) return null
    return (this.#alone = new Slot(member))
  }

  #reserve(): Member | null {
    const known = this.#reserved
    if (known !== null && !known.circuit.isOpen && this.#members.includes(known)) return known
    this.#reserved = null
    return (this.#reserved = this.#leastBusy())
  }

  #dropReservation(): void {
    if (this.#alone === null && this.#suspects.length === 0) this.#reserved = null
  }

  #leastBusy(): Member | null {
    let best: Member | null = null
    for (const member of this.#members) {
      if (member === this.#reserved || !member.circuit.admits) continue
      if (best === null || member.inFlight < best.inFlight) best = member
    }
    return best
  }

  #newMember(address: Address): Member {
    const { origin, pathname } = new URL(address.url)
    const url = address.ip === null ? address.url : `${address.url} (${address.ip})`
    const connections = new Connections(connectOf(address))
    const pool = openPool(origin, connections)
    const basePath = pathname.replace(/\/$/, '')
    const circuit = new Circuit({
      askHealth: () => askHealth(pool, `${basePath}/healthz`),
      isWanted: () => this.#isWanted,
      onRoom: () => this.#serve(),
      onChange: (change) => this.#deps.onChange(url, change),
    })
    return { key: addressKey(address), url, pool, basePath, circuit, connections, inFlight: 0, answeredAt: -Infinity }
  }
}

function openPool(origin: string, { connect }: Connections): Pool {
  return new Pool(origin, {
    // A pipelined request could be lost behind another one's failure; the number of connections is bounded by prefetch.
    pipelining: 1,
    connections: null,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 4_000,
    connect,
  })
}

function connectOf({ ip, family }: Address): buildConnector.BuildOptions {
  return {
    timeout: 5_000,
    ...(ip === null ? {} : { lookup: (_host, _options, done) => done(null, [{ address: ip, family }]) }),
  }
}

function closeMember({ circuit, pool, connections }: Member): Promise<void> {
  circuit.close()
  connections.close()
  return pool.close()
}
