import { createRoute } from '@hono/zod-openapi'
import { editorSchema } from '../../../topology/files/json-schema.ts'
import type { Api } from '../../deps.ts'
import * as schemas from '../../schemas/files.ts'

/** Open: it is the same for everybody, and editors send no token. */
const route = createRoute({
  operationId: 'getTopologySchema',
  tags: ['System'],
  summary: 'JSON Schema of a topology document, for editors',
  method: 'get',
  path: '/api/schemas/topology.json',
  responses: {
    200: { description: 'The schema', content: { 'application/schema+json': { schema: schemas.editorSchema } } },
  },
})

export function schemaRoutes(app: Api): void {
  app.openapi(route, (c) => c.json(editorSchema(), 200, headers))
}

const headers = { 'Content-Type': 'application/schema+json', 'cache-control': 'public, max-age=3600' } as const
