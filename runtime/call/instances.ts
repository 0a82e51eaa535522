import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { Pool } from 'undici'
import { textOf } from '../errors.ts'
import type { Log } from '../telemetry/log.ts'
import type { WorkerAddress } from '../topology/plan.ts'

/**
 * The instances of one worker: one for every address behind every one of its URLs. A call goes to the least busy one that is up.
 *
 * States of an instance: up → down for a while (its connection was refused) → up. A refused connection burns nothing.
 */
export interface Instance {
  readonly url: string
  readonly pool: Pool
  /** Path of the URL, before the path of a node; without a slash at the end. */
  readonly basePath: string
  inFlight: number
  /** performance.now() until which it isn't tried. */
  downUntil: number
  refusals: number
}

export interface Instances {
  /** Least busy instance that is up and not in `tried`, or when the next one is up again (performance.now()), or null: none at all. */
  pick(tried: ReadonlySet<Instance>): Instance | { readonly retryAt: number } | null
  /** The instance took no connection: it is left alone for a while, longer each time. */
  refused(instance: Instance): void
  answered(instance: Instance): void
  states(): { url: string; state: 'up' | 'down'; inFlight: number }[]
  close(): Promise<void>
}

const downBaseMs = 250
const downMaxMs = 5_000
const resolveEveryMs = 10_000

/** Resolves the worker's names first; a name that can't be resolved has no instance until it can. */
export async function openInstances(worker: WorkerAddress, log: Log): Promise<Instances> {
  let instances = new Map<string, Instance>()
  const lastKnown = new Map<string, readonly Target[]>()
  const resolve = async (): Promise<void> => {
    const wanted = (await Promise.all(worker.urls.map((url) => addressesOf(url, lastKnown.get(url) ?? [], log)))).flat()
    for (const url of worker.urls)
      lastKnown.set(
        url,
        wanted.filter((target) => target.url === url),
      )
    const next = new Map(wanted.map((target) => [keyOf(target), instances.get(keyOf(target)) ?? newInstance(target)]))
    for (const [key, instance] of instances) if (!next.has(key)) void instance.pool.close()
    instances = next
  }
  await resolve()
  const timer = hasNames(worker.urls) ? setInterval(() => void resolve(), resolveEveryMs).unref() : undefined
  return {
    pick: (tried) => pick([...instances.values()].filter((instance) => !tried.has(instance))),
    refused,
    answered(instance) {
      instance.refusals = 0
      instance.downUntil = 0
    },
    states: () => [...instances.values()].map(stateOf),
    async close() {
      clearInterval(timer)
      await Promise.all([...instances.values()].map((instance) => instance.pool.close()))
    },
  }
}

interface Target {
  readonly url: string
  /** Null: the URL names an IP address itself. */
  readonly address: string | null
  readonly family: number
}

const keyOf = (target: Target): string => `${target.url} ${target.address ?? ''}`
const hostOf = (url: string): string => new URL(url).hostname.replace(/^\[|\]$/g, '')
const hasNames = (urls: readonly string[]): boolean => urls.some((url) => isIP(hostOf(url)) === 0)

/** One name with several addresses is several instances. A look-up that fails says nothing about those that are known. */
async function addressesOf(url: string, lastKnown: readonly Target[], log: Log): Promise<readonly Target[]> {
  const host = hostOf(url)
  if (isIP(host) !== 0) return [{ url, address: null, family: isIP(host) }]
  try {
    const found = await lookup(host, { all: true, order: 'ipv4first' })
    return found.map(({ address, family }) => ({ url, address, family }))
  } catch (error) {
    log.warn('the name of a worker can not be resolved', { url, error: textOf(error) })
    return lastKnown
  }
}

function newInstance(target: Target): Instance {
  const { origin, pathname } = new URL(target.url)
  const { address, family } = target
  const pool = new Pool(origin, {
    // A pipelined request could be lost behind another one's failure; the number of connections is bounded by prefetch.
    pipelining: 1,
    connections: null,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 4_000,
    connect: {
      timeout: 5_000,
      ...(address === null ? {} : { lookup: (_host, _options, done) => done(null, [{ address, family }]) }),
    },
  })
  const url = address === null ? target.url : `${target.url} (${address})`
  return { url, pool, basePath: pathname.replace(/\/$/, ''), inFlight: 0, downUntil: 0, refusals: 0 }
}

function pick(candidates: readonly Instance[]): Instance | { readonly retryAt: number } | null {
  const now = performance.now()
  let best: Instance | null = null
  let retryAt = Infinity
  for (const instance of candidates) {
    if (instance.downUntil > now) retryAt = Math.min(retryAt, instance.downUntil)
    else if (best === null || instance.inFlight < best.inFlight) best = instance
  }
  if (best !== null) return best
  return retryAt === Infinity ? null : { retryAt }
}

function refused(instance: Instance): void {
  const now = performance.now()
  // Calls that were refused together count once.
  if (instance.downUntil > now) return
  instance.downUntil = now + Math.min(downBaseMs * 2 ** instance.refusals, downMaxMs)
  instance.refusals++
}

function stateOf(instance: Instance): { url: string; state: 'up' | 'down'; inFlight: number } {
  return {
    url: instance.url,
    state: instance.downUntil > performance.now() ? 'down' : 'up',
    inFlight: instance.inFlight,
  }
}
