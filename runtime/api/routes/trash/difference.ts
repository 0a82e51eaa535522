import { createRoute } from '@hono/zod-openapi'
import { formOf, getTrash, newestVersionOf } from '../../../store/queries/trash.ts'
import { formDifference } from '../../actions/trash/difference.ts'
import { checkTopology, needs } from '../../auth.ts'
import type { Api, ApiDeps } from '../../deps.ts'
import { idParam, json } from '../../schemas/common.ts'
import { differenceQuery, trashDifference } from '../../schemas/trash/difference.ts'

const difference = createRoute({
  ...needs(['read', 'payload'], { topologyBy: 'handler' }),
  operationId: 'getTrashDifference',
  tags: ['Trash'],
  summary: 'What differs between two versions of a message',
  description:
    'JSON value by value, other text line by line; at most 1000 changes. By default what the edits made of the original.',
  method: 'get',
  path: '/api/trash/{id}/difference',
  request: { params: idParam, query: differenceQuery },
  responses: { 200: { description: 'Empty lists: they are the same', content: json(trashDifference) } },
})

export function trashDifferenceRoutes(app: Api, { store }: ApiDeps): void {
  app.openapi(difference, async (c) => {
    const row = await getTrash(store, c.req.valid('param').id)
    checkTopology(c.get('caller'), row.topologyId)
    const { from = 0, to = await newestVersionOf(store, row.id) } = c.req.valid('query')
    const [before, after] = [await formOf(store, row, from), await formOf(store, row, to)]
    const { body, lines, headers, ...rest } = formDifference(before, after)
    return c.json({ from, to, ...rest, headers: [...headers], body: [...body], lines: [...lines] }, 200)
  })
}
