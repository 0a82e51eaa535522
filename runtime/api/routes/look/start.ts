import { createRoute } from '@hono/zod-openapi'
import { NotFound } from '../../../errors.ts'
import { startOf } from '../../../store/queries/history/reruns.ts'
import { needs } from '../../auth.ts'
import type { Api, ApiDeps } from '../../deps.ts'
import { idParam, json } from '../../schemas/common.ts'
import { startMessage } from '../../schemas/trash/exact.ts'
import { runOf } from '../runs.ts'

const get = createRoute({
  ...needs(['read', 'payload'], { topologyBy: 'handler' }),
  operationId: 'getRunStart',
  tags: ['Runs'],
  summary: 'Get the message that a run was started with, byte by byte',
  description: 'It is kept as long as the run. A 404 says why a run has none.',
  method: 'get',
  path: '/api/runs/{id}/start',
  request: { params: idParam },
  responses: { 200: { description: 'The message', content: json(startMessage) } },
})

export function runStartRoutes(app: Api, deps: ApiDeps): void {
  app.openapi(get, async (c) => {
    const run = await runOf(deps, c.get('caller'), c.req.valid('param').id)
    if (run.intake !== null)
      throw new NotFound('the run was split from a body that came in pieces, which is not kept as a whole')
    const start = await startOf(deps.store, run.id)
    if (start === null)
      throw new NotFound('the run has no start message: it began with recorded messages, or its start was never seen')
    const { tenant, contentType, headers, body } = start
    return c.json(
      { tenant, contentType, headers: { ...headers }, bodyBase64: Buffer.from(body).toString('base64') },
      200,
    )
  })
}
