/** The parts that roles are made of, each opened on the stack of its command. */
import {
  controlMetrics,
  createApi,
  openAccess,
  openAdmission,
  openBulks,
  openFigures,
  openFiring,
  openRetention,
  openSweep,
  republishAllPlans,
} from '../api/api.ts'
import type { AccessOptions } from '../api/api.ts'
import { openBridge } from '../bridge/bridge.ts'
import type { Bridge } from '../bridge/bridge.ts'
import { diskOf } from '../embedded/disk.ts'
import { openJanitor } from '../queue/janitor/janitor.ts'
import { openQueues } from '../queue/open.ts'
import type { Queues } from '../queue/open.ts'
import { openRecorder } from '../recorder/recorder.ts'
import type { Log } from '../telemetry/log.ts'
import { openMetrics } from '../telemetry/metrics.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { bridgeMetrics } from '../bridge/look/metrics.ts'
import { openStore } from '../store/store.ts'
import type { Store } from '../store/store.ts'
import type { Listening } from './listen.ts'
import type { Stack } from './stack.ts'
import { consoleFolder, version } from './version.ts'

export interface QueueSettings {
  readonly natsUrl: string
  readonly namespace: string
  readonly replicas: number
}

/** `name` is what the NATS server shows for this connection. */
export function ownQueues(stack: Stack, settings: QueueSettings, name: string, log: Log): Promise<Queues> {
  const { natsUrl: url, namespace, replicas } = settings
  return stack.own(
    (signal) => openQueues({ url, name, namespace, replicas, log, signal }),
    (queues) => queues.close(),
  )
}

export function ownStore(stack: Stack, postgresUrl: string): Promise<Store> {
  return stack.own(
    () => openStore(postgresUrl),
    (store) => store.close(),
  )
}

export interface ControlSettings extends AccessOptions {
  readonly adminToken: string
  readonly secretKey: string
  readonly historyMs: number
  readonly historyMaxBytes: number
  readonly maxMessages: number
  readonly maxBytes: number
  readonly maxUploads: number
  readonly maxStoreBytes?: number | undefined
  /** 0: the audit log is kept for ever. */
  readonly auditDays: number
  /** 0: runs are kept for ever. */
  readonly runsKeepDays: number
  /** Of what is settled; 0: as long as its run. */
  readonly trashKeepDays: number
  /** Where NATS keeps its files, if that is on a disk of this machine. */
  readonly storeFolder?: string | null
}

/** Everything of a control but its port: the recorder, and the API that is handed to whoever listens. */
export async function ownControl(
  stack: Stack,
  { queues, store }: { readonly queues: Queues; readonly store: Store },
  settings: ControlSettings,
  log: Log,
  metrics: Metrics = openMetrics(),
): Promise<Parameters<Listening['serve']>[0]> {
  const { adminToken, secretKey, historyMs, historyMaxBytes } = settings
  const { connection, replicas, events } = queues
  const janitor = openJanitor({ connection, replicas, windowMs: historyMs, maxBytes: historyMaxBytes, log })
  const admission = admissionOf(queues, settings)
  const histories = () => janitor.reports()
  const keys = { adminToken, secretKey, version: version() }
  const access = openAccess(settings, queues.failures)
  const shown = { consoleFolder: consoleFolder(), histories, metrics }
  const deps = { store, queues: queues.control, events, admission, access, ...shown, ...keys, log }
  // The KV may be new, or behind what a control that died had committed.
  await republishAllPlans(deps)
  await stack.own(
    () => openRecorder({ queues, store, janitor, log }),
    (recorder) => recorder.close(),
  )
  await stack.own(
    () => openSweep(deps),
    (sweep) => sweep.close(),
  )
  await stack.own(
    () => openFiring(deps),
    (firing) => firing.close(),
  )
  await stack.own(
    () => openBulks(deps),
    (bulks) => bulks.close(),
  )
  await stack.own(
    () => openRetention(deps, settings),
    (retention) => retention.close(),
  )
  await stack.own(
    () => openFigures(deps),
    (figures) => figures.close(),
  )
  metrics.add(controlMetrics(deps))
  const api = createApi(deps)
  return (request, env) => api.fetch(request, env)
}

function admissionOf(
  { control }: Queues,
  { maxMessages, maxBytes, maxUploads, maxStoreBytes, storeFolder = null }: ControlSettings,
) {
  const disk = storeFolder === null ? null : () => diskOf(storeFolder)
  return openAdmission({ queues: control, maxMessages, maxBytes, maxUploads, maxStoreBytes, disk })
}

export interface BridgeSettings {
  readonly secretKey: string
  readonly graceMs: number
  readonly highWater: number
}

export async function ownBridge(
  stack: Stack,
  queues: Queues,
  settings: BridgeSettings,
  log: Log,
  metrics: Metrics = openMetrics(),
): Promise<{ readonly bridge: Bridge; readonly metrics: Metrics }> {
  const bridge = await stack.own(
    () => openBridge({ queues, ...settings, version: version(), log }),
    (bridge) => bridge.close(),
  )
  metrics.add(() => bridgeMetrics(bridge, () => queues.connection.connected))
  return { bridge, metrics }
}

/** Serves from now on, and until the parts that were opened before are closed. */
export function ownServing(
  stack: Stack,
  listening: Listening,
  fetch: Parameters<Listening['serve']>[0],
): Promise<unknown> {
  return stack.own(
    () => listening.serve(fetch),
    () => listening.close(),
  )
}
