import { createRoute, z } from '@hono/zod-openapi'
import { Unavailable, textOf } from '../../errors.ts'
import { listNodes } from '../../store/queries/nodes.ts'
import { openTrash } from '../../store/trash/groups.ts'
import { publicHeads } from '../../store/queries/topologies.ts'
import { troublesOf } from '../actions/health/trouble.ts'
import { listQueues } from '../actions/look/queues.ts'
import { needs } from '../auth.ts'
import type { Api, ApiDeps } from '../deps.ts'
import { json } from '../schemas/common.ts'
import * as schemas from '../schemas/system.ts'
import { topologyOf } from './topologies.ts'

const tags = ['System']

const healthz = createRoute({
  operationId: 'getHealth',
  tags,
  summary: 'Whether the process lives',
  method: 'get',
  path: '/healthz',
  responses: { 200: { description: 'It does', content: json(schemas.health) } },
})

const readiness = { content: json(schemas.readiness) }

const readyz = createRoute({
  operationId: 'getReadiness',
  tags,
  summary: 'Whether messages can flow',
  description: 'NATS and Postgres answer, and at least one bridge lives.',
  method: 'get',
  path: '/readyz',
  responses: {
    200: { description: 'They can', ...readiness },
    503: { description: 'They cannot, and why', ...readiness },
  },
})

const statusRoute = createRoute({
  ...needs('read'),
  operationId: 'getStatus',
  tags,
  summary: 'What the engine is made of, and how it is',
  method: 'get',
  path: '/api/status',
  responses: { 200: { description: 'Also while a part is away', content: json(schemas.status) } },
})

const queuesRoute = createRoute({
  ...needs('read', { topologyBy: 'handler' }),
  operationId: 'listQueues',
  tags: ['Queues'],
  summary: 'How much waits before each node of the published topologies',
  method: 'get',
  path: '/api/queues',
  request: { query: z.object({ topology: z.string().max(200).optional().openapi({ description: 'Id or name' }) }) },
  responses: { 200: { description: 'All of them', content: json(schemas.queueList) } },
  'x-problems': [404],
})

export function systemRoutes(app: Api, deps: ApiDeps): void {
  app.openapi(healthz, (c) => c.json({ status: 'ok' as const }, 200))
  app.openapi(readyz, async (c) => {
    const reasons = await missingParts(deps)
    if (reasons.length === 0) return c.json({ status: 'ready' as const, reasons }, 200)
    return c.json({ status: 'not ready' as const, reasons }, 503)
  })
  app.openapi(statusRoute, async (c) => c.json(await statusOf(deps), 200))
  app.openapi(queuesRoute, async (c) => {
    const { topology } = c.req.valid('query')
    const caller = c.get('caller')
    const wanted = topology ?? caller.topologyId
    const one = wanted === null ? null : await topologyOf(deps, caller, wanted)
    return c.json({ items: await listQueues(deps, one) }, 200)
  })
}

/** The answer, or why there is none: a part that is away is what these routes are for. */
async function attempt<T>(work: () => Promise<T>): Promise<{ value: T; why: null } | { value: null; why: string }> {
  try {
    return { value: await work(), why: null }
  } catch (error) {
    if (error instanceof Unavailable) return { value: null, why: textOf(error) }
    throw error
  }
}

async function missingParts({ store, queues }: ApiDeps): Promise<string[]> {
  const [postgres, nats, bridges] = await Promise.all([
    attempt(() => store.ping()),
    attempt(() => queues.status()),
    attempt(() => queues.bridges()),
  ])
  const away = postgres.why === null ? [] : [postgres.why]
  if (nats.why !== null) return [...away, nats.why]
  if (!nats.value.connected) return [...away, 'NATS is not connected']
  if (bridges.why !== null) return [...away, bridges.why]
  return bridges.value.length > 0 ? away : [...away, 'no bridge is alive: start one with `sluice bridge`']
}

async function statusOf(deps: ApiDeps): Promise<z.infer<typeof schemas.status>> {
  const { queues, version } = deps
  const [nats, bridges, topologies] = await Promise.all([
    attempt(() => queues.status()),
    attempt(() => queues.bridges()),
    attempt(() => topologiesOf(deps)),
  ])
  const troubles = await troublesOf(deps, bridges.value ?? [])
  return {
    version,
    nats: {
      connected: nats.value?.connected ?? false,
      detail: nats.why,
      version: nats.value?.version ?? null,
      streams: nats.value?.streams ?? null,
      bytes: nats.value?.bytes ?? null,
    },
    postgres: { connected: topologies.why === null, detail: topologies.why },
    bridges: (bridges.value ?? []).map(({ id, host, pid, startedAt, rssBytes }) => ({
      id,
      host,
      pid,
      startedAt,
      rssBytes,
      trouble: troubles.get(id) ?? [],
    })),
    topologies: topologies.value ?? [],
  }
}

async function topologiesOf(deps: ApiDeps): Promise<z.infer<typeof schemas.status>['topologies']> {
  const [rows, trash] = await Promise.all([publicHeads(deps.store), openTrash(deps.store)])
  return Promise.all(
    rows.map(async ({ id, name, revision, enabled }) => ({
      ...{ id, name, revision, enabled },
      openTrash: trash.get(id) ?? 0,
      history: await historyOf(deps, id),
    })),
  )
}

async function historyOf({ store, historyOf }: ApiDeps, topologyId: string) {
  const report = historyOf(topologyId)
  if (report === null) return null
  const { bytes, oldestAt, isFull, heldBack } = report
  const common = { bytes, oldestAt: oldestAt?.toISOString() ?? null, isFull }
  if (heldBack === null) return { ...common, heldBack }
  const nodes = heldBack.nodeId === null ? [] : await listNodes(store, topologyId, true)
  const node = nodes.find(({ id }) => id === heldBack.nodeId)
  return {
    ...common,
    heldBack: { ...heldBack, node: node?.name ?? null, since: heldBack.since?.toISOString() ?? null },
  }
}
