import { createRoute } from '@hono/zod-openapi'
import { getService } from '../../../store/queries/services.ts'
import { stateOf } from '../../actions/limits/state.ts'
import { needs } from '../../auth.ts'
import type { Api, ApiDeps } from '../../deps.ts'
import { afterText, textMark } from '../../input/paging.ts'
import { json, nameParam } from '../../schemas/common.ts'
import * as schemas from './schemas.ts'

const route = createRoute({
  ...needs('read'),
  operationId: 'getServiceState',
  tags: ['Services'],
  summary: 'What the limits of a service do now, and when what waits will be done',
  description:
    'Asked of all live bridges at this moment. Keys per tenant come page by page: those that are in use, or asked to wait within a day. Times are by the clock of control, which `sluice doctor` compares with that of the NATS server.',
  method: 'get',
  path: '/api/services/{name}/state',
  request: { params: nameParam, query: schemas.stateQuery },
  responses: { 200: { description: 'What is known now', content: json(schemas.serviceState) } },
})

export function serviceStateRoutes(app: Api, deps: ApiDeps): void {
  app.openapi(route, async (c) => {
    const { tenant, limit, after } = c.req.valid('query')
    const service = await getService(deps.store, c.req.valid('param').name)
    const { last, ...state } = await stateOf(deps, service, { tenant, limit, after: afterText(after) })
    return c.json({ ...state, next: last === null ? null : textMark(last) }, 200)
  })
}
