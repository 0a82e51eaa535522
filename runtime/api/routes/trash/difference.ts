import { createRoute } from '@hono/zod-openapi'
import { NotFound } from '../../../errors.ts'
import { getTrash, trashVersionsOf } from '../../../store/queries/trash.ts'
import type { TrashRow, TrashVersion } from '../../../store/queries/trash.ts'
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
    const edits = await trashVersionsOf(store, row.id)
    const { from = 0, to = edits.length } = c.req.valid('query')
    const { body, lines, headers, ...rest } = formDifference(formOf(row, edits, from), formOf(row, edits, to))
    return c.json({ from, to, ...rest, headers: [...headers], body: [...body], lines: [...lines] }, 200)
  })
}

/** Throws `NotFound`. */
function formOf(row: TrashRow, edits: readonly TrashVersion[], version: number): TrashRow | TrashVersion {
  const form = version === 0 ? row : edits[version - 1]
  if (form === undefined)
    throw new NotFound(`the message has no version ${version}: ${edits.length} is the newest, 0 the original`)
  return form
}
