import { createRoute, z } from '@hono/zod-openapi'
import { attempt, statusOf, topologyStatuses } from '../actions/health/status.ts'
import { listQueues } from '../actions/look/queues.ts'
import { needs } from '../auth.ts'
import type { Api, ApiDeps } from '../deps.ts'
import { afterNumbered, afterText, markNumbered, page, pageQuery } from '../input/paging.ts'
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
  summary: 'What the engine is made of, how it is, and where somebody has to look',
  method: 'get',
  path: '/api/status',
  responses: { 200: { description: 'Also while a part is away', content: json(schemas.status) } },
})

const topologiesRoute = createRoute({
  ...needs('read'),
  operationId: 'listTopologyStatus',
  tags,
  summary: 'How each published topology is, by name',
  method: 'get',
  path: '/api/status/topologies',
  request: { query: pageQuery },
  responses: { 200: { description: 'A page', content: json(schemas.topologyStatusPage) } },
})

const queuesRoute = createRoute({
  ...needs('read', { topologyBy: 'handler' }),
  operationId: 'listQueues',
  tags: ['Queues'],
  summary: 'How much waits before each node of the published topologies',
  method: 'get',
  path: '/api/queues',
  description: 'By name of the topology, and in the order of its nodes.',
  request: {
    query: pageQuery.extend({ topology: z.string().max(200).optional().openapi({ description: 'Id or name' }) }),
  },
  responses: { 200: { description: 'A page', content: json(schemas.queuePage) } },
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
  app.openapi(topologiesRoute, async (c) => {
    const { limit, after } = c.req.valid('query')
    const rows = await topologyStatuses(deps, limit + 1, afterText(after))
    return c.json(
      page(
        rows,
        limit,
        (row) => row,
        ({ name }) => name,
      ),
      200,
    )
  })
  app.openapi(queuesRoute, async (c) => {
    const { topology, limit, after } = c.req.valid('query')
    const caller = c.get('caller')
    const wanted = topology ?? caller.topologyId
    const one = wanted === null ? null : await topologyOf(deps, caller, wanted)
    const rows = await listQueues(deps, one, limit + 1, afterNumbered(after))
    return c.json(
      page(
        rows,
        limit,
        ({ position: _, ...queue }) => queue,
        ({ position, topology }) => markNumbered({ number: position, text: topology }),
      ),
      200,
    )
  })
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
