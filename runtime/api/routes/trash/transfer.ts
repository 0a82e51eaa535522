import { createRoute } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { wholeRows } from '../../../store/trash/whole.ts'
import { eraseTenant } from '../../actions/trash/erase.ts'
import { ndjsonOf } from '../../actions/trash/export.ts'
import { importTrash } from '../../actions/trash/import.ts'
import type { ImportResult } from '../../actions/trash/import.ts'
import { takesLong } from '../../actions/upload/patience.ts'
import { Gone, piecesOf } from '../../actions/upload/pieces.ts'
import { changes, needs, ownTopology } from '../../auth.ts'
import type { Api, ApiDeps, ApiEnv, Changing } from '../../deps.ts'
import { HttpProblem } from '../../problem.ts'
import { body, json } from '../../schemas/common.ts'
import { trashQuery } from '../../schemas/trash.ts'
import * as schemas from '../../schemas/trash/transfer.ts'
import { filteredId, topologyOf } from '../topologies.ts'
import { filterOf } from '../trash.ts'

const tags = ['Trash']

const exporting = createRoute({
  ...needs(['read', 'payload'], { topologyBy: 'handler' }),
  operationId: 'exportTrash',
  tags,
  summary: 'Everything that is kept of messages in Trash, as NDJSON',
  description:
    'A message a line, the oldest first, as it comes: however many there are. What fails while it is read is not in it; those that are deleted meanwhile are left out. An answer that breaks off has no end of its chunks.',
  method: 'get',
  path: '/api/trash/export',
  request: { query: trashQuery },
  responses: {
    200: { description: 'As many as there are', content: { [schemas.ndjson]: { schema: schemas.trashLines } } },
  },
})

const importing = createRoute({
  ...changes(['operate', 'payload'], 'importTrash', { topologyBy: 'handler' }),
  tags,
  summary: 'Take messages into Trash that were exported',
  description:
    'As NDJSON of any size, read as it comes. Open messages become open ones of the topology, in a run of their own; an id that is there is left as it is, so what broke off may be sent again.',
  method: 'post',
  path: '/api/trash/import',
  request: {
    query: schemas.importQuery,
    body: { content: { [schemas.ndjson]: { schema: schemas.trashLines } } },
  },
  responses: { 200: { description: 'What became of the lines', content: json(schemas.importResult) } },
  'x-problems': [404, 408, 415],
})

const erase = createRoute({
  ...changes('admin', 'eraseTrash', { topologyBy: 'handler' }),
  tags,
  summary: 'Delete what Trash and runs hold of a tenant',
  description:
    'Every message with all its versions, whatever its state, and the start messages of runs that have ended. What is open is discarded first, so that counters of runs stay right. It works for about 20 s at most: ask again until `isDone`.',
  method: 'post',
  path: '/api/trash/erase',
  request: { body: body(schemas.eraseRequest) },
  responses: { 200: { description: 'Gone', content: json(schemas.erased) } },
  'x-problems': [404],
})

export function trashTransferRoutes(app: Api, deps: ApiDeps): void {
  app.openapi(exporting, async (c) => {
    const filter = await filterOf(deps, c.get('caller'), c.req.valid('query'))
    // Else it would never end where messages fail faster than they are read.
    const until = filter.until ?? new Date()
    takesLong(c)
    const lines = await ndjsonOf(wholeRows(deps.store, { ...filter, until }))
    // The types know of texts that are there as a whole only.
    return c.body(lines, 200, { 'content-type': schemas.ndjson }) as never
  })
  app.openapi(importing, async (c) => {
    checkType(c)
    const { topology } = c.req.valid('query')
    const changing = { ...deps, audit: c.get('audit') }
    return c.json(written(await takeLines(changing, c, topology)), 200)
  })
  app.openapi(erase, async (c) => {
    const { tenant, topology } = c.req.valid('json')
    const found = topology === undefined ? undefined : await filteredId(deps, topology)
    const topologyId = ownTopology(c.get('caller'), found) ?? null
    return c.json(await eraseTenant({ ...deps, audit: c.get('audit') }, { tenant, topologyId }), 200)
  })
}

const written = ({ errors, ...rest }: ImportResult) => ({ ...rest, errors: [...errors] })

function checkType(c: Context): void {
  const type = c.req.header('content-type') ?? schemas.ndjson
  if (!/^application\/(x-ndjson|ndjson|jsonl|x-jsonlines)\s*(;|$)/i.test(type))
    throw new HttpProblem(415, `the body has to be ${schemas.ndjson}: a message a line`)
}

/** What is refused is read on for a while, so that its sender hears of it. */
async function takeLines(deps: Changing, c: Context<ApiEnv>, ref: string): Promise<ImportResult> {
  const pieces = piecesOf(c)
  takesLong(c)
  try {
    const topology = await topologyOf(deps, c.get('caller'), ref)
    return await importTrash(deps, topology, () => pieces.next())
  } catch (error) {
    if (!(error instanceof Gone)) await pieces.drain()
    throw error
  }
}
