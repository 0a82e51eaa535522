import { createRoute } from '@hono/zod-openapi'
import type { z } from '@hono/zod-openapi'
import { traceIdOf } from '../../protocol/native.ts'
import { nodeIdsOf } from '../../store/queries/nodes.ts'
import { editTrash, getTrash, listTrash, trashVersionsOf } from '../../store/queries/trash.ts'
import type { TrashEdit, TrashHead, TrashRow } from '../../store/queries/trash.ts'
import type { TrashFilter } from '../../store/trash/filter.ts'
import { trashGroups } from '../../store/trash/groups.ts'
import { discardTrash, replayTrash } from '../actions/settle-trash.ts'
import { warningsOf } from '../actions/trash/warnings.ts'
import { ofTrash } from '../access/targets.ts'
import { changes, checkTopology, has, needs, ownTopology } from '../auth.ts'
import { ifMatch, setEtag } from '../input/conditional.ts'
import type { Api, ApiDeps, Caller } from '../deps.ts'
import { HttpProblem } from '../problem.ts'
import { afterPlace, markOf, page, pageQuery } from '../input/paging.ts'
import { editedBody, shownBody } from '../payload.ts'
import { body, idParam, json } from '../schemas/common.ts'
import * as schemas from '../schemas/trash.ts'
import { filteredId } from './topologies.ts'

const tags = ['Trash']
const params = idParam

const list = createRoute({
  ...needs('read', { topologyBy: 'handler' }),
  operationId: 'listTrash',
  tags,
  summary: 'List messages that finally failed, the newest first',
  method: 'get',
  path: '/api/trash',
  request: { query: schemas.trashQuery.extend(pageQuery.shape) },
  responses: { 200: { description: 'A page', content: json(schemas.trashPage) } },
})

const groups = createRoute({
  ...needs('read', { topologyBy: 'handler' }),
  operationId: 'listTrashGroups',
  tags,
  summary: 'Failures of the same kind, the most frequent first',
  method: 'get',
  path: '/api/trash/groups',
  request: { query: schemas.trashQuery.extend({ limit: pageQuery.shape.limit }) },
  responses: { 200: { description: 'Groups by fingerprint', content: json(schemas.trashGroups) } },
})

const get = createRoute({
  ...needs('read', { topologyBy: 'handler' }),
  operationId: 'getTrash',
  tags,
  summary: 'Get a message in Trash with all it went through',
  method: 'get',
  path: '/api/trash/{id}',
  request: { params },
  responses: { 200: { description: 'The message', content: json(schemas.trashItem) } },
})

const edit = createRoute({
  ...changes('operate', 'editTrash', { topologyBy: 'handler' }),
  tags,
  summary: 'Edit a message before it is replayed',
  description: 'Adds a version; the original is kept. What is left out stays as in the newest version.',
  method: 'put',
  path: '/api/trash/{id}',
  request: { params, body: body(schemas.trashEdit) },
  responses: { 200: { description: 'Edited', content: json(schemas.editedItem) } },
  'x-problems': [409, 412],
})

const replay = createRoute({
  ...changes('operate', 'replayTrash', { topologyBy: 'handler' }),
  tags,
  summary: 'Send a message to its node again',
  description:
    'As it failed, or as it was edited last; by the published plan. Of several replays and discards one wins; the others are 409. So is a body that does not fit the input schema of its node, or could not be checked by it (`urn:sluice:schema-mismatch`), unless that is accepted, and a node that it can not go to (`urn:sluice:incompatible`): `errors` says why.',
  method: 'post',
  path: '/api/trash/{id}/replay',
  request: { params, body: body(schemas.replayRequest) },
  responses: { 202: { description: 'On its way', content: json(schemas.settling) } },
  'x-problems': [409, 412],
})

const discard = createRoute({
  ...changes('operate', 'discardTrash', { topologyBy: 'handler' }),
  tags,
  summary: 'Give a message up',
  description: 'It stays readable, with the reason.',
  method: 'post',
  path: '/api/trash/{id}/discard',
  request: { params, body: body(schemas.discardRequest) },
  responses: { 202: { description: 'Given up', content: json(schemas.settling) } },
  'x-problems': [409, 412],
})

export function trashRoutes(app: Api, deps: ApiDeps): void {
  const { store } = deps
  app.openapi(list, async (c) => {
    const { limit, after, ...query } = c.req.valid('query')
    const rows = await listTrash(store, await filterOf(deps, c.get('caller'), query), limit + 1, afterPlace(after))
    return c.json(
      page(rows, limit, showHead, (row) => markOf({ at: row.createdAt, id: row.id })),
      200,
    )
  })
  app.openapi(groups, async (c) => {
    const { limit, ...query } = c.req.valid('query')
    const rows = await trashGroups(store, await filterOf(deps, c.get('caller'), query), limit)
    const items = rows.map(({ topologyName, nodeName, firstSeen, lastSeen, ...row }) => ({
      ...row,
      topology: topologyName,
      node: nodeName,
      firstSeen: firstSeen.toISOString(),
      lastSeen: lastSeen.toISOString(),
    }))
    return c.json({ items }, 200)
  })
  app.openapi(get, async (c) => {
    const { item, version } = await readItem(deps, c.get('caller'), c.req.valid('param').id)
    setEtag(c, version)
    return c.json(item, 200)
  })
  settlingRoutes(app, deps)
}

function settlingRoutes(app: Api, deps: ApiDeps): void {
  app.openapi(edit, async (c) => {
    const { id, topologyId } = await rowOf(deps, c.get('caller'), c.req.valid('param').id)
    const change = c.req.valid('json')
    const by = c.get('caller').name
    await deps.store.transaction(async (inside) => {
      const { version, reason } = await editTrash(inside, id, ifMatch(c), (newest) => editOf(change, newest, by))
      // What messages hold is not for the log.
      const changed = payloadKeys.filter((key) => change[key] !== undefined)
      const after = { version, reason, changed }
      await c.get('audit')(inside, ofTrash(await getTrash(inside, id), { version: version - 1 }, after))
    })
    deps.events.emit({ kind: 'trash', topologyId, added: {}, settled: 0, edited: id })
    const { item, version } = await readItem(deps, c.get('caller'), id)
    setEtag(c, version)
    return c.json({ ...item, warnings: await warningsOf(deps.store, id, has(c.get('caller'), 'payload')) }, 200)
  })
  app.openapi(replay, async (c) => {
    const { id } = await rowOf(deps, c.get('caller'), c.req.valid('param').id)
    const { node = null, newestRevision = true, acceptWarnings = false } = c.req.valid('json')
    const wanted = {
      ifVersion: ifMatch(c),
      node,
      newestRevision,
      acceptWarnings,
      mayTell: has(c.get('caller'), 'payload'),
    }
    await replayTrash({ ...deps, audit: c.get('audit') }, id, wanted)
    return c.json({ id, result: 'replaying' as const }, 202)
  })
  app.openapi(discard, async (c) => {
    const { id } = await rowOf(deps, c.get('caller'), c.req.valid('param').id)
    const { reason = null } = c.req.valid('json')
    const result = await discardTrash({ ...deps, audit: c.get('audit') }, id, reason, ifMatch(c))
    return c.json({ id, result }, 202)
  })
}

const payloadKeys = ['body', 'bodyBase64', 'headers', 'contentType'] as const

function editOf(
  change: z.output<typeof schemas.trashEdit>,
  newest: Pick<TrashEdit, 'headers' | 'contentType' | 'body'>,
  by: string,
): TrashEdit {
  const contentType = change.contentType ?? newest.contentType
  const headers = change.headers ?? newest.headers
  return { contentType, headers, body: editedBody(change, contentType, newest.body), reason: change.reason ?? null, by }
}

export async function filterOf(
  deps: ApiDeps,
  caller: Caller,
  query: z.output<typeof schemas.trashQuery>,
): Promise<TrashFilter> {
  const { topology, node, run: runId, ...rest } = query
  if (rest.body !== undefined && !has(caller, 'payload'))
    throw new HttpProblem(403, 'looking into bodies needs a token with the scope "payload"')
  const topologyId = ownTopology(caller, await filteredId(deps, topology))
  // A node that is gone is still known by the id that its messages carry.
  const nodeIds = node === undefined ? undefined : [node, ...(await nodeIdsOf(deps.store, node, topologyId))]
  return { topologyId, nodeIds, runId, ...rest }
}

function showHead(row: TrashHead): schemas.ShownHead {
  const { topologyName, nodeName, attempts, createdAt, settledAt, message, headers: _, ...rest } = row
  return {
    ...rest,
    traceId: traceIdOf({ trace: message.trace, run: row.runId }),
    topology: topologyName,
    node: nodeName,
    tenant: message.tenant,
    attempts: attempts.length,
    createdAt: createdAt.toISOString(),
    settledAt: settledAt?.toISOString() ?? null,
  }
}

/** Finds a message for a caller who may use its topology. Throws `NotFound`, 403. */
async function rowOf({ store }: ApiDeps, caller: Caller, id: string): Promise<TrashRow> {
  const row = await getTrash(store, id)
  checkTopology(caller, row.topologyId)
  return row
}

/** Of the bodies of edits: each may be as large as a message. */
const editsShownBytes = 16 * 1024 * 1024

async function readItem(deps: ApiDeps, caller: Caller, id: string) {
  const { store } = deps
  const { body: bytes, ...row } = await rowOf(deps, caller, id)
  const withPayload = has(caller, 'payload')
  const edits = await trashVersionsOf(store, id, withPayload ? editsShownBytes : 0)
  const payload = (of: { headers: Readonly<Record<string, string>>; contentType: string }, bytes: Uint8Array | null) =>
    withPayload ? { headers: { ...of.headers }, ...(bytes !== null && shownBody(of.contentType, bytes)) } : {}
  const versions = edits.map(({ body: edited, trashId: _, headers: __, ...version }, i) => ({
    ...version,
    createdAt: version.createdAt.toISOString(),
    ...payload(edits[i] ?? row, edited),
  }))
  const item = { ...showHead(row), attempts: [...row.attempts], ...payload(row, bytes), versions }
  return { item, version: edits.length }
}
