import { createRoute } from '@hono/zod-openapi'
import { listAudit } from '../../../store/queries/audit.ts'
import type { AuditRow } from '../../../store/queries/audit.ts'
import { needs } from '../../auth.ts'
import type { Api, ApiDeps } from '../../deps.ts'
import { afterPlace, markOf, page, pageQuery } from '../../input/paging.ts'
import { json, text, timeQuery } from '../../schemas/common.ts'
import * as schemas from '../../schemas/access.ts'
import { filteredId } from '../topologies.ts'

const query = pageQuery.extend({
  topology: text(200).optional().openapi({ description: 'Id or name; the id of a deleted one' }),
  who: text(200).optional().openapi({ description: 'Name or id of a token' }),
  action: text(100).optional().openapi({ description: 'Id of the operation', example: 'publishTopology' }),
  since: timeQuery.optional().openapi({ description: 'At that time or later' }),
  until: timeQuery.optional().openapi({ description: 'Before that time' }),
})

const list = createRoute({
  ...needs('admin'),
  operationId: 'listAudit',
  tags: ['Audit'],
  summary: 'Who changed what, the newest first',
  description:
    'Every change over this API but starts of runs, written in the same transaction as the change. Secrets and what messages hold are not in it: just that they changed.',
  method: 'get',
  path: '/api/audit',
  request: { query },
  responses: { 200: { description: 'A page', content: json(schemas.auditPage) } },
})

export function auditRoutes(app: Api, deps: ApiDeps): void {
  app.openapi(list, async (c) => {
    const { limit, after, topology, ...filter } = c.req.valid('query')
    const topologyId = await filteredId(deps, topology)
    const rows = await listAudit(deps.store, { topologyId, ...filter }, limit + 1, afterPlace(after))
    return c.json(
      page(rows, limit, show, (row) => markOf(row)),
      200,
    )
  })
}

function show({ kind, targetId, targetName, at, ...row }: AuditRow): schemas.AuditEntry {
  return { ...row, at: at.toISOString(), target: { kind, id: targetId, name: targetName } }
}
