import { setMaxListeners } from 'node:events'
import { Stopped, textOf } from '../errors.ts'
import { prepareNode } from '../protocol/native.ts'
import { isStillPaused } from '../queue/config.ts'
import type { Deliveries, Delivery, Reader } from '../queue/deliver/delivery.ts'
import { inputQueues, replyConsumer, streamName } from '../queue/names.ts'
import type { Queues } from '../queue/open.ts'
import { ensureQueues } from '../queue/streams.ts'
import type { Log } from '../telemetry/log.ts'
import { isEventNode } from '../topology/plan.ts'
import type { Plan, PlanNode } from '../topology/plan.ts'
import type { Directory } from './directory.ts'
import { untilSettled } from './gate.ts'
import { eventHop, hop } from './hop.ts'
import { openLanes } from './lanes/lanes.ts'
import type { Lanes } from './lanes/lanes.ts'
import { openOrders } from './lanes/order.ts'
import type { Orders } from './lanes/order.ts'
import { repliesOf } from './lanes/replies.ts'
import { openTurnover } from './lanes/turnover.ts'
import type { Turnover } from './lanes/turnover.ts'
import { openChanges } from './plans/changes.ts'
import type { HeldQueue } from './look/look.ts'
import type { Meters } from './look/meters.ts'
import type { EventSite, Ports, Stop, WorkerSite } from './site.ts'
import { split } from './split.ts'

/** The topologies that this bridge runs: brought in line with each plan that comes, one change of a topology after the other. */
export interface Topologies {
  /** Null: the topology is stopped; its messages stay queued. */
  apply(topologyId: string, plan: Plan | null): void
  /** False while plans may be missed: what is delivered then may go by other lanes than its plan knows, and waits. */
  setCurrent(current: boolean): void
  /** Whether messages for this worker are taken has changed; see `takes`. */
  takeAnew(worker: string): void
  /** Whether a node that runs here calls the worker. */
  calls(worker: string): boolean
  /** Resolves when every change so far is applied. */
  settled(): Promise<void>
  revisions(): Record<string, number>
  /** By whose lanes messages are sent here; see turnover.ts. */
  sending(): Record<string, number>
  held(): number
  /** The queues that are read here. */
  queues(): Iterable<HeldQueue>
  close(): Promise<void>
}

interface TopologiesDeps {
  readonly bridgeId: string
  readonly queues: Queues
  readonly deliveries: Deliveries
  readonly directory: Directory
  readonly meters: Meters
  readonly ports: Ports
  readonly stop: Stop
  /** Whether messages for this worker are taken. */
  readonly takes: (worker: string) => boolean
  /** Something changed that other processes look for in a heartbeat. */
  readonly onApplied: () => void
}

/** What of a topology runs here: the plan in force, and a reader for each queue by the name of its consumer. */
interface Running {
  plan: Plan
  /** Revision of which every queue is read here; 0 before the first. */
  applied: number
  sites: ReadonlyMap<string, EventSite | WorkerSite>
  readonly lanes: Lanes
  readonly orders: Orders
  readonly turnover: Turnover
  readonly readers: Map<string, OpenReader>
  /** Readers of all topologies that are closed, but still hold something. */
  readonly draining: Set<Promise<void>>
  readonly log: Log
}

interface OpenReader {
  readonly nodeId: string
  readonly isReplies: boolean
  readonly reader: Reader
  /** Aborts when this reader is closed while the bridge goes on. */
  readonly closing: AbortController
}

interface ReconcileDeps extends TopologiesDeps {
  readonly draining: Set<Promise<void>>
  /** Null while the topology's plan is the newest; otherwise what resolves when that has been read and applied. */
  readonly whenCurrent: (topologyId: string) => Promise<void> | null
}

export function openTopologies(options: TopologiesDeps): Topologies {
  const running = new Map<string, Running>()
  const draining = new Set<Promise<void>>()
  let renewing: Renewing | null = null
  const whenCurrent = (topologyId: string): Promise<void> | null =>
    renewing === null ? null : renewing.done.then(() => changes.settledOf(topologyId))
  const deps = { ...options, draining, whenCurrent }

  const apply = async (topologyId: string, plan: Plan | null): Promise<void> => {
    const before = running.get(topologyId)
    if (plan === null) {
      running.delete(topologyId)
      deps.meters.keep(topologyId, null)
      if (before !== undefined) {
        closeRunning(before)
        forgetNodes(deps, before.plan, null)
      }
    } else if (before !== undefined && before.applied >= plan.revision) {
      await readQueues(deps, before)
    } else {
      // A plan that can't be applied must not keep the queues of the one before from being read, or left to others.
      if (before !== undefined) await readQueues(deps, before).catch(() => undefined)
      await bringInLine(deps, running, plan)
    }
    deps.onApplied()
  }
  const changes = openChanges(apply, { connection: options.queues.connection, log: options.ports.log })
  return {
    apply: (topologyId, plan) => changes.put(topologyId, plan),
    setCurrent(current) {
      if (!current) renewing ??= beginRenewing()
      else if (renewing !== null) {
        renewing.end()
        renewing = null
      }
    },
    takeAnew(worker) {
      for (const [topologyId, { plan }] of running) if (callsWorker(plan, worker)) changes.again(topologyId)
    },
    calls: (worker) => [...running.values()].some(({ plan }) => callsWorker(plan, worker)),
    settled: () => changes.settled(),
    revisions: () => Object.fromEntries([...running].map(([id, { applied }]) => [id, applied])),
    sending: () => Object.fromEntries([...running].map(([id, { turnover }]) => [id, turnover.revision])),
    held: () =>
      [...running.values()].reduce(
        (sum, { readers }) => sum + [...readers.values()].reduce((held, { reader }) => held + reader.held, 0),
        0,
      ),
    queues: () => queuesOf(running),
    async close() {
      await changes.close()
      for (const one of running.values()) closeRunning(one)
      await Promise.all(draining)
    },
  }
}

function* queuesOf(all: ReadonlyMap<string, Running>): Generator<HeldQueue> {
  for (const [topologyId, { readers }] of all)
    for (const { nodeId, isReplies, reader } of readers.values())
      yield { topologyId, nodeId, isReplies, held: reader.holdings() }
}

/** From when changes may be missed until all were read anew. */
interface Renewing {
  readonly done: Promise<void>
  end(): void
}

function beginRenewing(): Renewing {
  let end = (): void => undefined
  const done = new Promise<void>((resolve) => (end = resolve))
  return { done, end: () => end() }
}

/** Readers that stay go on undisturbed: they look up their site at each delivery, and prefetch is changed at the consumer. */
async function bringInLine(deps: ReconcileDeps, all: Map<string, Running>, plan: Plan): Promise<void> {
  await ensureIn(deps, plan)
  const running = all.get(plan.topologyId) ?? newRunning(deps, plan)
  // First of all: a plan that this version doesn't understand must not be in force by half.
  const sites = new Map(plan.nodes.map((node) => [node.id, siteOf(deps, running, plan, node)]))
  const before = running.plan
  running.plan = plan
  running.turnover.apply(plan)
  running.sites = sites
  all.set(plan.topologyId, running)
  deps.meters.keep(plan.topologyId, plan)
  const evicted = new Set(plan.nodes.filter(({ leaving }) => leaving === 'trash').map(({ id }) => id))
  deps.ports.cancelled.evict(evicted)
  await readQueues(deps, running)
  forgetNodes(deps, before, plan)
  running.applied = plan.revision
  deps.ports.log.info('a plan is in force', { topology: plan.name, revision: plan.revision, nodes: plan.nodes.length })
}

function ensureIn({ queues, ports }: ReconcileDeps, plan: Plan): Promise<void> {
  return ensureQueues(queues.connection, plan, { replicas: queues.replicas, log: ports.log })
}

function newRunning({ queues, directory, bridgeId, draining, onApplied, ports }: ReconcileDeps, plan: Plan): Running {
  const lanes = openLanes()
  // Once its own gate is told, that knows.
  const isPausedUnseen = async (nodeId: string): Promise<boolean> =>
    directory.gateOf(plan.topologyId, nodeId).open && (await isStillPaused(queues, nodeId))
  return {
    plan,
    applied: 0,
    sites: new Map(),
    lanes,
    orders: openOrders(queues.connection, isPausedUnseen),
    turnover: openTurnover({ lanes, queues, bridgeId, onTurned: onApplied }),
    readers: new Map(),
    draining,
    log: ports.log,
  }
}

function closeRunning(running: Running): void {
  running.turnover.close()
  closeReaders(running, () => true)
}

/** What is kept of each node goes with it; those who wait there were sent away when its readers were closed. */
function forgetNodes({ directory, ports }: TopologiesDeps, before: Plan, now: Plan | null): void {
  const stay = new Set(now?.nodes.map(({ id }) => id))
  for (const { id } of before.nodes) {
    if (stay.has(id)) continue
    directory.forgetNode(id)
    ports.highWater.forget(id)
  }
}

/** Reads what the plan in force has and this bridge takes, and nothing else; idempotent. */
async function readQueues(deps: ReconcileDeps, running: Running): Promise<void> {
  const { plan } = running
  const wanted = new Set(plan.nodes.flatMap((node) => [...inputConsumers(deps, plan, node), replyConsumer(node.id)]))
  closeReaders(running, (consumer) => !wanted.has(consumer))
  await Promise.all(plan.nodes.map((node) => openReaders(deps, running, node)))
}

const callsWorker = ({ nodes }: Plan, worker: string): boolean =>
  nodes.some((node) => !isEventNode(node) && node.worker === worker)

/** None while the node's messages are left to other bridges; what it replied is split here all the same. */
function inputConsumers({ takes }: ReconcileDeps, { topologyId }: Plan, node: PlanNode): string[] {
  if (!isEventNode(node) && !takes(node.worker)) return []
  return inputQueues(topologyId, node).map(({ consumer }) => consumer)
}

/** Pulls no more; what is held goes on to its end, however long its call takes, without holding up the next plan. */
function closeReaders({ readers, draining, log }: Running, isUnwanted: (consumer: string) => boolean): void {
  for (const [consumer, { reader, closing }] of readers) {
    if (!isUnwanted(consumer)) continue
    readers.delete(consumer)
    closing.abort()
    const drained = reader
      .close()
      .catch((error: unknown) => log.warn('a reader did not close well', { consumer, error: textOf(error) }))
      .finally(() => draining.delete(drained))
    draining.add(drained)
  }
}

async function openReaders(deps: ReconcileDeps, running: Running, node: PlanNode): Promise<void> {
  const { deliveries, ports, stop } = deps
  const topologyId = running.plan.topologyId
  const restore = (): Promise<void> => ensureIn(deps, running.plan)
  const open = async (consumer: string, handle: (delivery: Delivery, stop: Stop) => Promise<void>): Promise<void> => {
    if (running.readers.has(consumer)) return
    const closing = new AbortController()
    setMaxListeners(0, closing.signal)
    const own: Stop = { soon: closing.signal, now: stop.now }
    const queue = { stream: streamName(topologyId), consumer, restore }
    const reader = await deliveries.read(queue, (delivery) => {
      const current = deps.whenCurrent(topologyId)
      return current === null
        ? handle(delivery, own)
        : untilSettled(current, own.soon).then(() => handle(delivery, own))
    })
    running.readers.set(consumer, { nodeId: node.id, isReplies: consumer === replyConsumer(node.id), reader, closing })
  }
  const splitSite = { topologyId, nodeId: node.id, lanes: running.lanes }
  await Promise.all([
    ...inputConsumers(deps, running.plan, node).map((consumer) =>
      open(consumer, (delivery, own) => handleInput(running, node.id, delivery, own)),
    ),
    open(replyConsumer(node.id), (delivery, own) => split(delivery, splitSite, ports, own)),
  ])
}

async function handleInput(running: Running, nodeId: string, delivery: Delivery, stop: Stop): Promise<void> {
  const site = running.sites.get(nodeId)
  if (site?.kind === 'event') return eventHop(delivery, () => siteIn(running, nodeId, 'event'), stop)
  return hop(delivery, () => siteIn(running, nodeId, 'worker'), stop)
}

type Site = EventSite | WorkerSite

/** Throws `Stopped` for a node that isn't in the plan any more: the message is given back and stays in its queue. */
function siteIn<K extends Site['kind']>({ sites }: Running, nodeId: string, kind: K): Extract<Site, { kind: K }> {
  const site = sites.get(nodeId)
  if (site?.kind === kind) return site as Extract<Site, { kind: K }>
  throw new Stopped(`node ${nodeId} is not in the plan any more`)
}

function siteOf(
  { queues, bridgeId, directory, meters, ports }: TopologiesDeps,
  running: Running,
  plan: Plan,
  node: PlanNode,
): EventSite | WorkerSite {
  const { lanes, orders } = running
  const gate = directory.gateOf(plan.topologyId, node.id)
  const meter = meters.of(plan, node.id)
  const replies = repliesOf({ queues, bridgeId }, plan, node)
  if (isEventNode(node)) return { kind: 'event', plan, node, lanes, replies, gate, meter, ports }
  const prepared = prepareNode(plan, node)
  return {
    kind: 'worker',
    plan,
    prepared,
    lanes,
    replies,
    ports,
    gate,
    meter,
    order: orders.orderOf(plan, node),
    caller: directory.callerOf(prepared, () => gate.open && running.plan === plan),
    pause: (reason) => directory.pause(node.id, reason),
  }
}
