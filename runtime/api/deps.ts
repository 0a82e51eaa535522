import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Admission } from './actions/admission.ts'
import type { ControlQueues } from '../queue/control.ts'
import type { Events } from '../queue/events.ts'
import type { HistoryReport } from '../queue/janitor/janitor.ts'
import type { Store } from '../store/store.ts'
import type { Log } from '../telemetry/log.ts'
import type { Access } from './access/access.ts'
import type { Audit } from './access/change.ts'
import type { Metrics } from '../telemetry/metrics.ts'

/** What the API works with. */
export interface ApiDeps {
  readonly store: Store
  readonly queues: ControlQueues
  readonly events: Events
  readonly admission: Admission
  /** What the janitor last found in each stream, by topology id. */
  readonly histories: () => ReadonlyMap<string, HistoryReport>
  /** Of the process, with what control knows. */
  readonly metrics: Metrics
  /** May do everything; kept in no table. */
  readonly adminToken: string
  /** Encrypts worker secrets at rest. */
  readonly secretKey: string
  /** Of the engine. */
  readonly version: string
  readonly access: Access
  /** Where the console lies when it is built; null: none is served. */
  readonly consoleFolder: string | null
  readonly log: Log
}

/** What a change works with. */
export type Changing = ApiDeps & { readonly audit: Audit }

/**
 * What a token may do: `read` looks, `payload` sees what messages hold, `run` starts, `operate` keeps things going (pause,
 * prefetch, Trash), `design` changes topologies and workers, `admin` everything, tokens too.
 */
export const scopes = ['read', 'payload', 'run', 'operate', 'design', 'admin'] as const
export type Scope = (typeof scopes)[number]

/** Who calls. */
export interface Caller {
  /** Name of the token. */
  readonly name: string
  readonly scopes: ReadonlySet<string>
  /** Id of the only topology that the token is good for; null: all. */
  readonly topologyId: string | null
  /** Null: the admin token of the options. */
  readonly tokenId: string | null
  /** Null: the token itself was sent, not the cookie of a login. */
  readonly sessionId: string | null
  /** Null: good until it is revoked. */
  readonly expiresAt: Date | null
}

export interface ApiEnv {
  Variables: {
    caller: Caller
    /** Where the request came from; null: not known. */
    address: string | null
    /** In routes that change something. */
    audit: Audit
  }
}

export type Api = OpenAPIHono<ApiEnv>
