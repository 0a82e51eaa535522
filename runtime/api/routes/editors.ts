import { createRoute } from '@hono/zod-openapi'
import { getDrawing } from '../../store/queries/drawings.ts'
import { allWorkers } from '../../store/queries/workers.ts'
import { drawBpmn, drawJson } from '../../topology/editors/editors.ts'
import { draftOf } from '../actions/drafts.ts'
import { replaceDrawing, sentBpmn, sentJson } from '../actions/drawings.ts'
import type { Sent } from '../actions/drawings.ts'
import { changes, needs } from '../auth.ts'
import { ifMatch, setEtag } from '../input/conditional.ts'
import type { Api, ApiDeps, ApiEnv } from '../deps.ts'
import { body, json, topologyParam } from '../schemas/common.ts'
import * as schemas from '../schemas/editors.ts'
import { showTopology, topologyOf } from './topologies.ts'
import type { Context } from 'hono'

const tags = ['Older editors']
const params = topologyParam
const saved = { 200: { description: 'Saved as the draft', content: json(schemas.drawnTopology) } }

const getBpmn = createRoute({
  ...needs('read'),
  operationId: 'getTopologyBpmn',
  tags,
  summary: 'Get the draft as BPMN XML',
  description: 'With the layout and everything else of the BPMN document that was put last.',
  method: 'get',
  path: '/api/topologies/{topology}/schema.bpmn',
  request: { params },
  responses: { 200: { description: 'The document', content: schemas.xml(schemas.bpmnText) } },
})

const putBpmn = createRoute({
  ...changes('design', 'replaceTopologyBpmn'),
  tags,
  summary: 'Replace the draft by BPMN XML',
  description:
    '`pipes:rabbitPrefetch` always wins over the stored value. What the document has no words for stays as it is in the draft; `warnings` tell what has no counterpart here.',
  method: 'put',
  path: '/api/topologies/{topology}/schema.bpmn',
  request: {
    params,
    query: schemas.drawingQuery,
    body: { required: true as const, content: schemas.xml(schemas.bpmnText) },
  },
  responses: saved,
  'x-problems': [412],
})

const getJson = createRoute({
  ...needs('read'),
  operationId: 'getTopologyFlow',
  tags,
  summary: 'Get the draft as the payload of the flow editor',
  description: 'With the layout and everything else of the payload that was put last.',
  method: 'get',
  path: '/api/topologies/{topology}/schema.json',
  request: { params },
  responses: { 200: { description: 'The payload', content: json(schemas.flowPayload) } },
})

const putJson = createRoute({
  ...changes('design', 'replaceTopologyFlow'),
  tags,
  summary: 'Replace the draft by a payload of the flow editor',
  description:
    'A prefetch up to 1 leaves a stored value over 1 as it is, since the editor fills in 1 by itself. What the payload has no words for stays as it is in the draft; `warnings` tell what has no counterpart here.',
  method: 'put',
  path: '/api/topologies/{topology}/schema.json',
  request: { params, query: schemas.drawingQuery, body: body(schemas.flowPayload) },
  responses: saved,
  'x-problems': [412],
})

export function editorRoutes(app: Api, deps: ApiDeps): void {
  app.openapi(getBpmn, async (c) => {
    const { draft, workers, drawing } = await drawn(deps, c, c.req.valid('param').topology)
    return c.body(drawBpmn(draft, workers, drawing), 200, { 'content-type': 'application/xml; charset=utf-8' })
  })
  app.openapi(putBpmn, async (c) => {
    const sent = sentBpmn(await c.req.text())
    const { dryRun } = c.req.valid('query')
    return c.json(await save(deps, c, c.req.valid('param').topology, sent, dryRun), 200)
  })
  app.openapi(getJson, async (c) => {
    const { draft, workers, drawing } = await drawn(deps, c, c.req.valid('param').topology)
    return c.json(drawJson(draft, workers, drawing), 200)
  })
  app.openapi(putJson, async (c) => {
    const sent = sentJson(c.req.valid('json'))
    const { dryRun } = c.req.valid('query')
    return c.json(await save(deps, c, c.req.valid('param').topology, sent, dryRun), 200)
  })
}

async function drawn(deps: ApiDeps, c: Context<ApiEnv>, ref: string) {
  const topology = await topologyOf(deps, c.get('caller'), ref)
  const [workers, drawing] = await Promise.all([allWorkers(deps.store), getDrawing(deps.store, topology.id)])
  setEtag(c, topology.version)
  return { draft: draftOf(topology), workers, drawing }
}

async function save(deps: ApiDeps, c: Context<ApiEnv>, ref: string, sent: Sent, isDry: boolean) {
  const { id } = await topologyOf(deps, c.get('caller'), ref)
  const changing = { ...deps, audit: c.get('audit') }
  const { topology, warnings } = await replaceDrawing(changing, id, sent, ifMatch(c), isDry)
  if (!isDry) deps.events.emit({ kind: 'draft', topologyId: id })
  setEtag(c, topology.version)
  return { ...showTopology(topology), warnings }
}
