import { connectCoalescing } from './transport.ts'
import { RequestError, TimeoutError } from '@nats-io/transport-node'
import type { NatsConnection } from '@nats-io/transport-node'
import { jetstream, jetstreamManager, JetStreamApiError } from '@nats-io/jetstream'
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream'
import { Invalid, textOf, Unavailable } from '../errors.ts'
import type { Log } from '../telemetry/log.ts'

export const oldestNats = '2.14.0'
export const smallestMaxPayload = 9 * 1024 * 1024

/** One connection to NATS with what JetStream work needs. `generation` grows at every disconnect and reconnect. */
export interface Connection {
  readonly nc: NatsConnection
  readonly js: JetStreamClient
  readonly jsm: JetStreamManager
  readonly connected: boolean
  readonly generation: number
  /** Called after each change of `connected`. Returns the way to stop listening. */
  onChange(listener: (connected: boolean) => void): () => void
  /** Resolves at once while connected, else with the next reconnect; rejects when the signal aborts or the connection is closed. */
  whenConnected(signal?: AbortSignal): Promise<void>
  /** Sends what is buffered, then closes; twice is harmless. */
  close(): Promise<void>
}

/**
 * Connects, for ever reconnecting, and refuses a server that can't keep our promises.
 * @throws Unavailable when nothing answers within `timeoutMs`; Invalid when the server is too old or its max_payload too small
 */
export async function connectQueues(options: {
  url: string
  name: string
  timeoutMs?: number
  log: Log
}): Promise<Connection> {
  const nc = await open(options.url, options.name, options.timeoutMs ?? 5_000)
  try {
    checkServer(nc)
    const jsm = await managerOf(nc, options.timeoutMs ?? 5_000)
    return watchConnection(nc, jsm, options.log)
  } catch (error) {
    await nc.close()
    throw error
  }
}

async function open(url: string, name: string, timeoutMs: number): Promise<NatsConnection> {
  try {
    return await connectCoalescing({
      ...serversOf(url),
      name,
      timeout: timeoutMs,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 250,
      reconnectJitter: 100,
      pingInterval: 5_000,
      maxPingOut: 2,
      // Measured: capturing a stack per request costs 16–26 % of a bridge's CPU.
      noAsyncTraces: true,
    })
  } catch (error) {
    throw new Unavailable(
      'nats',
      `NATS at ${withoutCredentials(url)} can't be reached (${textOf(error)}); check SLUICE_NATS_URL and that the server runs`,
      {
        cause: error,
      },
    )
  }
}

/** Credentials in the URL (`nats://user:password@host`, `nats://token@host`) are the client's options, not part of its addresses. */
function serversOf(url: string): { servers: string[]; user?: string; pass?: string; token?: string } {
  const urls = url.split(',').map((one) => new URL(one.includes('://') ? one.trim() : `nats://${one.trim()}`))
  const servers = urls.map(({ host }) => host)
  const [first] = urls
  const user = decodeURIComponent(first?.username ?? '')
  if (user === '') return { servers }
  const pass = decodeURIComponent(first?.password ?? '')
  return pass === '' ? { servers, token: user } : { servers, user, pass }
}

const withoutCredentials = (url: string): string => url.replaceAll(/\/\/[^@/,]*@/g, '//')

function checkServer(nc: NatsConnection): void {
  const info = nc.info
  const version = info?.version ?? 'unknown'
  if (olderThan(version, oldestNats)) {
    throw new Invalid(
      `the NATS server has version ${version}, Sluiceway needs ${oldestNats} or newer; upgrade the server`,
    )
  }
  const maxPayload = info?.max_payload ?? 0
  if (maxPayload < smallestMaxPayload) {
    throw new Invalid(
      `the NATS server has max_payload ${maxPayload}, Sluiceway needs ${smallestMaxPayload} (9 MiB) or more; set max_payload: 10MB in its configuration`,
    )
  }
}

/** Compares dotted versions by their first three numbers. */
export function olderThan(version: string, floor: string): boolean {
  const a = version.split(/[.-]/).map(Number)
  const b = floor.split('.').map(Number)
  for (let i = 0; i < 3; i++) {
    const difference = (a[i] || 0) - (b[i] || 0)
    if (difference !== 0) return difference < 0
  }
  return false
}

/** JetStream answers a little later than the server accepts connections. */
function managerOf(nc: NatsConnection, timeoutMs: number): Promise<JetStreamManager> {
  const text = (error: unknown): string =>
    `JetStream doesn't answer (${textOf(error)}); start nats-server with JetStream on (-js)`
  return askAgain(() => jetstreamManager(nc, { timeout: 2_000 }), { timeoutMs, isPassing: () => true, text })
}

/** Of a cluster of which some servers have not been heard of yet. */
const tooFewServers = 10005

/**
 * Asks again while JetStream can't answer: on a cluster that has just been started no leaders are elected yet.
 * @throws Unavailable when that takes longer than `timeoutMs`; what else `work` throws, at once, and anything when `signal` has aborted
 */
export function untilReady<T>(
  work: () => Promise<T>,
  { timeoutMs = 30_000, signal }: { timeoutMs?: number; signal?: AbortSignal | undefined } = {},
): Promise<T> {
  const text = (error: unknown): string =>
    `JetStream isn't ready (${textOf(error)}); on a cluster, check that most of its servers run`
  return askAgain(work, { timeoutMs, signal, isPassing: isElecting, text })
}

function isElecting(error: unknown): boolean {
  if (error instanceof JetStreamApiError) return error.status === 503 || error.code === tooFewServers
  const isSilent = error instanceof TimeoutError || error instanceof RequestError
  return isSilent || (error instanceof Error && error.name === 'JetStreamNotEnabled')
}

interface Asking {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  /** May the next try work? Other errors are thrown at once. */
  readonly isPassing: (error: unknown) => boolean
  /** What is wrong when the time is over. */
  readonly text: (error: unknown) => string
}

async function askAgain<T>(work: () => Promise<T>, { timeoutMs, signal, isPassing, text }: Asking): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!isPassing(error) || signal?.aborted) throw error
      if (performance.now() > deadline) throw new Unavailable('nats', text(error), { cause: error })
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

function watchConnection(nc: NatsConnection, jsm: JetStreamManager, log: Log): Connection {
  const listeners = new Set<(connected: boolean) => void>()
  const state = { connected: true, generation: 0 }
  const change = (connected: boolean): void => {
    state.generation++
    state.connected = connected
    for (const listener of [...listeners]) listener(connected)
  }
  const watch = async (): Promise<void> => {
    for await (const status of nc.status()) {
      if (status.type === 'disconnect') {
        log.warn('NATS connection lost, reconnecting')
        change(false)
      }
      if (status.type === 'reconnect') {
        log.info('NATS connection is back')
        change(true)
      }
    }
  }
  void watch()
  void nc.closed().then(() => change(false))
  return {
    nc,
    js: jetstream(nc, { timeout: 5_000 }),
    jsm,
    get connected() {
      return state.connected
    },
    get generation() {
      return state.generation
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    whenConnected: (signal) => whenConnected(nc, state, listeners, signal),
    close: () => closeConnection(nc),
  }
}

async function closeConnection(nc: NatsConnection): Promise<void> {
  if (nc.isClosed()) return
  // Without a server there is nothing to flush to: give up after a moment instead of waiting for a reconnect.
  await Promise.race([nc.flush().catch(() => undefined), new Promise((resolve) => setTimeout(resolve, 500).unref())])
  await nc.close()
}

function whenConnected(
  nc: NatsConnection,
  state: { connected: boolean },
  listeners: Set<(connected: boolean) => void>,
  signal?: AbortSignal,
): Promise<void> {
  if (state.connected && !nc.isClosed()) return Promise.resolve()
  return new Promise((resolve, reject) => {
    const done = (): void => {
      listeners.delete(listener)
      signal?.removeEventListener('abort', onAbort)
    }
    const fail = (): void => {
      done()
      reject(new Unavailable('nats', 'the connection to NATS is closed'))
    }
    const onAbort = fail
    const listener = (connected: boolean): void => {
      if (nc.isClosed()) return fail()
      if (!connected) return
      done()
      resolve()
    }
    if (nc.isClosed() || signal?.aborted) return fail()
    listeners.add(listener)
    signal?.addEventListener('abort', onAbort)
  })
}
