/** One drawn node ↔ the fields of a document's node that older editors know of. */
import { isEventType } from '../graph.ts'
import { nodeDefaults, retryDefaults } from '../plan.ts'
import type { DocumentNode, RetryInput } from '../schema.ts'
import type { Address, DrawnNode, Mapped, Notes, Repeater } from './drawing.ts'

const limits = { timeoutS: 86_400, attempts: 100, intervalS: 3600 }

const registerIt =
  'the sender has to be given the address of this webhook: `sluice webhook show` prints it, and topology.md says how deliveries are verified'

/**
 * What a drawn node says, in our fields. `before` is the draft's node of that name: where a drawing says no more than would be shown
 * of it, its exact value stays. Notes name what has no counterpart.
 */
export function mapNode(
  drawn: DrawnNode,
  name: string,
  before: DocumentNode | undefined,
  workers: readonly Address[],
  notes: Notes,
): Mapped {
  const { path, type, title, cron } = drawn
  const none = { worker: undefined, uses: undefined, service: undefined, timeoutMs: undefined, retry: undefined }
  if (cron !== undefined && type !== 'cron')
    notes.warn(path, 'only cron nodes have a schedule: this one stays in the drawing')
  if (isEventType(type)) {
    reportEventNode(drawn, notes)
    if (type === 'webhook' && before?.type !== 'webhook') notes.warn(path, registerIt)
    return { ...none, type, prefetch: undefined, cron: type === 'cron' ? cron : undefined }
  }
  const worker = drawn.callable ? workerOf(drawn, before, workers) : before?.worker
  if (worker === undefined) notes.warn(path, `${title} names no worker that is known: publishing it needs one`)
  else if (!workers.some((each) => each.name === worker))
    notes.warn(path, `there is no worker "${worker}": register it before you publish`)
  return {
    type,
    worker,
    uses: title === name && before?.uses === undefined ? undefined : title,
    service: drawn.service,
    prefetch: drawn.prefetch,
    timeoutMs: timeoutOf(drawn, before, notes),
    retry: retryOf(drawn, before, notes),
    cron: undefined,
  }
}

function reportEventNode({ path, type, worker, host, service, prefetch, repeater }: DrawnNode, notes: Notes): void {
  const extra = { worker: worker ?? host, application: service, repeater: repeater?.enabled ? repeater : undefined }
  for (const [what, value] of Object.entries(extra)) {
    if (value === undefined) continue
    notes.warn(path, `a ${type} node calls no worker: its ${what} stays in the drawing`)
  }
  if (prefetch !== undefined && prefetch > 1)
    notes.warn(path, `a ${type} node has no prefetch: its ${prefetch} stays in the drawing`)
}

/** A name that is registered, else the worker at that address, else what the draft had, else the name as it is. */
function workerOf(
  { worker, host }: DrawnNode,
  before: DocumentNode | undefined,
  workers: readonly Address[],
): string | undefined {
  if (worker !== undefined && workers.some(({ name }) => name === worker)) return worker
  const there = host === undefined ? [] : workers.filter(({ urls }) => urls.some((url) => isAt(url, host)))
  if (there.some(({ name }) => name === before?.worker)) return before?.worker
  return there[0]?.name ?? worker ?? before?.worker
}

/** `host:port` of a worker's first address, as older editors name workers; without a port they mean 80. */
export function hostOf({ urls: [url] }: Address): string | undefined {
  if (url === undefined) return undefined
  const { host, port, protocol } = new URL(url)
  return protocol === 'https:' && port === '' ? `${host}:443` : host
}

function isAt(url: string, host: string): boolean {
  const asked = /^https?:\/\//i.test(host) ? host : `http://${host}`
  if (!URL.canParse(asked)) return false
  const [known, wanted] = [new URL(url), new URL(asked)]
  return known.hostname === wanted.hostname && portOf(known) === portOf(wanted)
}

function portOf({ port, protocol }: URL): string {
  return port || (protocol === 'https:' ? '443' : '80')
}

/** Seconds, as shown of a node. */
export function timeoutShown({ timeoutMs }: Pick<DocumentNode, 'timeoutMs'>): number | undefined {
  return timeoutMs === undefined ? undefined : Math.ceil(timeoutMs / 1000)
}

function timeoutOf({ timeout, path }: DrawnNode, before: DocumentNode | undefined, notes: Notes): number | undefined {
  if (timeout === undefined) return undefined
  if (before && timeoutShown(before) === timeout) return before.timeoutMs
  if (timeout === 0) {
    const now = (before?.timeoutMs ?? nodeDefaults.timeoutMs) / 1000
    notes.warn(path, `a call without a time-out is not possible: it stays at ${now} s`)
    return before?.timeoutMs
  }
  if (timeout > limits.timeoutS)
    notes.warn(path, `a time-out of ${timeout} s is longer than a day: read as ${limits.timeoutS} s`)
  return Math.min(timeout, limits.timeoutS) * 1000
}

/** A retry policy, as far as a repeater can say it. */
export function repeaterShown({ retry }: Pick<DocumentNode, 'retry'>): Repeater | undefined {
  if (retry === undefined || Object.keys(retry).length === 0) return undefined
  const { attempts = retryDefaults.attempts, baseMs = retryDefaults.baseMs } = retry
  return { enabled: true, hops: attempts, interval: Math.ceil(baseMs / 1000) }
}

function retryOf(drawn: DrawnNode, before: DocumentNode | undefined, notes: Notes): RetryInput | undefined {
  const { repeater, path } = drawn
  if (repeater === undefined) return undefined
  if (isSameRepeater(repeater, before && repeaterShown(before))) return before?.retry
  // Left out it would stay as it is stored.
  if (!repeater.enabled) return {}
  const { hops, interval } = repeater
  if (hops < 1 || interval < 1) {
    notes.warn(path, 'a repeater needs hops and interval of at least 1: it is not used, as before')
    return before?.retry
  }
  if (hops > limits.attempts) notes.warn(path, `${hops} hops are more than ${limits.attempts}: read as that`)
  if (interval > limits.intervalS) notes.warn(path, `an interval of ${interval} s is longer than an hour: read as that`)
  const baseMs = Math.min(interval, limits.intervalS) * 1000
  const more = baseMs > retryDefaults.maxMs ? { maxMs: baseMs } : {}
  return { attempts: Math.min(hops, limits.attempts), backoff: 'fixed', baseMs, ...more }
}

function isSameRepeater(a: Repeater | undefined, b: Repeater | undefined): boolean {
  if (!a?.enabled || !b?.enabled) return !a?.enabled && !b?.enabled
  return a.hops === b.hops && a.interval === b.interval
}
