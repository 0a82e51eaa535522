import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Admission } from './actions/admission.ts'
import type { ControlQueues } from '../queue/control.ts'
import type { Events } from '../queue/events.ts'
import type { HistoryReport } from '../queue/janitor/janitor.ts'
import type { Store } from '../store/store.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'

/** What the API works with. */
export interface ApiDeps {
  readonly store: Store
  readonly queues: ControlQueues
  readonly events: Events
  readonly admission: Admission
  /** What the janitor last found in a topology's stream; null: nothing yet. */
  readonly historyOf: (topologyId: string) => HistoryReport | null
  /** Of the process, with what control knows. */
  readonly metrics: Metrics
  /** May do everything; kept in no table. */
  readonly adminToken: string
  /** Encrypts worker secrets at rest. */
  readonly secretKey: string
  /** Of the engine. */
  readonly version: string
  readonly log: Log
}

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
}

export interface ApiEnv {
  Variables: { caller: Caller }
}

export type Api = OpenAPIHono<ApiEnv>
