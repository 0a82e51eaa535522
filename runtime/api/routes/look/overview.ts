import { createRoute } from '@hono/zod-openapi'
import { search } from '../../../store/queries/find/search.ts'
import { overview } from '../../actions/look/overview.ts'
import { needs } from '../../auth.ts'
import type { Api, ApiDeps } from '../../deps.ts'
import { afterText, page } from '../../input/paging.ts'
import { json } from '../../schemas/common.ts'
import * as schemas from '../../schemas/find/overview.ts'

const overviewRoute = createRoute({
  ...needs('read', { topologyBy: 'handler' }),
  operationId: 'listOverview',
  tags: ['Topologies'],
  summary: 'How all topologies are, by name',
  description:
    'Drafts and published ones, without their documents. How full queues are is told by events, and by `/api/queues`.',
  method: 'get',
  path: '/api/overview',
  request: { query: schemas.overviewQuery },
  responses: { 200: { description: 'A page', content: json(schemas.overviewPage) } },
})

const searchRoute = createRoute({
  ...needs('read', { topologyBy: 'handler' }),
  operationId: 'search',
  tags: ['System'],
  summary: 'Find topologies, nodes, runs and messages in Trash by name or id',
  method: 'get',
  path: '/api/search',
  request: { query: schemas.searchQuery },
  responses: {
    200: { description: 'Topologies first, then nodes, runs and messages', content: json(schemas.foundList) },
  },
})

export function overviewRoutes(app: Api, deps: ApiDeps): void {
  app.openapi(overviewRoute, async (c) => {
    const { limit, after, text, labels = [], show } = c.req.valid('query')
    const { topologyId } = c.get('caller')
    const filter = { topologyId: topologyId ?? undefined, text, labels, show }
    const { items, total } = await overview(deps, filter, limit + 1, afterText(after))
    const shown = page(
      items,
      limit,
      (row) => row,
      ({ name }) => name,
    )
    return c.json({ ...shown, total }, 200)
  })
  app.openapi(searchRoute, async (c) => {
    const { text, limit } = c.req.valid('query')
    return c.json({ items: await search(deps.store, text, c.get('caller').topologyId, limit) }, 200)
  })
}
