import { createRoute } from '@hono/zod-openapi'
import type { z } from '@hono/zod-openapi'
import { nodeIdsOf } from '../../store/queries/nodes.ts'
import { editTrash, getTrash, listTrash, trashGroups, trashVersionsOf } from '../../store/queries/trash.ts'
import type { TrashFilter, TrashHead } from '../../store/queries/trash.ts'
import { discardTrash, replayTrash } from '../actions/settle-trash.ts'
import { has, needs } from '../auth.ts'
import { ifMatch, setEtag } from '../conditional.ts'
import type { Api, ApiDeps } from '../deps.ts'
import { afterPlace, markOf, page, pageQuery } from '../paging.ts'
import { editedBody, shownBody } from '../payload.ts'
import { body, idParam, json } from '../schemas/common.ts'
import * as schemas from '../schemas/trash.ts'
import { filteredId } from './topologies.ts'

const tags = ['Trash']
const params = idParam

const list = createRoute({
  ...needs('read'),
  operationId: 'listTrash',
  tags,
  summary: 'List messages that finally failed, the newest first',
  method: 'get',
  path: '/api/trash',
  request: { query: schemas.trashQuery.extend(pageQuery.shape) },
  responses: { 200: { description: 'A page', content: json(schemas.trashPage) } },
})

const groups = createRoute({
  ...needs('read'),
  operationId: 'listTrashGroups',
  tags,
  summary: 'Failures of the same kind, the most frequent first',
  method: 'get',
  path: '/api/trash/groups',
  request: { query: schemas.trashQuery.extend({ limit: pageQuery.shape.limit }) },
  responses: { 200: { description: 'Groups by fingerprint', content: json(schemas.trashGroups) } },
})

const get = createRoute({
  ...needs('read'),
  operationId: 'getTrash',
  tags,
  summary: 'Get a message in Trash with all it went through',
  method: 'get',
  path: '/api/trash/{id}',
  request: { params },
  responses: { 200: { description: 'The message', content: json(schemas.trashItem) } },
})

const edit = createRoute({
  ...needs('operate'),
  operationId: 'editTrash',
  tags,
  summary: 'Edit a message before it is replayed',
  description: 'Adds a version; the original is kept. What is left out stays as in the newest version.',
  method: 'put',
  path: '/api/trash/{id}',
  request: { params, body: body(schemas.trashEdit) },
  responses: { 200: { description: 'Edited', content: json(schemas.trashItem) } },
  'x-problems': [409, 412],
})

const replay = createRoute({
  ...needs('operate'),
  operationId: 'replayTrash',
  tags,
  summary: 'Send a message to its node again',
  description: 'As it failed, or as it was edited last. Of several replays and discards one wins; the others are 409.',
  method: 'post',
  path: '/api/trash/{id}/replay',
  request: { params },
  responses: { 202: { description: 'On its way', content: json(schemas.settling) } },
  'x-problems': [409],
})

const discard = createRoute({
  ...needs('operate'),
  operationId: 'discardTrash',
  tags,
  summary: 'Give a message up',
  description: 'It stays readable, with the reason.',
  method: 'post',
  path: '/api/trash/{id}/discard',
  request: { params, body: body(schemas.discardRequest) },
  responses: { 202: { description: 'Given up', content: json(schemas.settling) } },
  'x-problems': [409],
})

export function trashRoutes(app: Api, deps: ApiDeps): void {
  const { store } = deps
  app.openapi(list, async (c) => {
    const { limit, after, ...query } = c.req.valid('query')
    const rows = await listTrash(store, await filterOf(deps, query), limit + 1, afterPlace(after))
    return c.json(
      page(rows, limit, showHead, (row) => markOf({ at: row.createdAt, id: row.id })),
      200,
    )
  })
  app.openapi(groups, async (c) => {
    const { limit, ...query } = c.req.valid('query')
    const rows = await trashGroups(store, await filterOf(deps, query), limit)
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
    const { item, version } = await readItem(deps, c.req.valid('param').id, has(c.get('caller'), 'payload'))
    setEtag(c, version)
    return c.json(item, 200)
  })
  settlingRoutes(app, deps)
}

function settlingRoutes(app: Api, deps: ApiDeps): void {
  app.openapi(edit, async (c) => {
    const { id } = c.req.valid('param')
    const change = c.req.valid('json')
    const by = c.get('caller').name
    await editTrash(deps.store, id, ifMatch(c), (newest) => {
      const contentType = change.contentType ?? newest.contentType
      const headers = change.headers ?? newest.headers
      return {
        contentType,
        headers,
        body: editedBody(change, contentType, newest.body),
        reason: change.reason ?? null,
        by,
      }
    })
    const { item, version } = await readItem(deps, id, has(c.get('caller'), 'payload'))
    setEtag(c, version)
    return c.json(item, 200)
  })
  app.openapi(replay, async (c) => {
    const { id } = c.req.valid('param')
    await replayTrash(deps, id)
    return c.json({ id, result: 'replaying' as const }, 202)
  })
  app.openapi(discard, async (c) => {
    const { id } = c.req.valid('param')
    const result = await discardTrash(deps, id, c.req.valid('json').reason ?? null)
    return c.json({ id, result }, 202)
  })
}

async function filterOf(deps: ApiDeps, query: z.output<typeof schemas.trashQuery>): Promise<TrashFilter> {
  const { topology, node, run: runId, ...rest } = query
  const topologyId = await filteredId(deps, topology)
  // A node that is gone is still known by the id that its messages carry.
  const nodeIds = node === undefined ? undefined : [node, ...(await nodeIdsOf(deps.store, node, topologyId))]
  return { topologyId, nodeIds, runId, ...rest }
}

function showHead(row: TrashHead): schemas.ShownHead {
  const { topologyName, nodeName, attempts, createdAt, settledAt, message: _, headers: __, ...rest } = row
  return {
    ...rest,
    topology: topologyName,
    node: nodeName,
    attempts: attempts.length,
    createdAt: createdAt.toISOString(),
    settledAt: settledAt?.toISOString() ?? null,
  }
}

async function readItem({ store }: ApiDeps, id: string, withPayload: boolean) {
  const { body: bytes, ...row } = await getTrash(store, id)
  const edits = await trashVersionsOf(store, id)
  const payload = (of: { headers: Readonly<Record<string, string>>; contentType: string }, bytes: Uint8Array) =>
    withPayload ? { headers: { ...of.headers }, ...shownBody(of.contentType, bytes) } : {}
  const versions = edits.map(({ body: edited, trashId: _, headers: __, ...version }, i) => ({
    ...version,
    createdAt: version.createdAt.toISOString(),
    ...payload(edits[i] ?? row, edited),
  }))
  const item = { ...showHead(row), attempts: [...row.attempts], ...payload(row, bytes), versions }
  return { item, version: edits.length }
}
