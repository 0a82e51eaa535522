/** What `sluice get` lists, and how it asks for it. */
import { dataOf } from '../../../client/answer.ts'
import type { Engine } from '../../../client/engine.ts'
import type { paths } from '../../../client/openapi.d.ts'

export type Row = Readonly<Record<string, unknown>>

/** Values of the flags that narrow a list. */
export interface Filters {
  readonly node?: string
  readonly run?: string
  readonly tenant?: string
  readonly state?: string
  readonly since?: string
  readonly until?: string
  readonly fingerprint?: string
  readonly text?: string
  readonly who?: string
  readonly action?: string
  readonly active?: string
}

export type FilterName = keyof Filters

export interface Wanted extends Filters {
  /** Name or id. */
  readonly topology?: string
}

export interface Kind {
  readonly columns: readonly string[]
  /** Whether the list is of one topology. */
  readonly of: 'topology' | 'all' | 'either'
  readonly filters?: readonly FilterName[]
  read(engine: Engine, wanted: Wanted, limit: number): Promise<readonly Row[]>
}

type Query<P extends keyof paths> = paths[P] extends { get: { parameters: { query?: infer Q } } }
  ? NonNullable<Q>
  : never

/** The engine says which values there are. */
const runQuery = (wanted: Wanted) => wanted as Omit<Query<'/api/runs'>, 'limit' | 'after'>
const cursorQuery = (wanted: Wanted) => wanted as Omit<Query<'/api/cursors'>, 'limit' | 'after'>
const watermarkQuery = (wanted: Wanted) => wanted as Omit<Query<'/api/watermarks'>, 'limit' | 'after'>
const auditQuery = (wanted: Wanted) => wanted as Omit<Query<'/api/audit'>, 'limit' | 'after'>
const trashQuery = (wanted: Wanted) => wanted as Omit<Query<'/api/trash'>, 'limit' | 'after'>

const trashFilters = ['node', 'run', 'tenant', 'state', 'since', 'until', 'fingerprint', 'text'] as const

export const kinds = {
  topologies: {
    columns: ['name', 'visibility', 'revision', 'enabled', 'pausedReason', 'bridgeOutOfSync', 'id'],
    of: 'all',
    read: (engine, _, limit) => engine.list('/api/topologies', {}, limit),
  },
  nodes: {
    columns: [
      ...['name', 'type', 'worker', 'prefetch', 'partitions', 'enabled', 'pausedReason', 'breaker', 'leaving'],
      ...['firing', 'queued', 'followers', 'id'],
    ],
    of: 'topology',
    read: (engine, { topology = '' }, limit) =>
      engine.list('/api/topologies/{topology}/nodes', { path: { topology } }, limit),
  },
  cron: {
    columns: [
      ...['topology', 'node', 'cron', 'timezone', 'overlap', 'active', 'nextAt', 'lastAt', 'lastRunId'],
      ...['queued', 'skipped', 'lastSkipped'],
    ],
    of: 'either',
    read: (engine, { topology }, limit) =>
      engine.list('/api/cron', { query: topology === undefined ? {} : { topology } }, limit),
  },
  revisions: {
    columns: ['revision', 'kind', 'createdAt'],
    of: 'topology',
    read: (engine, { topology = '' }, limit) =>
      engine.list('/api/topologies/{topology}/revisions', { path: { topology } }, limit),
  },
  queues: {
    columns: [
      'topology',
      'node',
      'pending',
      'inFlight',
      'delayed',
      'replies',
      'ratePerSecond',
      'oldestMs',
      'pausedReason',
    ],
    of: 'either',
    read: (engine, { topology }, limit) =>
      engine.list('/api/queues', { query: topology === undefined ? {} : { topology } }, limit),
  },
  'topology-status': {
    columns: ['name', 'revision', 'enabled', 'paused', 'openTrash', 'attention', 'history', 'id'],
    of: 'all',
    read: (engine, _, limit) => engine.list('/api/status/topologies', {}, limit),
  },
  runs: {
    columns: ['id', 'topology', 'node', 'state', 'queued', 'startedAt', 'durationMs', 'messages', 'rerunOf'],
    of: 'either',
    filters: ['node', 'tenant', 'state', 'since', 'until'],
    read: (engine, wanted, limit) => engine.list('/api/runs', { query: runQuery(wanted) }, limit),
  },
  cursors: {
    columns: ['id', 'topology', 'node', 'tenant', 'state', 'page', 'next', 'progress', 'runId'],
    of: 'either',
    filters: ['node', 'tenant', 'run', 'active'],
    read: (engine, wanted, limit) => engine.list('/api/cursors', { query: cursorQuery(wanted) }, limit),
  },
  watermarks: {
    columns: ['topology', 'node', 'tenant', 'watermark', 'runId', 'by', 'updatedAt', 'id'],
    of: 'either',
    filters: ['node', 'tenant'],
    read: (engine, wanted, limit) => engine.list('/api/watermarks', { query: watermarkQuery(wanted) }, limit),
  },
  trash: {
    columns: ['id', 'topology', 'node', 'state', 'error', 'createdAt'],
    of: 'either',
    filters: trashFilters,
    read: (engine, wanted, limit) => engine.list('/api/trash', { query: trashQuery(wanted) }, limit),
  },
  'trash-groups': {
    columns: ['count', 'topology', 'node', 'error', 'firstSeen', 'lastSeen', 'fingerprint'],
    of: 'either',
    filters: trashFilters,
    read: (engine, wanted, limit) => engine.list('/api/trash/groups', { query: trashQuery(wanted) }, limit),
  },
  workers: {
    columns: ['name', 'dialect', 'urls', 'instances'],
    of: 'all',
    read: (engine, _, limit) => engine.list('/api/workers', {}, limit),
  },
  services: {
    columns: ['name', 'limits', 'maxInFlight', 'inFlightScope'],
    of: 'all',
    read: (engine, _, limit) => engine.list('/api/services', {}, limit),
  },
  tokens: {
    columns: ['id', 'name', 'scopes', 'topologyId', 'expiresAt', 'lastUsedAt'],
    of: 'all',
    read: (engine, _, limit) => engine.list('/api/tokens', {}, limit),
  },
  audit: {
    columns: ['at', 'who', 'action', 'target', 'after', 'address'],
    of: 'either',
    filters: ['who', 'action', 'since', 'until'],
    read: (engine, wanted, limit) => engine.list('/api/audit', { query: auditQuery(wanted) }, limit),
  },
  bridges: {
    columns: ['id', 'host', 'pid', 'startedAt', 'rssBytes'],
    of: 'all',
    read: async (engine, _, limit) => (await dataOf(engine.GET('/api/status'))).bridges.slice(0, limit),
  },
} as const satisfies Record<string, Kind>
