import { createRoute } from '@hono/zod-openapi'
import { needs } from '../../auth.ts'
import type { Api, ApiDeps } from '../../deps.ts'
import { json } from '../../schemas/common.ts'
import * as schemas from '../../schemas/files.ts'
import { topologyOf } from '../topologies.ts'

const route = createRoute({
  ...needs('read'),
  operationId: 'getAppliedRevision',
  tags: ['Publishing'],
  summary: 'Which live bridges go by the revision in force',
  description: 'Of a draft: which ones have stopped it.',
  method: 'get',
  path: '/api/topologies/{topology}/applied',
  request: { params: schemas.appliedParam, query: schemas.appliedQuery },
  responses: { 200: { description: 'As their last heartbeats say', content: json(schemas.applied) } },
})

export function appliedRoutes(app: Api, deps: ApiDeps): void {
  app.openapi(route, async (c) => {
    const topology = await topologyOf(deps, c.get('caller'), c.req.valid('param').topology)
    const revision = topology.visibility === 'public' ? topology.revision : null
    const bridges = await deps.queues.awaitApplied(topology.id, revision ?? 0, c.req.valid('query').waitMs)
    return c.json({ revision, ...bridges }, 200)
  })
}
