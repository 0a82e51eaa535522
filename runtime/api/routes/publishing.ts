import { createRoute } from '@hono/zod-openapi'
import { getRevision, listRevisions } from '../../store/queries/revisions.ts'
import type { Revision } from '../../store/queries/revisions.ts'
import type { Topology } from '../../store/queries/topologies.ts'
import { noteOf } from '../actions/cancel.ts'
import { beginDiscard, onTheirWay } from '../actions/discard/discard.ts'
import { publish, republish, rollback, unpublish } from '../actions/publish.ts'
import { changes, needs } from '../auth.ts'
import { ifMatch, setEtag } from '../input/conditional.ts'
import type { Api, ApiDeps } from '../deps.ts'
import { afterNumber, page, pageQuery } from '../input/paging.ts'
import { body, json, topologyParam } from '../schemas/common.ts'
import * as schemas from '../schemas/topologies.ts'
import { showTopology, topologyOf } from './topologies.ts'

const tags = ['Publishing']
const params = topologyParam

const publishRoute = createRoute({
  ...changes('design', 'publishTopology'),
  tags,
  summary: 'Publish the draft as a new revision',
  description:
    '400 names every fault of the graph at once; 409 when a node goes away to which messages may still come, unless `inFlight` says what becomes of them.',
  method: 'post',
  path: '/api/topologies/{topology}/publish',
  request: { params, query: schemas.publishQuery },
  responses: { 200: { description: 'Published', content: json(schemas.topology) } },
  'x-problems': [409, 412],
})

const republishRoute = createRoute({
  ...changes('operate', 'republishTopology'),
  tags,
  summary: 'Bring stored node values to the bridges',
  description:
    'A new revision: the published graph with the stored values. Waits up to 5 s for the live bridges. Works on enabled and disabled topologies; 409 while a draft.',
  method: 'post',
  path: '/api/topologies/{topology}/republish',
  request: { params },
  responses: { 200: { description: 'Republished', content: json(schemas.republished) } },
  'x-problems': [409, 412],
})

const unpublishRoute = createRoute({
  ...changes('design', 'unpublishTopology'),
  tags,
  summary: 'Stop, and go back to draft',
  description:
    'Idempotent. Queued messages are kept for a later publish. With `discard=true` they settle as cancelled, also those that an earlier unpublish kept: 202 while that goes on, and until then it can not be published; asked again when it is done, 200.',
  method: 'post',
  path: '/api/topologies/{topology}/unpublish',
  request: { params, query: schemas.unpublishQuery },
  responses: {
    200: { description: 'A draft', content: json(schemas.topology) },
    202: { description: 'A draft whose messages settle as cancelled', content: json(schemas.discarding) },
  },
  'x-problems': [412],
})

const listRoute = createRoute({
  ...needs('read'),
  operationId: 'listRevisions',
  tags,
  summary: 'List published revisions, the newest first',
  method: 'get',
  path: '/api/topologies/{topology}/revisions',
  request: { params, query: pageQuery },
  responses: { 200: { description: 'A page', content: json(schemas.revisionPage) } },
})

const getRoute = createRoute({
  ...needs('read'),
  operationId: 'getRevision',
  tags,
  summary: 'Get a revision with its plan',
  method: 'get',
  path: '/api/topologies/{topology}/revisions/{revision}',
  request: { params: schemas.revisionParam },
  responses: { 200: { description: 'The revision', content: json(schemas.revisionWithPlan) } },
})

const rollbackRoute = createRoute({
  ...changes('design', 'rollbackTopology'),
  tags,
  summary: 'Publish an earlier revision again',
  description: 'As a new revision; the draft stays as it is.',
  method: 'post',
  path: '/api/topologies/{topology}/rollback',
  request: { params, body: body(schemas.rollbackRequest) },
  responses: { 200: { description: 'Published', content: json(schemas.topology) } },
  'x-problems': [409, 412],
})

export function publishingRoutes(app: Api, deps: ApiDeps): void {
  app.openapi(publishRoute, async (c) => {
    const { id } = await topologyOf(deps, c.get('caller'), c.req.valid('param').topology)
    const topology = await publish({ ...deps, audit: c.get('audit') }, id, ifMatch(c), c.req.valid('query').inFlight)
    setEtag(c, topology.version)
    return c.json(showTopology(topology), 200)
  })
  app.openapi(republishRoute, async (c) => {
    const { id } = await topologyOf(deps, c.get('caller'), c.req.valid('param').topology)
    const { topology, bridges } = await republish({ ...deps, audit: c.get('audit') }, id, ifMatch(c))
    setEtag(c, topology.version)
    return c.json({ ...showTopology(topology), bridges }, 200)
  })
  app.openapi(unpublishRoute, async (c) => {
    const before = await topologyOf(deps, c.get('caller'), c.req.valid('param').topology)
    const { id } = before
    const changing = { ...deps, audit: c.get('audit') }
    const messagesLeft = c.req.valid('query').discard ? await toDiscard(deps, before) : null
    if (messagesLeft !== null) {
      const topology = await beginDiscard(changing, id, 'draft', ifMatch(c))
      setEtag(c, topology.version)
      return c.json({ ...showTopology(topology), messagesLeft, note: await noteOf(deps.queues) }, 202)
    }
    const topology = await unpublish(changing, id, ifMatch(c))
    setEtag(c, topology.version)
    return c.json(showTopology(topology), 200)
  })
  app.openapi(rollbackRoute, async (c) => {
    const { id } = await topologyOf(deps, c.get('caller'), c.req.valid('param').topology)
    const topology = await rollback({ ...deps, audit: c.get('audit') }, id, c.req.valid('json').revision, ifMatch(c))
    setEtag(c, topology.version)
    return c.json(showTopology(topology), 200)
  })
  revisionRoutes(app, deps)
}

/** How many messages are to be cancelled, or are being so; null: there is nothing to do. */
async function toDiscard(deps: ApiDeps, topology: Topology): Promise<number | null> {
  const left = await onTheirWay(deps, topology)
  return left > 0 || (await deps.queues.isCancelling(topology.id, null)) ? left : null
}

function revisionRoutes(app: Api, deps: ApiDeps): void {
  app.openapi(listRoute, async (c) => {
    const { limit, after } = c.req.valid('query')
    const { id } = await topologyOf(deps, c.get('caller'), c.req.valid('param').topology)
    const rows = await listRevisions(deps.store, id, limit + 1, afterNumber(after))
    return c.json(
      page(rows, limit, showRevision, (row) => String(row.revision)),
      200,
    )
  })
  app.openapi(getRoute, async (c) => {
    const { topology, revision } = c.req.valid('param')
    const { id } = await topologyOf(deps, c.get('caller'), topology)
    const row = await getRevision(deps.store, id, revision)
    return c.json({ ...showRevision(row), plan: showPlan(row) }, 200)
  })
}

function showPlan({ plan }: Revision): Record<string, unknown> {
  return { ...plan }
}

function showRevision({ revision, kind, createdAt }: Revision) {
  return { revision, kind, createdAt: createdAt.toISOString() }
}
