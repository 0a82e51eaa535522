import { createRoute } from '@hono/zod-openapi'
import type { z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { Invalid } from '../../../errors.ts'
import { getBulk, listBulks } from '../../../store/bulk/bulks.ts'
import type { Bulk } from '../../../store/bulk/bulks.ts'
import { listMessages } from '../../../store/bulk/messages.ts'
import { nodeIdsOf } from '../../../store/queries/nodes.ts'
import { findTopology } from '../../../store/queries/topologies.ts'
import { changeBulkState } from '../../actions/bulk/change.ts'
import type { Wish } from '../../actions/bulk/change.ts'
import { canaryDefault, createBulk } from '../../actions/bulk/create.ts'
import type { Wanted } from '../../actions/bulk/create.ts'
import { previewBulk } from '../../actions/bulk/preview.ts'
import { changes, checkTopology, has, needs, ownTopology } from '../../auth.ts'
import { ifMatch, setEtag } from '../../input/conditional.ts'
import type { Api, ApiDeps, ApiEnv, Caller } from '../../deps.ts'
import { afterNumber, afterPlace, markOf, page } from '../../input/paging.ts'
import { HttpProblem } from '../../problem.ts'
import { body, idParam as params, json } from '../../schemas/common.ts'
import { filteredId } from '../topologies.ts'
import * as schemas from './schemas.ts'
import { listedOutcomes, showBulk, showMessage } from './show.ts'

const tags = ['Trash']
const path = '/api/trash/bulk/{id}'
const answer = { 200: { description: 'The bulk', content: json(schemas.bulk) } }

const create = createRoute({
  ...changes('operate', 'createBulk', { topologyBy: 'handler' }),
  tags,
  summary: 'Replay or discard many messages',
  description:
    'All open messages that the filter leaves now: what fails later does not join. Carried out by the engine, also when controls stop and start. A replay begins with one message, goes on with a few when that ends well, then with ever more, and stops by itself when too many fail again. Each message is sent once, whatever else replays or discards it; what cannot be sent is refused, and stays as it is. What does not fit the input schema of its node, or could not be checked by it, is refused, unless `acceptWarnings` is true. A patch needs the scope `payload`, too, and so does a filter by `body`.',
  method: 'post',
  path: '/api/trash/bulk',
  request: { body: body(schemas.bulkRequest) },
  responses: { 202: { description: 'It begins', content: json(schemas.bulk) } },
  'x-problems': [404, 409],
})

const preview = createRoute({
  ...needs(['operate', 'payload'], { topologyBy: 'handler' }),
  operationId: 'previewBulk',
  tags,
  summary: 'See what a bulk would do',
  description: 'On up to 10 messages, spread over the set. Changes nothing.',
  method: 'post',
  path: '/api/trash/bulk/preview',
  request: { body: body(schemas.bulkPreviewRequest) },
  responses: { 200: { description: 'Samples', content: json(schemas.bulkPreview) } },
  'x-problems': [404, 409],
})

const list = createRoute({
  ...needs('read', { topologyBy: 'handler' }),
  operationId: 'listBulks',
  tags,
  summary: 'List bulks, the newest first',
  description: 'Those that ended more than 30 days ago are forgotten.',
  method: 'get',
  path: '/api/trash/bulk',
  request: { query: schemas.listQuery },
  responses: { 200: { description: 'A page', content: json(schemas.bulkPage) } },
})

const get = createRoute({
  ...needs('read', { topologyBy: 'handler' }),
  operationId: 'getBulk',
  tags,
  summary: 'Get a bulk, and how it goes',
  method: 'get',
  path,
  request: { params },
  responses: answer,
})

const messages = createRoute({
  ...needs('read', { topologyBy: 'handler' }),
  operationId: 'listBulkMessages',
  tags,
  summary: 'List the messages of a bulk with what became of each, the oldest first',
  method: 'get',
  path: `${path}/messages`,
  request: { params, query: schemas.messagesQuery },
  responses: { 200: { description: 'A page', content: json(schemas.bulkMessagePage) } },
})

const pause = createRoute({
  ...changes('operate', 'pauseBulk', { topologyBy: 'handler' }),
  tags,
  summary: 'Pause a bulk',
  description: 'Nothing more is sent; what is under way goes on. Idempotent; 409 when it has ended or stopped.',
  method: 'post',
  path: `${path}/pause`,
  request: { params },
  responses: answer,
  'x-problems': [409, 412],
})

const resume = createRoute({
  ...changes('operate', 'resumeBulk', { topologyBy: 'handler' }),
  tags,
  summary: 'Go on with a bulk that was paused, or has stopped by itself',
  description:
    'From where it is. One that had stopped begins with its canary again, unless the body says otherwise, and what failed before counts no more. Idempotent; 409 when it has ended.',
  method: 'post',
  path: `${path}/resume`,
  request: { params, body: body(schemas.resumeRequest) },
  responses: answer,
  'x-problems': [409, 412],
})

const cancel = createRoute({
  ...changes('operate', 'cancelBulk', { topologyBy: 'handler' }),
  tags,
  summary: 'Cancel a bulk',
  description:
    'What was not sent stays open in Trash, as it was; what is under way goes on. Idempotent; 409 when it has finished.',
  method: 'post',
  path: `${path}/cancel`,
  request: { params },
  responses: answer,
  'x-problems': [409, 412],
})

export function bulkRoutes(app: Api, deps: ApiDeps): void {
  const { store } = deps
  app.openapi(create, async (c) => {
    const wanted = await wantedOf(deps, c.get('caller'), c.req.valid('json'))
    const made = await createBulk({ ...deps, audit: c.get('audit') }, wanted)
    c.header('location', `/api/trash/bulk/${made.id}`)
    setEtag(c, made.version)
    return c.json(await shown(deps, c.get('caller'), made), 202)
  })
  app.openapi(preview, async (c) => {
    const caller = c.get('caller')
    const { action, filter, patch = null, acceptWarnings = false } = c.req.valid('json')
    refuseOfDiscard(action, patch, acceptWarnings)
    const wanted = { action, patch, acceptWarnings, ...(await filterOf(deps, caller, filter)) }
    // What samples hold is JSON of any kind.
    return c.json((await previewBulk(deps, wanted)) as never, 200)
  })
  app.openapi(list, async (c) => {
    const { limit, after, topology, state: states } = c.req.valid('query')
    const topologyId = ownTopology(c.get('caller'), await filteredId(deps, topology))
    const rows = await listBulks(store, { topologyId, states }, limit + 1, afterPlace(after))
    const names = await namesOf(deps, rows)
    const show = (row: Bulk) => showBulk(row, names.get(row.topologyId ?? '') ?? null, has(c.get('caller'), 'payload'))
    return c.json(
      page(rows, limit, show, (row) => markOf({ at: row.createdAt, id: row.id })),
      200,
    )
  })
  app.openapi(get, async (c) => {
    const bulk = await bulkOf(deps, c.get('caller'), c.req.valid('param').id)
    setEtag(c, bulk.version)
    return c.json(await shown(deps, c.get('caller'), bulk), 200)
  })
  app.openapi(messages, async (c) => {
    const bulk = await bulkOf(deps, c.get('caller'), c.req.valid('param').id)
    const { limit, after, outcome } = c.req.valid('query')
    const outcomes = listedOutcomes(outcome, bulk)
    const rows = await listMessages(store, bulk.id, outcomes, limit + 1, afterNumber(after) ?? 0)
    const marked = page(
      rows,
      limit,
      (row) => showMessage(row, bulk, has(c.get('caller'), 'payload')),
      (row) => String(row.position),
    )
    return c.json(marked, 200)
  })
  wishRoutes(app, deps)
}

function wishRoutes(app: Api, deps: ApiDeps): void {
  app.openapi(pause, async (c) => c.json(await wished(deps, c, c.req.valid('param').id, { kind: 'pause' }), 200))
  app.openapi(cancel, async (c) => c.json(await wished(deps, c, c.req.valid('param').id, { kind: 'cancel' }), 200))
  app.openapi(resume, async (c) => {
    const { canary: withCanary } = c.req.valid('json')
    return c.json(await wished(deps, c, c.req.valid('param').id, { kind: 'resume', canary: withCanary }), 200)
  })
}

async function wished(deps: ApiDeps, c: Context<ApiEnv>, id: string, wish: Wish) {
  const caller = c.get('caller')
  await bulkOf(deps, caller, id)
  const changed = await changeBulkState({ ...deps, audit: c.get('audit') }, id, wish, ifMatch(c))
  setEtag(c, changed.version)
  return shown(deps, caller, changed)
}

/** Finds a bulk for a caller who may use its topology; one that may be about several is for tokens that are good for all. */
async function bulkOf({ store }: ApiDeps, caller: Caller, id: string): Promise<Bulk> {
  const bulk = await getBulk(store, id)
  checkTopology(caller, bulk.topologyId ?? '')
  return bulk
}

async function shown(deps: ApiDeps, caller: Caller, bulk: Bulk) {
  const names = await namesOf(deps, [bulk])
  return showBulk(bulk, names.get(bulk.topologyId ?? '') ?? null, has(caller, 'payload'))
}

/** By id, of the topologies that there are. */
async function namesOf({ store }: ApiDeps, bulks: readonly Bulk[]): Promise<Map<string, string>> {
  const ids = new Set(bulks.flatMap(({ topologyId }) => topologyId ?? []))
  const found = await Promise.all([...ids].map((id) => findTopology(store, id)))
  return new Map(found.flatMap((topology) => (topology === null ? [] : [[topology.id, topology.name]])))
}

async function wantedOf(deps: ApiDeps, caller: Caller, asked: z.output<typeof schemas.bulkRequest>): Promise<Wanted> {
  const {
    action,
    patch = null,
    canary,
    ratePerSecond = null,
    stopAtFailedPercent = stopAtDefault,
    acceptWarnings = false,
    reason = null,
  } = asked
  if (patch !== null) needsPayload(caller)
  refuseOfDiscard(action, patch, acceptWarnings)
  if (action === 'discard' && canary !== undefined && canary !== false)
    throw new Invalid('a canary is of replays', [{ path: 'canary', message: 'not of a discard' }])
  return {
    ...(await filterOf(deps, caller, asked.filter)),
    ...{ action, patch, ratePerSecond, stopAtFailedPercent, acceptWarnings, reason, by: caller.name },
    canary: canary === true ? canaryDefault : (canary ?? null),
  }
}

/** Percent. */
const stopAtDefault = 20

function needsPayload(caller: Caller): void {
  if (!has(caller, 'payload')) throw new HttpProblem(403, 'this needs a token with the scope "payload", too')
}

function refuseOfDiscard(action: Wanted['action'], patch: unknown, acceptWarnings: boolean): void {
  if (action === 'discard' && acceptWarnings)
    throw new Invalid('warnings are of replays: what is discarded is not sent', [
      { path: 'acceptWarnings', message: 'not of a discard' },
    ])
  if (action === 'discard' && patch !== null)
    throw new Invalid('a patch is of replays: what is discarded is not sent', [
      { path: 'patch', message: 'not of a discard' },
    ])
}

async function filterOf(
  deps: ApiDeps,
  caller: Caller,
  asked: z.output<typeof schemas.bulkRequest>['filter'],
): Promise<Pick<Wanted, 'asked' | 'filter'>> {
  const { topology, node, run: runId, ...rest } = asked
  if (rest.body !== undefined) needsPayload(caller)
  const topologyId = ownTopology(caller, await filteredId(deps, topology))
  // A node that is gone is still known by the id that its messages carry.
  const nodeIds = node === undefined ? undefined : [node, ...(await nodeIdsOf(deps.store, node, topologyId))]
  const ids = rest.ids && [...new Set(rest.ids)]
  return { asked, filter: { ...rest, ids, topologyId, nodeIds, runId } }
}
