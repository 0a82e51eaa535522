import { createRoute } from '@hono/zod-openapi'
import type { z } from '@hono/zod-openapi'
import { Conflict, Invalid, NotFound } from '../../../errors.ts'
import type { WatermarkPlace } from '../../../queue/delta/told.ts'
import { findNode, nodeIdsOf } from '../../../store/queries/nodes.ts'
import {
  getWatermark,
  listWatermarks,
  lockWatermark,
  setWatermark,
  watermarkChanges,
} from '../../../store/delta/watermarks.ts'
import type { Watermark, WatermarkChange, WatermarkSetting } from '../../../store/delta/watermarks.ts'
import { getTopology } from '../../../store/queries/topologies.ts'
import { kindFault, policyOf } from '../../../topology/watermarks/policy.ts'
import { isEventNode } from '../../../topology/plan.ts'
import { ofWatermark } from '../../access/targets.ts'
import { draftOf } from '../../actions/drafts.ts'
import { newestPlan } from '../../actions/plans.ts'
import { tellSetting } from '../../actions/reading/tell.ts'
import { changes, checkTopology, needs } from '../../auth.ts'
import { ifMatch, setEtag } from '../../input/conditional.ts'
import type { Api, ApiDeps, Caller, Changing } from '../../deps.ts'
import { afterNumber, afterText, page, pageQuery } from '../../input/paging.ts'
import { body, idParam, json } from '../../schemas/common.ts'
import { topologyOf } from '../topologies.ts'
import { filterOf } from './place.ts'
import * as schemas from './schemas.ts'

const tags = ['Watermarks']
const path = '/api/watermarks/{id}'
const params = idParam

const list = createRoute({
  ...needs('read', { topologyBy: 'handler' }),
  operationId: 'listWatermarks',
  tags,
  summary: 'List how far batch nodes have read over all runs',
  description: 'One for each node and tenant, from the first time that one is committed or set.',
  method: 'get',
  path: '/api/watermarks',
  request: { query: schemas.watermarkQuery },
  responses: { 200: { description: 'A page', content: json(schemas.watermarkPage) } },
})

const create = createRoute({
  ...changes('operate', 'setWatermark', { topologyBy: 'handler' }),
  tags,
  summary: 'Set the watermark of a node and tenant, also before it has one',
  description:
    'The next run begins there. What runs propose that have begun to read before is not committed, so that none of them undoes it.',
  method: 'post',
  path: '/api/watermarks',
  request: { body: body(schemas.watermarkInput) },
  responses: { 200: { description: 'Set', content: json(schemas.watermark) } },
  'x-problems': [404, 409, 412],
})

const get = createRoute({
  ...needs('read', { topologyBy: 'handler' }),
  operationId: 'getWatermark',
  tags,
  summary: 'Get a watermark',
  method: 'get',
  path,
  request: { params },
  responses: { 200: { description: 'The watermark', content: json(schemas.watermark) } },
})

const history = createRoute({
  ...needs('read', { topologyBy: 'handler' }),
  operationId: 'getWatermarkHistory',
  tags,
  summary: 'List what a watermark was, the newest first',
  description: 'The last 1000 changes are kept.',
  method: 'get',
  path: `${path}/history`,
  request: { params, query: pageQuery },
  responses: { 200: { description: 'A page', content: json(schemas.watermarkDeedPage) } },
})

const edit = createRoute({
  ...changes('operate', 'editWatermark', { topologyBy: 'handler' }),
  tags,
  summary: 'Set a watermark to another value, forwards or back',
  description: 'See `setWatermark`.',
  method: 'put',
  path,
  request: { params, body: body(schemas.watermarkEdit) },
  responses: { 200: { description: 'Set', content: json(schemas.watermark) } },
  'x-problems': [412],
})

const reset = createRoute({
  ...changes('operate', 'resetWatermark', { topologyBy: 'handler' }),
  tags,
  summary: 'Let the next run read everything',
  description: 'It begins with what the node’s `initial` says, if it says anything. See `setWatermark`.',
  method: 'post',
  path: `${path}/reset`,
  request: { params, body: body(schemas.resetRequest) },
  responses: { 200: { description: 'Reset', content: json(schemas.watermark) } },
  'x-problems': [412],
})

export function watermarkRoutes(app: Api, deps: ApiDeps): void {
  const { store } = deps
  app.openapi(list, async (c) => {
    const { limit, after, topology, node, tenant } = c.req.valid('query')
    const filter = { ...(await filterOf(deps, c.get('caller'), { topology, node })), tenant }
    const rows = await listWatermarks(store, filter, limit + 1, afterText(after))
    return c.json(
      page(rows, limit, showWatermark, (row) => row.id),
      200,
    )
  })
  app.openapi(get, async (c) => {
    const watermark = await watermarkOf(deps, c.get('caller'), c.req.valid('param').id)
    setEtag(c, watermark.version)
    return c.json(showWatermark(watermark), 200)
  })
  app.openapi(history, async (c) => {
    const { id } = await watermarkOf(deps, c.get('caller'), c.req.valid('param').id)
    const { limit, after } = c.req.valid('query')
    const rows = await watermarkChanges(store, id, limit + 1, afterNumber(after))
    return c.json(
      page(rows, limit, showChange, (row) => String(row.version)),
      200,
    )
  })
  settingRoutes(app, deps)
}

function settingRoutes(app: Api, deps: ApiDeps): void {
  app.openapi(create, async (c) => {
    const { topology, node, tenant = null, watermark, reason = null } = c.req.valid('json')
    const place = await placeOf(deps, c.get('caller'), topology, node)
    const setting = { watermark, by: c.get('caller').name, reason }
    const after = await change({ ...deps, audit: c.get('audit') }, { ...place, tenant }, setting, ifMatch(c))
    setEtag(c, after.version)
    return c.json(showWatermark(after), 200)
  })
  app.openapi(edit, async (c) => {
    const place = await watermarkOf(deps, c.get('caller'), c.req.valid('param').id)
    const { watermark, reason = null } = c.req.valid('json')
    const setting = { watermark, by: c.get('caller').name, reason }
    const after = await change({ ...deps, audit: c.get('audit') }, place, setting, ifMatch(c))
    setEtag(c, after.version)
    return c.json(showWatermark(after), 200)
  })
  app.openapi(reset, async (c) => {
    const place = await watermarkOf(deps, c.get('caller'), c.req.valid('param').id)
    const { reason = null } = c.req.valid('json')
    const setting = { watermark: null, by: c.get('caller').name, reason }
    const after = await change({ ...deps, audit: c.get('audit') }, place, setting, ifMatch(c))
    setEtag(c, after.version)
    return c.json(showWatermark(after), 200)
  })
}

/** Throws `LostRace`, and `Invalid` for a watermark that the node can't look back from. */
async function change(
  deps: Changing,
  { topologyId, nodeId, tenant }: WatermarkPlace,
  setting: WatermarkSetting,
  ifVersion: number | null,
): Promise<Watermark> {
  await checkKind(deps, topologyId, nodeId, setting.watermark)
  const id = await deps.store.transaction(async (inside) => {
    const before = await lockWatermark(inside, { topologyId, nodeId, tenant })
    await setWatermark(inside, before, setting, ifVersion)
    await deps.audit(inside, ofWatermark(before, { watermark: setting.watermark, reason: setting.reason }))
    return before.id
  })
  await tellSetting(deps, id)
  deps.events.emit({ kind: 'watermark', topologyId, nodeId })
  return getWatermark(deps.store, id)
}

/** By the plan in force, or what the draft says of a topology that has none. */
async function checkKind(
  { store }: Pick<Changing, 'store'>,
  topologyId: string,
  nodeId: string,
  watermark: string | null,
): Promise<void> {
  if (watermark === null) return
  const [topology, node] = await Promise.all([getTopology(store, topologyId), findNode(store, nodeId)])
  const planned = (await newestPlan(store, topology))?.nodes.find(({ id }) => id === nodeId)
  const drawn = draftOf(topology).nodes.find(({ name }) => name === node?.name)?.watermark
  const inForce = planned !== undefined && !isEventNode(planned) ? planned.watermark : undefined
  const policy = planned === undefined ? drawn && policyOf(drawn) : inForce
  const fault = policy ? kindFault(watermark, policy) : null
  if (fault !== null)
    throw new Invalid(`the watermark is "${watermark.slice(0, 80)}"; ${fault}`, [{ path: 'watermark', message: fault }])
}

/** Throws `NotFound`, `Conflict`, 403. */
async function placeOf(deps: ApiDeps, caller: Caller, topology: string, node: string) {
  const { id: topologyId, name } = await topologyOf(deps, caller, topology)
  const [nodeId] = await nodeIdsOf(deps.store, node, topologyId)
  const found = nodeId === undefined ? null : await findNode(deps.store, nodeId)
  if (!found) throw new NotFound(`the topology "${name}" has no node "${node}"`)
  if (found.type !== 'batch')
    throw new Conflict(`"${found.name}" is a ${found.type} node: only batch nodes have watermarks`)
  return { topologyId, nodeId: found.id }
}

/** Finds a watermark for a caller who may use its topology. Throws `NotFound`, 403. */
async function watermarkOf({ store }: ApiDeps, caller: Caller, id: string): Promise<Watermark> {
  const watermark = await getWatermark(store, id)
  checkTopology(caller, watermark.topologyId)
  return watermark
}

function showWatermark(row: Watermark): z.infer<typeof schemas.watermark> {
  const { id, topologyId, nodeId, tenant, watermark, version, runId, by } = row
  return {
    id,
    topology: row.topologyName,
    topologyId,
    node: row.nodeName,
    nodeId,
    tenant,
    watermark,
    version,
    runId,
    by,
    pending: row.told < version,
    updatedAt: row.updatedAt.toISOString(),
  }
}

function showChange({
  watermarkId: _,
  at,
  ...change
}: WatermarkChange): z.infer<typeof schemas.watermarkDeedPage>['items'][number] {
  return { ...change, at: at.toISOString() }
}
