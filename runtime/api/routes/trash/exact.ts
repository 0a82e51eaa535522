import { createRoute, z } from '@hono/zod-openapi'
import { formOf, getTrash, newestVersionOf } from '../../../store/queries/trash.ts'
import { checkTopology, needs } from '../../auth.ts'
import type { Api, ApiDeps } from '../../deps.ts'
import { idParam, json, wholeQuery } from '../../schemas/common.ts'
import { exactMessage } from '../../schemas/trash/exact.ts'

const query = z.object({
  version: wholeQuery(0, 999_999_999).optional().openapi({ description: '0 is the original; by default the newest' }),
})

const get = createRoute({
  ...needs(['read', 'payload'], { topologyBy: 'handler' }),
  operationId: 'getTrashBody',
  tags: ['Trash'],
  summary: 'Get what a message in Trash holds, byte by byte',
  description: 'For who edits it: what comes back by `bodyBase64` of a PUT is what was there, but for what was edited.',
  method: 'get',
  path: '/api/trash/{id}/body',
  request: { params: idParam, query },
  responses: { 200: { description: 'The version', content: json(exactMessage) } },
})

export function trashBodyRoutes(app: Api, { store }: ApiDeps): void {
  app.openapi(get, async (c) => {
    const row = await getTrash(store, c.req.valid('param').id)
    checkTopology(c.get('caller'), row.topologyId)
    const { version = await newestVersionOf(store, row.id) } = c.req.valid('query')
    const { contentType, headers, body } = await formOf(store, row, version)
    return c.json(
      { version, contentType, headers: { ...headers }, bodyBase64: Buffer.from(body).toString('base64') },
      200,
    )
  })
}
