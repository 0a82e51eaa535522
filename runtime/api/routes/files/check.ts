import { createRoute } from '@hono/zod-openapi'
import type { z } from '@hono/zod-openapi'
import { checkPublishing } from '../../actions/publishing/check.ts'
import type { Checked } from '../../actions/publishing/check.ts'
import { needs } from '../../auth.ts'
import type { Api, ApiDeps } from '../../deps.ts'
import { setEtag } from '../../input/conditional.ts'
import { body, json, topologyParam } from '../../schemas/common.ts'
import * as schemas from '../../schemas/files.ts'
import { topologyDocument } from '../../schemas/topologies.ts'
import { topologyOf } from '../topologies.ts'
import { sidesOf } from './difference.ts'

const route = createRoute({
  ...needs('read'),
  operationId: 'checkTopology',
  tags: ['Publishing'],
  summary: 'Check what saving and publishing a document would come to',
  description:
    'By the same checks, against the workers and services that there are now. Nothing is stored. 400 for a body that is no document at all: without a list of nodes.',
  method: 'post',
  path: '/api/topologies/{topology}/check',
  request: { params: topologyParam, query: schemas.checkQuery, body: body(topologyDocument) },
  responses: { 200: { description: 'What is wrong, and what would change', content: json(schemas.checked) } },
})

export function checkRoutes(app: Api, deps: ApiDeps): void {
  app.openapi(route, async (c) => {
    const topology = await topologyOf(deps, c.get('caller'), c.req.valid('param').topology)
    const checked = await checkPublishing(deps, topology, c.req.valid('json'), c.req.valid('query').drawn)
    // Of the draft that `changes` compares with: a change that sends it back overwrites nobody else's.
    setEtag(c, topology.version)
    return c.json(show(checked), 200)
  })
}

function show({ errors, difference, changes, leaving }: Checked): z.infer<typeof schemas.checked> {
  return {
    errors: [...errors],
    difference: difference && { from: difference.from, to: null, ...sidesOf(difference.difference) },
    changes: changes && sidesOf(changes),
    leaving: [...leaving],
  }
}
