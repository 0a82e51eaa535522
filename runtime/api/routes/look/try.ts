import { createRoute } from '@hono/zod-openapi'
import type { z } from '@hono/zod-openapi'
import { Conflict, NotFound } from '../../../errors.ts'
import { newId } from '../../../ids.ts'
import { jsonContentType } from '../../../protocol/outputs.ts'
import { getTrash, newestEditOf } from '../../../store/queries/trash.ts'
import { placeOf } from '../../actions/look/place.ts'
import type { Place } from '../../actions/look/place.ts'
import { triedNode } from '../../actions/try/node.ts'
import { showTrial } from '../../actions/try/show.ts'
import { tryNode } from '../../actions/try/try.ts'
import type { Captured } from '../../actions/try/try.ts'
import { changes } from '../../auth.ts'
import type { Api, ApiDeps } from '../../deps.ts'
import { editedBody } from '../../payload.ts'
import { body, idParam, json } from '../../schemas/common.ts'
import * as schemas from '../../schemas/try.ts'

const tryRoute = createRoute({
  ...changes(['operate', 'payload'], 'tryNode', { topologyBy: 'handler' }),
  tags: ['Nodes'],
  summary: 'Call the worker of a node with a message, and forward nothing',
  description:
    'The same request as a bridge makes and the same decision on the reply, once. The worker is told so by the header `sluice-try: 1`, and the ids of the message and its run, and with them `idempotency-key`, begin with `try-`. It waits for the reply as long as the node’s time-out.',
  method: 'post',
  path: '/api/nodes/{id}/try',
  request: { params: idParam, query: schemas.tryQuery, body: body(schemas.tryRequest) },
  responses: { 200: { description: 'What came of it, be it good or bad', content: json(schemas.trial) } },
  'x-problems': [409, 429],
})

export function tryRoutes(app: Api, deps: ApiDeps): void {
  app.openapi(tryRoute, async (c) => {
    const caller = c.get('caller')
    const { of, bytes } = c.req.valid('query')
    const given = c.req.valid('json')
    const place = await placeOf(deps, caller, c.req.valid('param').id)
    const tried = await triedNode(deps, place, of ?? null, given.settings)
    const captured = await capturedOf(deps, place, given)
    const id = `try-${newId()}`
    const { row } = place
    const trial = {
      kind: 'node',
      id: row.id,
      name: row.name,
      topologyId: row.topologyId,
      before: {},
      after: { trial: id },
    } as const
    await deps.store.transaction((inside) => c.get('audit')(inside, trial))
    const seen = await tryNode(deps, tried, captured, { id, cut: c.req.raw.signal })
    return c.json(showTrial(tried, seen, bytes), 200)
  })
}

type Given = z.output<typeof schemas.tryRequest>

async function capturedOf(deps: ApiDeps, place: Place, given: Given): Promise<Captured> {
  const base = await baseOf(deps, place, given)
  const contentType = given.contentType ?? base.contentType
  return {
    from: base.from,
    contentType,
    body: editedBody(given, contentType, base.body),
    headers: given.headers ?? base.headers,
    tenant: given.tenant ?? base.tenant,
    key: given.key ?? base.key,
    page: given.page ?? base.page,
    cursor: given.cursor ?? base.cursor,
    since: given.watermark === undefined ? base.since : { watermark: given.watermark, epoch: 0 },
  }
}

async function baseOf({ store, queues }: ApiDeps, { row, topology }: Place, given: Given): Promise<Captured> {
  const { trash, sequence } = given
  if (trash !== undefined) {
    const { nodeId, message, body } = await getTrash(store, trash)
    if (nodeId !== row.id) throw new Conflict(`the message "${trash}" failed at another node`)
    const edit = await newestEditOf(store, trash)
    const failed = { ...message, since: message.since ?? null, body }
    if (edit === null) return failed
    return { ...failed, headers: edit.headers, contentType: edit.contentType, body: edit.body }
  }
  if (sequence === undefined) return empty
  const stored = topology.revision === 0 ? null : await queues.message(topology.id, row.id, sequence)
  if (stored === null) throw new NotFound(`no message of the node is stored at ${sequence} (any more)`)
  return stored.message
}

const empty: Captured = {
  from: '',
  contentType: jsonContentType,
  body: Buffer.from('null'),
  headers: {},
  tenant: null,
  key: null,
  page: 0,
  cursor: null,
  since: null,
}
