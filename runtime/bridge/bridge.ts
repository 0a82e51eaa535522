import { setMaxListeners } from 'node:events'
import { hostname } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import { textOf } from '../errors.ts'
import { newId } from '../ids.ts'
import { heartbeatEveryMs, watchConfig } from '../queue/config.ts'
import type { ConfigChange } from '../queue/config.ts'
import type { Heartbeat, WorkerTrouble } from '../queue/control.ts'
import { openDeliveries } from '../queue/deliver/delivery.ts'
import { answerLooks } from '../queue/look/ask.ts'
import { openLeaseClock } from '../queue/deliver/lease.ts'
import type { LimitLook } from '../queue/limits/told.ts'
import { awayServices, openSharedLimiter } from './limits/shared.ts'
import type { Limiter } from '../limiter/limiter.ts'
import type { Queues } from '../queue/open.ts'
import { fingerprintOf } from '../secrets.ts'
import type { Log } from '../telemetry/log.ts'
import { openCancelled } from './cancelled.ts'
import type { Cancelled } from './cancelled.ts'
import { openDirectory } from './directory.ts'
import type { Directory } from './directory.ts'
import type { HealthChange } from './caller.ts'
import { openHighWater } from './high-water.ts'
import { lookAt } from './look/look.ts'
import { openMeters } from './look/meters.ts'
import type { NodeMeter } from './look/meters.ts'
import { openReading } from './paging/reading.ts'
import type { Reading } from './paging/reading.ts'
import { openTopologies } from './reconcile.ts'
import type { Topologies } from './reconcile.ts'
import { openYielding } from './yielding/yielding.ts'
import type { Yielding } from './yielding/yielding.ts'

export interface Bridge {
  readonly id: string
  /** Messages held at the moment. */
  readonly held: number
  /** True while it is connected and not stopping. */
  readonly ready: boolean
  /** Counters of the nodes that it serves. */
  meters(): Iterable<NodeMeter>
  /** Every instance of every worker that it knows. */
  instances(): Heartbeat['instances']
  /** Nodes whose breaker isn't closed. */
  breakers(): Heartbeat['nodes']
  /** Workers that it can't call. */
  troubles(): WorkerTrouble[]
  /** What it does with limits of services now, and what its calls counted as. */
  limits(): { readonly looks: readonly LimitLook[]; readonly used: ReadonlyMap<string, number> }
  /**
   * Stops pulling, gives back what waits, lets open calls finish for `graceMs`, then gives up on them (they are called again
   * elsewhere); twice is harmless.
   */
  close(): Promise<void>
}

export interface BridgeOptions {
  readonly queues: Queues
  /** Opens the secrets of workers; see secrets.ts. */
  readonly secretKey: string
  readonly graceMs: number
  /** Messages in a follower's queue above which replies for it are held back. */
  readonly highWater: number
  /** Of the engine, for its heartbeats. */
  readonly version?: string
  /** Told of every change of a breaker's state; must not throw. */
  readonly onHealth?: (change: HealthChange) => void
  readonly log: Log
}

/** How long a start waits for its plans. */
const bootMs = 10_000
/** A change of health is seen by others so soon, and not sooner, however many there are. */
const newsMs = 100

/**
 * The bridge moves messages between queues and workers. It holds no state that matters: plans, workers and pauses come from KV,
 * messages from JetStream; any number of bridges share the work.
 */
export async function openBridge(options: BridgeOptions): Promise<Bridge> {
  const { queues, secretKey, graceMs, log } = options
  const [id, startedAt] = [newId(), new Date().toISOString()]
  const [stopping, cutting] = [new AbortController(), new AbortController()]
  setMaxListeners(0, stopping.signal, cutting.signal)

  const beatSoon = atMostEvery(newsMs, () => void beat())
  const onHealth = (change: HealthChange): void => {
    tellHealth(queues, log, id, change)
    options.onHealth?.(change)
    beatSoon()
  }
  const [clock, highWater] = [openLeaseClock(queues.connection), openHighWater(queues.connection, options.highWater)]
  const limiter = await openSharedLimiter(id, queues, log, cutting.signal)
  const deliveries = openDeliveries({ ...queues, clock, log })
  const directory = openDirectory({ queues, limiter, secretKey, log, cut: cutting.signal, onHealth })
  const [cancelled, reading, meters] = [openCancelled(queues), openReading(queues), openMeters()]
  const around = { bridgeId: id, queues, directory }
  const yielding = openYielding({ ...around, topologies: () => topologies, onChange: beatSoon, log })
  const topologies = openTopologies({
    ...around,
    deliveries,
    meters,
    ports: { guard: queues.guard, publisher: queues.publisher, highWater, cancelled, reading, log },
    stop: { soon: stopping.signal, now: cutting.signal },
    takes: (worker) => yielding.takes(worker),
    onApplied: () => void beat(),
  })
  const heart = { id, startedAt, version: options.version, secretKey, queues, log }
  const beat = async (): Promise<void> => {
    if (!queues.connection.connected || stopping.signal.aborted) return
    await sendHeartbeat({ ...heart, topologies, directory, limiter, yielding })
  }

  const seen = { bridge: id, highWater: highWater.mark, meters }
  const stopAnswering = answerLooks(queues.connection, queues.config.bridgesName, (question) =>
    lookAt({ ...seen, queues: topologies.queues(), limits: () => limiter.look() }, question),
  )

  // Who changes lanes waits for all bridges that live (turnover.ts): one that may read an old plan now must be among them.
  await beat()
  const parts = { topologies, directory, limiter, cancelled, reading }
  await watchConfig({ ...queues, log }, (change) => applyChange(change, parts), stopping.signal)
  // One plan that can't be applied must not keep the others from flowing: it is tried again for ever.
  await Promise.race([topologies.settled(), wait(bootMs, undefined, { ref: false })])
  void beat()
  const timer = setInterval(() => void beat(), heartbeatEveryMs).unref()
  let closing: Promise<void> | null = null
  const close = async (): Promise<void> => {
    clearInterval(timer)
    stopping.abort()
    yielding.close()
    const cut = setTimeout(() => cutting.abort(), graceMs)
    await topologies.close()
    clearTimeout(cut)
    await directory.close()
    await limiter.close()
    stopAnswering()
    meters.close()
    deliveries.close()
    clock.close()
    if (queues.connection.connected) await queues.config.bridges.delete(id).catch(() => undefined)
  }
  return {
    id,
    get held() {
      return topologies.held()
    },
    get ready() {
      return !stopping.signal.aborted && queues.connection.connected
    },
    meters: () => meters.all(),
    instances: () => directory.instances(),
    breakers: () => directory.nodes(),
    troubles: () => yielding.troubles(),
    limits: () => ({ looks: limiter.look(), used: directory.used() }),
    close: () => (closing ??= close()),
  }
}

interface Parts {
  readonly topologies: Topologies
  readonly directory: Directory
  readonly limiter: Limiter
  readonly cancelled: Cancelled
  readonly reading: Reading
}

function applyChange(change: ConfigChange, { topologies, directory, limiter, cancelled, reading }: Parts): void {
  if (change.kind === 'plan') topologies.apply(change.topologyId, change.plan)
  if (change.kind === 'worker') directory.setWorker(change.name, change.worker)
  if (change.kind === 'cancelled') cancelled.set(change.topologyId, change.run, change.cancelled)
  if (change.kind === 'cursor') reading.set(change)
  if (change.kind === 'service') limiter.setService(change.name, change.limits)
  if (change.kind === 'limited') limiter.setLimited(change.id, change.limited)
  if (change.kind === 'paused') directory.setPaused('node', change.nodeId, change.reason)
  if (change.kind === 'pausedTopology') directory.setPaused('topology', change.topologyId, change.reason)
  if (change.kind !== 'current') return
  topologies.setCurrent(change.current)
  directory.setCurrent(change.current)
}

interface Beating extends Omit<Parts, 'cancelled' | 'reading'> {
  readonly id: string
  readonly startedAt: string
  readonly version: string | undefined
  readonly secretKey: string
  readonly yielding: Yielding
  readonly queues: Queues
  readonly log: Log
}

/** Never rejects: the next one comes soon. */
async function sendHeartbeat(beating: Beating): Promise<void> {
  const { id, startedAt, version, secretKey, queues, log, topologies, directory, limiter, yielding } = beating
  const heartbeat: Heartbeat = {
    id,
    host: hostname(),
    pid: process.pid,
    startedAt,
    secretKey: fingerprintOf(secretKey),
    rssBytes: process.memoryUsage.rss(),
    ...(version !== undefined && { version }),
    revisions: topologies.revisions(),
    sending: topologies.sending(),
    instances: directory.instances(),
    nodes: directory.nodes(),
    troubles: yielding.troubles(),
    limitsAway: awayServices(limiter.look()),
  }
  await queues.config.bridges
    .put(id, JSON.stringify(heartbeat))
    .catch((error: unknown) => log.debug('a heartbeat was lost', { error: textOf(error) }))
}

/**
 * Logs once when it opens and once when it closes, whatever is tried in between; those who watch hear as well that calls are
 * made again, but not of every time that it was tried in vain.
 */
function tellHealth({ events }: Queues, log: Log, bridge: string, change: HealthChange): void {
  const { kind, state, before, reason } = change
  const nodeId = kind === 'node' ? change.node : null
  const instance = kind === 'instance' ? { worker: change.worker, url: change.url } : null
  const who = instance ?? { node: nodeId }
  const whose = kind === 'node' ? 'calls of a node' : 'calls of an instance'
  if (before === 'closed') log.warn(`${whose} are held back until they work again`, { ...who, reason })
  if (state === 'closed') log.info(`${whose} are made again`, who)
  const isNews = state !== 'probing' && before !== 'probing'
  if (isNews || state === 'ramping') events.emit({ kind: 'breaker', bridge, nodeId, instance, state, reason })
}

/** Does it so long after the first of several callings, once for all of them. */
function atMostEvery(ms: number, work: () => void): () => void {
  let timer: NodeJS.Timeout | null = null
  return () => {
    timer ??= setTimeout(() => {
      timer = null
      work()
    }, ms).unref()
  }
}
