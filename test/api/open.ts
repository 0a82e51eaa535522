import { inject, onTestFinished } from 'vitest'
import { controlMetrics, createApi, openAccess, openAdmission } from '../../runtime/api/api.ts'
import type { AdmissionOptions } from '../../runtime/api/actions/admission.ts'
import type { AccessOptions } from '../../runtime/api/access/access.ts'
import type { Api, ApiDeps } from '../../runtime/api/deps.ts'
import { newId } from '../../runtime/ids.ts'
import type { Heartbeat } from '../../runtime/queue/control.ts'
import { openQueues } from '../../runtime/queue/open.ts'
import type { Queues } from '../../runtime/queue/open.ts'
import { openStore } from '../../runtime/store/store.ts'
import type { Store } from '../../runtime/store/store.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { openMetrics } from '../../runtime/telemetry/metrics.ts'
import { freshDatabase } from '../support/database.ts'

export const adminToken = 'the-admin-token-of-the-tests'
export const secretKey = 'the secret key of the tests'

const testAccess = { trustedProxies: [], failuresPerMinute: 1_000, sessionIdleMs: 3_600_000, sessionMaxMs: 7_200_000 }

/** Every field that some test reads on its own; an answer has those of its route, and tests compare the rest whole. */
export interface Body {
  readonly id: string
  readonly name: string
  readonly runId: string
  readonly topologyId: string
  readonly token: string
  readonly createdAt: string
  readonly lastUsedAt: string
  readonly items: readonly Body[]
  readonly next: string | null
  readonly detail: string
  readonly errors: readonly { readonly path: string; readonly message: string }[]
  readonly reasons: readonly string[]
  readonly state: string
  readonly visibility: string
  readonly revision: number
  readonly bridgeOutOfSync: boolean
  readonly bridges: unknown
  readonly fingerprint: string
  readonly leaving: string | null
  readonly kind: string
  readonly versions: readonly unknown[]
  readonly messages: unknown
  readonly instances: unknown
  readonly breaker: unknown
  readonly hasSecret: boolean
  readonly nats: unknown
  readonly postgres: unknown
  readonly body: unknown
  readonly bodyBase64: string
  readonly document: { readonly nodes: readonly unknown[]; readonly edges: readonly unknown[] }
  readonly plan: { readonly nodes: readonly unknown[] }
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Body
  readonly text: string
}

export interface Sending {
  readonly json?: unknown
  readonly raw?: string | Uint8Array | ReadableStream
  readonly headers?: Record<string, string>
  /** Null sends none. */
  readonly token?: string | null
}

export interface TestApi {
  readonly api: Api
  readonly store: Store
  readonly queues: Queues
  send(method: string, path: string, sending?: Sending): Promise<Answer>
  get(path: string): Promise<Answer>
  post(path: string, json?: unknown): Promise<Answer>
}

/** The API on a database of its own and on buckets of its own in the real NATS. */
export async function openApi(
  replace: Partial<Pick<ApiDeps, 'store' | 'queues' | 'histories' | 'log' | 'consoleFolder'>> & {
    limits?: Partial<AdmissionOptions>
    access?: Partial<AccessOptions>
    /** Of another control's, to be one of the same engine. */
    namespace?: string
  } = {},
): Promise<TestApi> {
  const store = replace.store ?? openStore(await freshDatabase(), 4)
  const name = 'test'
  const queues = await openQueues({
    url: inject('natsUrl'),
    name,
    namespace: replace.namespace ?? `t_${newId()}`,
    replicas: 1,
    log: silentLog,
  })
  onTestFinished(async () => {
    await queues.close()
    await store.close()
  })
  const limits = {
    maxMessages: Infinity,
    maxBytes: Infinity,
    maxUploads: Infinity,
    maxStoreBytes: undefined,
    disk: null,
    ...replace.limits,
  }
  const control = replace.queues ?? queues.control
  const metrics = openMetrics()
  const histories = replace.histories ?? (() => new Map<string, never>())
  metrics.add(controlMetrics({ store, queues: control, histories }))
  const api = createApi({
    store,
    queues: control,
    admission: openAdmission({ queues: control, ...limits }),
    histories,
    events: queues.events,
    metrics,
    adminToken,
    secretKey,
    access: openAccess({ ...testAccess, ...replace.access }, queues.failures),
    version: '0.0.0',
    consoleFolder: replace.consoleFolder ?? null,
    log: replace.log ?? silentLog,
  })
  const send = (method: string, path: string, sending: Sending = {}) => request(api, method, path, sending)
  return {
    api,
    store,
    queues,
    send,
    get: (path) => send('GET', path),
    post: (path, json) => send('POST', path, json === undefined ? {} : { json }),
  }
}

async function request(api: Api, method: string, path: string, sending: Sending): Promise<Answer> {
  const { json, raw, token = adminToken } = sending
  const headers: Record<string, string> = {
    ...(token !== null && { authorization: `Bearer ${token}` }),
    ...(json !== undefined && { 'content-type': 'application/json' }),
    ...sending.headers,
  }
  const body = json === undefined ? raw : JSON.stringify(json)
  const init = { method, headers, ...(body !== undefined && { body, duplex: 'half' }) } as RequestInit
  const response = await api.request(path, init)
  const text = await response.text()
  const isJson = /[/+]json/.test(response.headers.get('content-type') ?? '')
  return { status: response.status, headers: response.headers, text, body: (isJson ? JSON.parse(text) : {}) as Body }
}

/** start → a → b, all at the worker `w`. */
export function chain(name: string, more: Record<string, Record<string, unknown>> = {}) {
  return {
    name,
    nodes: [
      { name: 'start', type: 'start', ...more.start },
      { name: 'a', type: 'custom', worker: 'w', ...more.a },
      { name: 'b', type: 'connector', worker: 'w', ...more.b },
    ],
    edges: [
      { from: 'start', to: 'a' },
      { from: 'a', to: 'b' },
    ],
  }
}

/** Registers the worker `w` at an address that nobody listens on, and publishes the chain. */
export async function published(test: TestApi, name: string, more = {}): Promise<Body> {
  await test.post('/api/workers', { name: 'w', urls: ['http://127.0.0.1:1'] })
  const made = await test.post('/api/topologies', chain(name, more))
  const answer = await test.post(`/api/topologies/${name}/publish`)
  if (made.status !== 201 || answer.status !== 200) throw new Error(`${made.text} ${answer.text}`)
  return answer.body
}

/** Node of a topology by its name. */
export async function nodeOf(test: TestApi, topology: string, name: string): Promise<Body> {
  const { body } = await test.get(`/api/topologies/${topology}/nodes`)
  const node = body.items.find((each) => each.name === name)
  if (!node) throw new Error(`no node ${name}`)
  return node
}

/** A bridge that says that it lives, and moves nothing. */
export async function beat(test: TestApi, id: string, more: Partial<Heartbeat> = {}): Promise<void> {
  const startedAt = new Date().toISOString()
  const nothing = { revisions: {}, sending: {}, instances: [], nodes: [] }
  const heartbeat: Heartbeat = { id, host: 'h', pid: 1, startedAt, rssBytes: 1, ...nothing, ...more }
  await test.queues.config.bridges.put(id, JSON.stringify(heartbeat))
}
