import { setTimeout as wait } from 'node:timers/promises'
import type { Plan, WorkerAddress } from '../topology/plan.ts'
import { untried } from '../protocol/message.ts'
import { Unavailable, textOf } from '../errors.ts'
import type { Log } from '../telemetry/log.ts'
import {
  cancelledIn,
  cancelledKey,
  discardsIn,
  isStillCancelled,
  liveBridges,
  openConfig,
  pausedKey,
  pausedNodes,
  pausedTopologyKey,
  planKey,
  putDiscard,
  toldNow,
  workerKey,
} from './config.ts'
import type { Config } from './config.ts'
import { connectQueues, untilReady } from './connection.ts'
import type { Connection } from './connection.ts'
import { explainCopies } from './look/copies.ts'
import type { ControlQueues, Guarded, Looks, StartMessage } from './control.ts'
import { editsTold, forgetEdit, putEdit } from './delta/edits.ts'
import { forgetWatermarks, hasNoWatermarks, putWatermark } from './delta/watermarks.ts'
import { encodeEnvelope, envelopeHeader } from './envelope.ts'
import { changeEntry, lastEntry } from './entries.ts'
import { openEvents } from './events.ts'
import { openFailures, openHookChanges } from './tell/tell.ts'
import type { Telling } from './tell/tell.ts'
import type { Events } from './events.ts'
import { openUploads, startOrigin } from './intake/uploads.ts'
import { publishDiscard, publishReplay } from './publish/trash.ts'
import { openGuard } from './publish/guard.ts'
import type { Guard } from './publish/guard.ts'
import { lastOutcome, outcomeAfter } from './ledger.ts'
import { eventTail, streamName } from './names.ts'
import { decidedOf } from './history/decided.ts'
import { openHistory } from './history/history.ts'
import { destroyUnmoved, lastSequenceOf } from './publish/closing.ts'
import { serviceKey } from './limits/told.ts'
import { openLimitQueues } from './limits/limits.ts'
import type { LimitQueues } from './limits/limits.ts'
import { openPublisher } from './publish/publisher.ts'
import type { Publisher } from './publish/publisher.ts'
import { settledGenerations } from './lanes/retire.ts'
import { askBridges } from './look/ask.ts'
import type { Question } from './look/ask.ts'
import { delayedInto, delaysOf, hasten } from './look/later.ts'
import { messageOf, peekAt, tailOf } from './look/peek.ts'
import { deleteConsumers, openReadings } from './look/readings.ts'
import { openIntakeMemory } from './intake/memory.ts'
import { backlogOf, depthsOf, ensureQueues, marksOf, orNull, storageOf } from './streams.ts'

/** Everything JetStream of one process: one connection, shared by whatever the process does. */
export interface Queues {
  readonly connection: Connection
  readonly publisher: Publisher
  readonly guard: Guard
  readonly config: Config
  readonly events: Events
  /** What controls tell each other of wrong tokens. */
  readonly failures: Telling
  readonly limits: LimitQueues
  readonly replicas: number
  readonly control: ControlQueues
  /** Closes in reverse order of opening; twice is harmless. */
  close(): Promise<void>
}

export interface QueueOptions {
  readonly url: string
  /** Shown by the NATS server for this connection. */
  readonly name: string
  /** Prefix of the KV buckets: several engines can share one NATS server. */
  readonly namespace: string
  /** Copies of each stream on a cluster: 1, 3 or 5. */
  readonly replicas: number
  readonly log: Log
  /** Who opens them doesn't want them any more: then this rejects at once, also while NATS doesn't answer. */
  readonly signal?: AbortSignal
}

/** @throws Unavailable, Invalid as connectQueues does; the signal's reason when it aborts */
export function openQueues(options: QueueOptions): Promise<Queues> {
  const opening = openAll(options)
  const { signal } = options
  if (signal === undefined) return opening
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      // What is being opened can't be hurried: it is closed when it is there.
      opening.then((queues) => queues.close()).catch(() => undefined)
      reject(signal.reason as Error)
    }
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    opening.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

async function openAll(options: QueueOptions): Promise<Queues> {
  const connection = await connectQueues(options)
  const { config, events } = await openBuckets(connection, options).catch(async (error: unknown) => {
    await connection.close()
    throw error
  })
  const publisher = openPublisher(connection)
  const guard = openGuard(connection, publisher, options.log, options.replicas)
  const limits = openLimitQueues(connection, config, options.log)
  return {
    connection,
    publisher,
    guard,
    config,
    events,
    failures: openFailures(connection, options.namespace),
    limits,
    replicas: options.replicas,
    control: controlOf({ ...options, connection, publisher, config, guard, events, limits }),
    async close() {
      publisher.close()
      limits.close()
      await connection.close()
    },
  }
}

async function openBuckets(
  connection: Connection,
  { namespace, signal, ...copies }: QueueOptions,
): Promise<{ config: Config; events: Events }> {
  const explain = explainCopies(copies.replicas)
  const config = await untilReady(() => openConfig(connection, namespace, copies), { signal }).catch(explain)
  const events = await untilReady(() => openEvents(connection, namespace, copies), { signal }).catch(explain)
  return { config, events }
}

interface ControlDeps {
  readonly connection: Connection
  readonly publisher: Publisher
  readonly config: Config
  readonly guard: Guard
  readonly events: Events
  readonly limits: LimitQueues
  readonly namespace: string
  readonly replicas: number
  readonly log: Log
}

function controlOf(deps: ControlDeps): ControlQueues {
  const { connection, config, guard, events, limits } = deps
  const readings = openReadings(connection)
  const memory = openIntakeMemory(connection, deps.namespace, deps)
  const reach = <T>(work: () => Promise<T>): Promise<T> => reachOver(connection, work)
  return {
    ensure: (plan) => reach(() => ensureOnCluster(deps, plan)),
    async putPlan(plan) {
      await put(deps, planKey(plan.topologyId), plan)
      events.emit({ kind: 'plan', topologyId: plan.topologyId, revision: plan.revision })
    },
    async stopPlan(topologyId) {
      await remove(deps, planKey(topologyId))
      events.emit({ kind: 'plan', topologyId, revision: null })
    },
    async putWorker(worker) {
      await reach(() => putNewest(deps, worker))
      events.emit({ kind: 'worker', name: worker.name, removed: false })
    },
    async removeWorker(name) {
      await remove(deps, workerKey(name))
      events.emit({ kind: 'worker', name, removed: true })
    },
    bridges: () => reach(() => liveBridges(deps)),
    awaitApplied: (topologyId, revision, timeoutMs) => reach(() => awaitApplied(deps, topologyId, revision, timeoutMs)),
    hookChanges: openHookChanges(connection, deps.namespace),
    start: (start) => publishStart(guard, start),
    isStarted: (topologyId, nodeId, key) =>
      reach(() => guard.isStored(topologyId, startOrigin(topologyId, nodeId, key), AbortSignal.timeout(askMs))),
    noteDelivery: (id) => reach(() => memory.note(id)),
    uploads: openUploads(guard),
    replay: (replay) => publishReplay(guard, replay),
    discard: (discard) => publishDiscard(guard, discard),
    decided: (...row) => reach(() => decidedOf(connection, ...row)),
    cancelling: (topologyId) => reach(() => cancelledIn(deps, topologyId)),
    cancel: (topologyId, run) => put(deps, cancelledKey(topologyId, run), new Date().toISOString()),
    discardAll: (topologyId, afterwards) => reach(() => putDiscard(deps, topologyId, afterwards)),
    discards: () => reach(() => discardsIn(deps)),
    outcomeAfter: (...place) => reach(() => outcomeAfter(connection, ...place)),
    lastOutcome: (topologyId) => reach(() => lastOutcome(connection, topologyId)),
    endCancel: (topologyId, run) => remove(deps, cancelledKey(topologyId, run)),
    isCancelling: (topologyId, run) => reach(() => isStillCancelled(deps, topologyId, run)),
    backlog: (topologyId) => reach(() => backlogOf(connection, topologyId)),
    storage: () => reach(() => storageOf(connection)),
    readings: (...wanted) => reach(() => readings(...wanted)),
    delayed: (topologyId) => reach(async () => new Set((await delayedInto(connection, topologyId)).keys())),
    hasten: (topologyId, nodeIds) =>
      reach(async () => void (await hasten(deps, topologyId, ({ nodeId }) => nodeId !== null && nodeIds.has(nodeId)))),
    deleteConsumers: (topologyId, names) => reach(() => deleteConsumers(connection, topologyId, names)),
    depths: (plan: Plan) => reach(() => depthsOf(connection, plan)),
    marks: () => reach(() => marksOf(connection)),
    look: (question) => reach(() => look(deps, question)),
    delays: (topologyId) => reach(() => delaysOf(connection, topologyId)),
    peek: (...wanted) => reach(() => peekAt(deps, ...wanted)),
    tail: (...wanted) => reach(() => tailOf(connection, ...wanted)),
    message: (...wanted) => reach(() => messageOf(connection, ...wanted)),
    settledGenerations: (plan, node) => reach(() => settledGenerations(connection, plan, node)),
    async setPaused(nodeId, reason) {
      await setReason(deps, pausedKey(nodeId), reason)
      events.emit({ kind: 'pause', nodeId, reason })
    },
    async setTopologyPaused(topologyId, reason) {
      const known = await reach(() => lastEntry(connection, config.name, pausedTopologyKey(topologyId)))
      if ((known?.json<string>() ?? null) === reason) return
      await setReason(deps, pausedTopologyKey(topologyId), reason)
      events.emit({ kind: 'pause', topologyId, reason })
    },
    paused: () => reach(() => pausedNodes(deps)),
    told: () => reach(() => toldNow(deps)),
    putService: (limits) => put(deps, serviceKey(limits.name), limits),
    removeService: (name) => remove(deps, serviceKey(name)),
    ...limitsOf(limits, reach),
    ...deltaOf(deps, reach),
    history: openHistory(deps, reach),
    status: () => reach(() => brokerStatus(connection, deps.replicas)),
    ...deletionOf(deps, reach),
  }
}

type Reach = <T>(work: () => Promise<T>) => Promise<T>

type Limiting = 'limited' | 'liftLimited' | 'forgetLimited' | 'cell'

function limitsOf(limits: LimitQueues, reach: Reach): Pick<ControlQueues, Limiting> {
  return {
    limited: () => reach(() => limits.limited()),
    liftLimited: (isMeant) => reach(() => limits.lift(isMeant)),
    forgetLimited: (before) => reach(() => limits.forget(before)),
    cell: (id) => reach(() => limits.cells.read(id)),
  }
}

type Delta = 'putWatermark' | 'hasNoWatermarks' | 'putEdit' | 'edits' | 'forgetEdit'

/** What bridges are told of watermarks and edited cursors. */
function deltaOf(deps: ControlDeps, reach: Reach): Pick<ControlQueues, Delta> {
  return {
    putWatermark: (...told) => reach(() => putWatermark(deps, ...told)),
    hasNoWatermarks: () => reach(() => hasNoWatermarks(deps)),
    putEdit: (...told) => reach(() => putEdit(deps, ...told)),
    edits: () => reach(() => editsTold(deps)),
    forgetEdit: (edit) => reach(() => forgetEdit(deps, edit)),
  }
}

type Deletion = 'lastSequence' | 'destroyUnmoved' | 'destroy'

function deletionOf(deps: ControlDeps, reach: Reach): Pick<ControlQueues, Deletion> {
  const { connection } = deps
  return {
    lastSequence: (topologyId) => reach(() => lastSequenceOf(connection, topologyId)),
    destroyUnmoved: (topologyId, last) =>
      reach(async () => {
        const isGone = await destroyUnmoved(connection, topologyId, last)
        if (isGone) await forgetWatermarks(deps, topologyId)
        return isGone
      }),
    destroy: (topologyId) =>
      reach(async () => {
        await connection.jsm.streams.delete(streamName(topologyId)).catch(orNull)
        await forgetWatermarks(deps, topologyId)
      }),
  }
}

/** A bridge that lives answers in a few milliseconds, unless its event loop is kept. */
const lookMs = 1_000

async function look({ connection, config }: ControlDeps, question: Question): Promise<Looks> {
  const live = await liveBridges({ connection, config })
  const expected = live.map(({ id }) => id)
  return { live, looks: await askBridges(connection, config.bridgesName, question, { expected, timeoutMs: lookMs }) }
}

/** On a cluster a stream that gets more copies, or another leader, answers nothing for a moment. */
function ensureOnCluster(deps: ControlDeps, plan: Plan): Promise<void> {
  const ensure = (): Promise<void> => ensureQueues(deps.connection, plan, deps)
  return deps.replicas === 1 ? ensure() : untilReady(ensure, { timeoutMs: electionMs })
}

/** For a new leader. */
const electionMs = 10_000

/** Who asks is refused anyway: that needn't take long. */
const askMs = 2_000

/** Whatever NATS can't do now is `Unavailable` to who asked. */
async function reachOver<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Unavailable) throw error
    const why = connection.connected ? `NATS can't do it now: ${textOf(error)}` : 'not connected to NATS'
    throw new Unavailable('nats', why, { cause: error })
  }
}

const put = ({ connection, config }: ControlDeps, key: string, value: unknown): Promise<void> =>
  reachOver(connection, async () => void (await config.config.put(key, JSON.stringify(value))))

/** Several controls may put the same worker at once, one of them what it read before the last change. */
function putNewest({ connection, config }: ControlDeps, worker: WorkerAddress): Promise<void> {
  const place = { name: config.name, bucket: config.config }
  return changeEntry(connection, place, workerKey(worker.name), (before) =>
    before !== null && before.json<WorkerAddress>().version > worker.version ? null : JSON.stringify(worker),
  )
}

const setReason = (deps: ControlDeps, key: string, reason: string | null): Promise<void> =>
  reason === null ? remove(deps, key) : put(deps, key, reason)

const remove = ({ connection, config }: ControlDeps, key: string): Promise<void> =>
  reachOver(connection, () => config.config.delete(key))

async function awaitApplied(deps: ControlDeps, topologyId: string, revision: number, timeoutMs: number) {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const bridges = await liveBridges(deps)
    const isApplied = (revisions: Readonly<Record<string, number>>): boolean =>
      revision === 0 ? (revisions[topologyId] ?? 0) === 0 : (revisions[topologyId] ?? 0) >= revision
    const missing = bridges.filter((bridge) => !isApplied(bridge.revisions)).map((bridge) => bridge.id)
    const applied = bridges.filter((bridge) => isApplied(bridge.revisions)).map((bridge) => bridge.id)
    if (missing.length === 0 || performance.now() >= deadline) return { applied, missing }
    await wait(50)
  }
}

export function publishStart(guard: Guard, start: StartMessage): Promise<Guarded> {
  const envelope = encodeEnvelope({
    ...untried,
    id: start.run,
    run: start.run,
    from: '',
    created: new Date().toISOString(),
    tenant: start.tenant,
    trace: start.trace,
    headers: start.headers,
    reconcile: start.reconcile ?? false,
    contentType: start.contentType,
  })
  const origin = startOrigin(start.topologyId, start.nodeId, start.key)
  return guard.publish(
    {
      topologyId: start.topologyId,
      origin,
      tail: eventTail(start.nodeId),
      headers: [[envelopeHeader, envelope]],
      body: start.body,
    },
    null,
  )
}

async function brokerStatus(connection: Connection, copies: number) {
  const account = await connection.jsm.getAccountInfo()
  return {
    version: connection.nc.info?.version ?? 'unknown',
    url: connection.nc.getServer(),
    connected: connection.connected,
    streams: account.streams,
    bytes: account.storage,
    limitBytes: account.limits.max_storage > 0 ? account.limits.max_storage : null,
    copies,
    isCluster: connection.nc.info?.cluster !== undefined,
    maxPayload: connection.nc.info?.max_payload ?? 0,
  }
}
