import { createRoute } from '@hono/zod-openapi'
import type { z } from '@hono/zod-openapi'
import { Invalid } from '../../../errors.ts'
import {
  cursorDeeds,
  cursorOfPage,
  editCursor,
  getCursor,
  listCursors,
  lockActive,
} from '../../../store/delta/cursors.ts'
import type { Cursor, CursorDeed, CursorEditing } from '../../../store/delta/cursors.ts'
import { ofCursor } from '../../access/targets.ts'
import { tellEdit } from '../../actions/reading/tell.ts'
import { changes, checkTopology, needs } from '../../auth.ts'
import { ifMatch, setEtag } from '../../input/conditional.ts'
import type { Api, ApiDeps, Caller, Changing } from '../../deps.ts'
import { afterPlace, afterText, markOf, page, pageQuery } from '../../input/paging.ts'
import { body, idParam, json } from '../../schemas/common.ts'
import { filterOf } from './place.ts'
import * as schemas from './schemas.ts'

const tags = ['Cursors']
const path = '/api/cursors/{id}'
const params = idParam

const list = createRoute({
  ...needs('read', { topologyBy: 'handler' }),
  operationId: 'listCursors',
  tags,
  summary: 'List where batch nodes are in what they read, the newest reading first',
  description:
    'One for each message that a batch node reads pages for. It appears with the first page that was read, or failed for good.',
  method: 'get',
  path: '/api/cursors',
  request: { query: schemas.cursorQuery },
  responses: { 200: { description: 'A page', content: json(schemas.cursorPage) } },
})

const get = createRoute({
  ...needs('read', { topologyBy: 'handler' }),
  operationId: 'getCursor',
  tags,
  summary: 'Get a cursor',
  method: 'get',
  path,
  request: { params },
  responses: { 200: { description: 'The cursor', content: json(schemas.cursor) } },
})

const history = createRoute({
  ...needs('read', { topologyBy: 'handler' }),
  operationId: 'getCursorHistory',
  tags,
  summary: 'List the pages that were read and the edits of a cursor, the newest first',
  description: 'The last 1000 pages are kept.',
  method: 'get',
  path: `${path}/history`,
  request: { params, query: pageQuery },
  responses: { 200: { description: 'A page', content: json(schemas.cursorDeedPage) } },
})

const edit = createRoute({
  ...changes('operate', 'editCursor', { topologyBy: 'handler' }),
  tags,
  summary: 'Go on from another cursor, or from a page that was read before',
  description:
    'The next call of the batch node asks with it, also when a page is just being tried again. Pages count on, so a page that is read again has a new number, and its records are new messages. Of a reading that is stopped, it is taken when the page is replayed from Trash. 409 when nothing more is read.',
  method: 'put',
  path,
  request: { params, body: body(schemas.cursorEdit) },
  responses: {
    202: { description: 'Stored; `edit.state` says whether a page was read with it', content: json(schemas.cursor) },
  },
  'x-problems': [409, 412],
})

const reset = createRoute({
  ...changes('operate', 'resetCursor', { topologyBy: 'handler' }),
  tags,
  summary: 'Read everything again from the beginning, without a cursor',
  description: 'The same as an edit, with no cursor at all. The watermark of the run stays what it was.',
  method: 'post',
  path: `${path}/reset`,
  request: { params, body: body(schemas.resetRequest) },
  responses: { 202: { description: 'Stored', content: json(schemas.cursor) } },
  'x-problems': [409, 412],
})

export function cursorRoutes(app: Api, deps: ApiDeps): void {
  const { store } = deps
  app.openapi(list, async (c) => {
    const { limit, after, topology, node, tenant, run: runId, active } = c.req.valid('query')
    const isActive = active === undefined ? undefined : active === 'true'
    const filter = { ...(await filterOf(deps, c.get('caller'), { topology, node })), tenant, runId, isActive }
    const rows = await listCursors(store, filter, limit + 1, afterPlace(after))
    return c.json(
      page(rows, limit, showCursor, (row) => markOf({ at: row.startedAt, id: row.id })),
      200,
    )
  })
  app.openapi(get, async (c) => {
    const cursor = await cursorOf(deps, c.get('caller'), c.req.valid('param').id)
    setEtag(c, cursor.edit)
    return c.json(showCursor(cursor), 200)
  })
  app.openapi(history, async (c) => {
    const { id } = await cursorOf(deps, c.get('caller'), c.req.valid('param').id)
    const { limit, after } = c.req.valid('query')
    const rows = await cursorDeeds(store, id, limit + 1, afterDeed(after))
    return c.json(
      page(rows, limit, showDeed, (row) => `${row.page}/${row.edit}`),
      200,
    )
  })
  editRoutes(app, deps)
}

function editRoutes(app: Api, deps: ApiDeps): void {
  app.openapi(edit, async (c) => {
    const { id } = await cursorOf(deps, c.get('caller'), c.req.valid('param').id)
    const { cursor, page: of, reason = null } = c.req.valid('json')
    const to = of === undefined ? (cursor ?? null) : await cursorOfPage(deps.store, id, of)
    const deed = of === undefined ? 'edited' : 'rewound'
    const editing = { deed, cursor: to, by: c.get('caller').name, reason } as const
    const edited = await change({ ...deps, audit: c.get('audit') }, id, editing, ifMatch(c))
    setEtag(c, edited.edit)
    return c.json(showCursor(edited), 202)
  })
  app.openapi(reset, async (c) => {
    const { id } = await cursorOf(deps, c.get('caller'), c.req.valid('param').id)
    const { reason = null } = c.req.valid('json')
    const editing = { deed: 'reset', cursor: null, by: c.get('caller').name, reason } as const
    const edited = await change({ ...deps, audit: c.get('audit') }, id, editing, ifMatch(c))
    setEtag(c, edited.edit)
    return c.json(showCursor(edited), 202)
  })
}

/** Throws `Conflict`, `LostRace`. */
async function change(deps: Changing, id: string, editing: CursorEditing, ifEdit: number | null): Promise<Cursor> {
  await deps.store.transaction(async (inside) => {
    const before = await lockActive(inside, id)
    await editCursor(inside, before, editing, ifEdit)
    await deps.audit(inside, ofCursor(before, { next: editing.cursor, deed: editing.deed, reason: editing.reason }))
  })
  await tellEdit(deps, id)
  const edited = await getCursor(deps.store, id)
  deps.events.emit({ kind: 'cursor', topologyId: edited.topologyId, nodeId: edited.nodeId })
  return edited
}

/** Finds a cursor for a caller who may use its topology. Throws `NotFound`, 403. */
async function cursorOf({ store }: ApiDeps, caller: Caller, id: string): Promise<Cursor> {
  const cursor = await getCursor(store, id)
  checkTopology(caller, cursor.topologyId)
  return cursor
}

function afterDeed(after: string | undefined): { page: number; edit: number } | null {
  const text = afterText(after)
  if (text === null) return null
  const [, page, edit] = /^(\d{1,10})\/(\d{1,9})$/.exec(text) ?? []
  if (page !== undefined && edit !== undefined) return { page: Number(page), edit: Number(edit) }
  throw new Invalid('`after` has to be the `next` of a page', [{ path: 'after', message: 'not a `next` of this list' }])
}

function showCursor(cursor: Cursor): z.infer<typeof schemas.cursor> {
  const { id, topologyId, nodeId, runId, messageId, tenant, state, next, progress, since, watermark } = cursor
  return {
    id,
    topology: cursor.topologyName,
    topologyId,
    node: cursor.nodeName,
    nodeId,
    runId,
    messageId,
    tenant,
    state,
    page: cursor.page,
    cursor: cursor.cursor,
    next,
    progress,
    since,
    watermark,
    reconcile: cursor.reconcile,
    trashId: cursor.trashId,
    edit: showEdit(cursor),
    startedAt: cursor.startedAt.toISOString(),
    updatedAt: cursor.updatedAt.toISOString(),
  }
}

function showEdit(cursor: Cursor): z.infer<typeof schemas.cursor>['edit'] {
  const { edit: number, editTaken, editedCursor, editedBy, editedAt, state } = cursor
  if (number === 0 || editedAt === null) return null
  const isOpen = state === 'reading' || state === 'stopped'
  const of = editTaken >= number ? 'taken' : isOpen ? 'pending' : 'missed'
  return { number, cursor: editedCursor, by: editedBy, at: editedAt.toISOString(), state: of }
}

function showDeed({
  cursorId: _,
  edit: __,
  at,
  ...deed
}: CursorDeed): z.infer<typeof schemas.cursorDeedPage>['items'][number] {
  return { ...deed, at: at.toISOString() }
}
