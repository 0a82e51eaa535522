import { setTimeout as wait } from 'node:timers/promises'
import { JetStreamApiError } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import type { KV, KvWatchEntry } from '@nats-io/kv'
import { textOf } from '../errors.ts'
import type { Log } from '../telemetry/log.ts'
import type { ServiceLimits } from '../topology/limits/limits.ts'
import type { Plan, WorkerAddress } from '../topology/plan.ts'
import type { Connection } from './connection.ts'
import type { Heartbeat, Told } from './control.ts'
import { raiseCopies } from './look/copies.ts'
import type { Copies } from './look/copies.ts'
import { readCursorChange } from './delta/told.ts'
import type { CursorChange } from './delta/told.ts'
import { readLimitedChange, serviceKey } from './limits/told.ts'
import type { LimitedChange } from './limits/told.ts'
import { entriesIn, lastChange, lastEntry } from './entries.ts'
import { refusal } from './publish/publisher.ts'

/**
 * What bridges need to know, in JetStream KV, so that the hot path needs no Postgres (I8):
 *
 * | bucket              | key            | value                                            |
 * |---------------------|----------------|--------------------------------------------------|
 * | `<namespace>_config`  | `plan.<topologyId>` | the published plan                            |
 * | `<namespace>_config`  | `worker.<name>`  | its addresses; a change acts at once, without republish |
 * | `<namespace>_config`  | `paused.<nodeId>` | why the node is paused                         |
 * | `<namespace>_config`  | `cancelled.<topologyId>.<run>` | when the run was cancelled, until it has drained |
 * | `<namespace>_config`  | `cancelled.<topologyId>` | since when everything of the topology is being cancelled, and what comes then |
 * | `<namespace>_config`  | `pausedTopology.<topologyId>` | why all its nodes rest; apart from their own pauses |
 * | `<namespace>_config`  | `cursor.<topologyId>.<reading>` | a cursor that a person has edited; see delta/edits.ts |
 * | `<namespace>_config`  | `service.<name>` | its limits; a change acts at once |
 * | `<namespace>_config`  | `limited.<id>` | that it asked to wait (429); see limits/told.ts |
 * | `<namespace>_limits`  | `<id>` | what is reserved of a limit; see limits/cells.ts |
 * | `<namespace>_watermarks` | `<topologyId>.<id>` | a committed watermark; see delta/watermarks.ts |
 * | `<namespace>_bridges` | `<bridge id>`    | heartbeat; forgotten when it stops beating         |
 */
export interface Config {
  readonly config: KV
  /** Name of the bucket `config`. */
  readonly name: string
  readonly bridges: KV
  /** Name of the bucket `bridges`. */
  readonly bridgesName: string
  readonly watermarks: KV
  /** Name of the bucket `watermarks`. */
  readonly watermarksName: string
  /** Name of the bucket of limits. */
  readonly limitsName: string
}

const retryMs = 500
/** A copy that is behind has caught up long before. */
const snapshotMs = 5_000
export const heartbeatEveryMs = 2_000
const heartbeatTtlMs = 8_000
/** What was reserved of a limit is of interest for its longest period, a day. */
const limitsTtlMs = 49 * 3_600_000

export async function openConfig(connection: Connection, namespace: string, copies: Copies): Promise<Config> {
  const { replicas } = copies
  const kvm = new Kvm(connection.js)
  const [name, bridgesName, watermarksName] = [`${namespace}_config`, `${namespace}_bridges`, `${namespace}_watermarks`]
  const limitsName = `${namespace}_limits`
  const [config, bridges, watermarks] = await Promise.all([
    kvm.create(name, { history: 1, replicas }),
    kvm.create(bridgesName, { history: 1, ttl: heartbeatTtlMs, replicas }),
    kvm.create(watermarksName, { history: 1, replicas }),
    kvm.create(limitsName, { history: 1, ttl: limitsTtlMs, replicas }),
  ])
  for (const bucket of [name, bridgesName, watermarksName, limitsName])
    await raiseCopies(connection, await connection.jsm.streams.info(`KV_${bucket}`), copies)
  return { config, name, bridges, bridgesName, watermarks, watermarksName, limitsName }
}

export const planKey = (topologyId: string): string => `plan.${topologyId}`
export const workerKey = (name: string): string => `worker.${name}`
export const pausedKey = (nodeId: string): string => `paused.${nodeId}`
/** `run` null: everything of the topology. */
export const cancelledKey = (topologyId: string, run: string | null): string =>
  run === null ? `cancelled.${topologyId}` : `cancelled.${topologyId}.${run}`
export const pausedTopologyKey = (topologyId: string): string => `pausedTopology.${topologyId}`

export type ConfigChange =
  | { readonly kind: 'plan'; readonly topologyId: string; readonly plan: Plan | null }
  | { readonly kind: 'worker'; readonly name: string; readonly worker: WorkerAddress | null }
  | { readonly kind: 'paused'; readonly nodeId: string; readonly reason: string | null }
  | { readonly kind: 'pausedTopology'; readonly topologyId: string; readonly reason: string | null }
  /** False while changes may be missed, since NATS is away; true when everything is known again. */
  | { readonly kind: 'current'; readonly current: boolean }
  | { readonly kind: 'service'; readonly name: string; readonly limits: ServiceLimits | null }
  | CancelledChange
  | CursorChange
  | LimitedChange

export interface CancelledChange {
  readonly kind: 'cancelled'
  readonly topologyId: string
  /** Null: everything of the topology. */
  readonly run: string | null
  /** False when it is over. */
  readonly cancelled: boolean
  /** Of the entry. */
  readonly revision: number
}

interface WatchDeps {
  readonly connection: Connection
  readonly config: Config
  readonly log: Log
}

/**
 * Calls `onChange` for everything that is configured now, resolves, and goes on with each change, in order, until the signal
 * aborts. After a reconnect everything is read anew, and tried again until that works: nothing is missed, and what is known
 * already comes again. Of what is read at once plans come last: who applies one knows what is paused.
 */
export async function watchConfig(
  deps: WatchDeps,
  onChange: (change: ConfigChange) => void,
  signal: AbortSignal,
): Promise<void> {
  let stop = (): void => undefined
  let renewing: Promise<void> = Promise.resolve()
  const renewSoon = (): void => {
    onChange({ kind: 'current', current: false })
    renewing = renewing.then(renew)
  }
  const renew = async (): Promise<void> => {
    // The old watch goes first: it could still report what the new one knows to be over.
    stop()
    while (!signal.aborted && deps.connection.connected) {
      try {
        stop = await watchOnce(deps, onChange, renewSoon)
        break
      } catch (error) {
        deps.log.warn('the configuration can not be watched, trying again', { error: textOf(error) })
        await wait(retryMs, undefined, { signal }).catch(() => undefined)
      }
    }
    if (signal.aborted) stop()
  }
  const first = watchOnce(deps, onChange, renewSoon).then((ready) => void (stop = ready))
  renewing = first.catch(() => undefined)
  const stopListening = deps.connection.onChange((connected) => {
    if (connected) renewSoon()
    else onChange({ kind: 'current', current: false })
  })
  const end = (): void => {
    stopListening()
    stop()
  }
  signal.addEventListener('abort', end, { once: true })
  await first.catch((error: unknown) => {
    stopListening()
    throw error
  })
}

/**
 * Resolves with the way to stop once every entry was reported that was there at the beginning; rejects when the connection breaks
 * before. Any copy may serve the watch, also one that is behind: so what the leader has decides when it is everything.
 * @param onEnd called when it ends later by itself, while the connection stands
 */
async function watchOnce(
  { connection, config, log }: WatchDeps,
  onChange: (change: ConfigChange) => void,
  onEnd: () => void,
): Promise<() => void> {
  const { generation } = connection
  const upTo = (await lastChange(connection, config.name, '>'))?.seq ?? 0
  const entries = await config.config.watch()
  let isOver = false
  const stop = (): void => {
    isOver = true
    entries.stop()
  }
  await new Promise<void>((resolve, reject) => {
    let snapshot: KvWatchEntry[] | null = []
    const arrived = (): void => {
      clearTimeout(late)
      for (const entry of plansLast(snapshot ?? [])) report(entry, onChange, log)
      snapshot = null
      onChange({ kind: 'current', current: connection.generation === generation })
      resolve()
    }
    // Also when what the leader had is gone by now: the next watch asks again.
    const late = setTimeout(stop, snapshotMs)
    if (upTo === 0) arrived()
    const stopListening = connection.onChange(stop)
    const follow = async (): Promise<void> => {
      for await (const entry of entries) {
        if (snapshot === null) report(entry, onChange, log)
        else if (snapshot.push(entry) > 0 && entry.delta === 0 && entry.revision >= upTo) arrived()
      }
    }
    void follow()
      .catch((error: unknown) => log.warn('the watch of the configuration failed', { error: textOf(error) }))
      .then(() => {
        clearTimeout(late)
        stopListening()
        if (snapshot !== null) reject(new Error('the watch ended before everything was read'))
        else if (!isOver && connection.generation === generation) onEnd()
      })
  })
  return stop
}

function plansLast(entries: readonly KvWatchEntry[]): KvWatchEntry[] {
  const isPlan = ({ key }: KvWatchEntry): boolean => key.startsWith(planKey(''))
  return [...entries.filter((entry) => !isPlan(entry)), ...entries.filter(isPlan)]
}

function report(entry: KvWatchEntry, onChange: (change: ConfigChange) => void, log: Log): void {
  try {
    const change = readChange(entry.key, entry.operation === 'PUT' ? entry.string() : null, entry.revision)
    if (change !== null) onChange(change)
  } catch (error) {
    log.error('an entry of the configuration bucket can not be used', { key: entry.key, error: textOf(error) })
  }
}

function readChange(key: string, text: string | null, revision: number): ConfigChange | null {
  const dot = key.indexOf('.')
  const [kind, name] = [key.slice(0, dot), key.slice(dot + 1)]
  const value: unknown = text === null ? null : JSON.parse(text)
  if (kind === 'plan') return { kind, topologyId: name, plan: value as Plan | null }
  if (kind === 'worker') return { kind, name, worker: value as WorkerAddress | null }
  if (kind === 'paused') return { kind, nodeId: name, reason: value as string | null }
  if (kind === 'pausedTopology') return { kind, topologyId: name, reason: value as string | null }
  if (kind === 'service') return { kind, name, limits: value as ServiceLimits | null }
  if (kind === 'limited') return readLimitedChange(name, value, revision)
  if (kind === 'cancelled') {
    const [topologyId = '', run = null] = name.split('.')
    return { kind, topologyId, run, cancelled: value !== null, revision }
  }
  return kind === 'cursor' ? readCursorChange(name, value) : null
}

export async function isStillCancelled(
  { connection, config }: Places,
  topologyId: string,
  run: string | null,
): Promise<boolean> {
  return (await lastEntry(connection, config.name, cancelledKey(topologyId, run))) !== null
}

/** The runs of a topology that are; null among them: all of it is. */
export async function cancelledIn({ connection, config }: Places, topologyId: string): Promise<Set<string | null>> {
  const whole = cancelledKey(topologyId, null)
  const runs = await entriesIn<unknown>(connection, config.name, `${whole}.*`)
  const isWhole = (await lastEntry(connection, config.name, whole)) !== null
  return new Set([...[...runs.keys()].map((key) => key.slice(whole.length + 1)), ...(isWhole ? [null] : [])])
}

export async function isStillPaused({ connection, config }: Places, nodeId: string): Promise<boolean> {
  return (await lastEntry(connection, config.name, pausedKey(nodeId))) !== null
}

/** Node id → reason of every node that is paused by itself. */
export async function pausedNodes({ connection, config }: Places): Promise<Map<string, string>> {
  const reasons = await entriesIn<string>(connection, config.name, pausedKey('*'))
  return new Map([...reasons].map(([key, reason]) => [key.slice(pausedKey('').length), reason]))
}

/** As the leader has it. */
export async function toldNow({ connection, config }: Places): Promise<Told> {
  const read = async <T>(key: (name: string) => string): Promise<Map<string, T>> => {
    const entries = await entriesIn<T>(connection, config.name, key('*'))
    return new Map([...entries].map(([at, value]) => [at.slice(key('').length), value]))
  }
  const [pausedTopologies, workers, services] = await Promise.all([
    read<string>(pausedTopologyKey),
    read<WorkerAddress>(workerKey),
    read<ServiceLimits>(serviceKey),
  ])
  return { pausedTopologies, workers, services }
}

interface Places {
  readonly connection: Connection
  readonly config: Config
}

/** What an entry of a topology says when `discardAll` put it. */
interface Discarding {
  readonly at: string
  readonly afterwards: 'draft' | 'delete'
}

/** Everything of the topology is cancelled from now on, and then something is done with it; `delete` stays. */
export async function putDiscard(
  places: Places,
  topologyId: string,
  afterwards: Discarding['afterwards'],
): Promise<void> {
  const before = (await discardsIn(places)).get(topologyId)
  if (before === 'delete' || before === afterwards) return
  const entry: Discarding = { at: new Date().toISOString(), afterwards }
  await places.config.config.put(cancelledKey(topologyId, null), JSON.stringify(entry))
}

/** Topology id → what is done with it afterwards. */
export async function discardsIn({ connection, config }: Places): Promise<Map<string, Discarding['afterwards']>> {
  const prefix = cancelledKey('', null)
  const entries = await entriesIn<Discarding | string>(connection, config.name, `${prefix}*`)
  return new Map(
    [...entries].flatMap(([key, entry]) =>
      typeof entry === 'string' ? [] : [[key.slice(prefix.length), entry.afterwards] as const],
    ),
  )
}

/** Removes an entry, unless it was put again since it was read. */
export async function endCancelled(config: Config, { topologyId, run, revision }: CancelledChange): Promise<void> {
  try {
    await config.config.delete(cancelledKey(topologyId, run), { previousSeq: revision })
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== refusal.settled) throw error
  }
}

/** Removes what a removed entry leaves behind, so that the bucket doesn't grow with every run that was ever cancelled. */
export async function forgetCancelled(
  { jsm }: Connection,
  { name }: Config,
  { topologyId, run, revision }: CancelledChange,
): Promise<void> {
  const filter = `$KV.${name}.${cancelledKey(topologyId, run)}`
  await jsm.streams.purge(`KV_${name}`, { filter, seq: revision + 1 })
}

export async function liveBridges({ connection, config }: Places): Promise<Heartbeat[]> {
  return [...(await entriesIn<Heartbeat>(connection, config.bridgesName, '>')).values()]
}
