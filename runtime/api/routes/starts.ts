import { createRoute, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { Invalid } from '../../errors.ts'
import { isContentType } from '../../protocol/outputs.ts'
import { startRun } from '../actions/starts.ts'
import { takesLong } from '../actions/upload/patience.ts'
import { piecesOf } from '../actions/upload/pieces.ts'
import type { Pieces } from '../actions/upload/pieces.ts'
import { takeRecords } from '../actions/upload/upload.ts'
import type { Start } from '../actions/starts.ts'
import { needs } from '../auth.ts'
import { ofGoodSize, readBytes } from '../body.ts'
import type { Api, ApiDeps } from '../deps.ts'
import { invalidInput } from '../problem.ts'
import { body, json, messageHeaders, topologyParam } from '../schemas/common.ts'
import * as schemas from '../schemas/runs.ts'
import { topologyOf } from './topologies.ts'

const tags = ['Starts']
const responses = {
  202: {
    description: 'Accepted: the start is stored and survives any crash. `Location` is the run.',
    content: json(schemas.accepted),
  },
}

const run = createRoute({
  ...needs('run'),
  operationId: 'runTopology',
  tags,
  summary: 'Start a run',
  description:
    'Equal keys, in the body or as `Idempotency-Key`, give the same run, however often they are sent. At a node with `overlap: skip` it is a 409 while another run is going on; with `overlap: queue` the run waits for those before it, and is `queued` until then.',
  method: 'post',
  path: '/api/topologies/{topology}/run',
  request: {
    params: topologyParam,
    headers: z.object({ 'idempotency-key': schemas.startKey.optional() }),
    body: body(schemas.runRequest),
  },
  responses,
  'x-problems': [409, 429],
})

const start = createRoute({
  ...needs('run'),
  operationId: 'startNode',
  tags,
  summary: 'Start a run with a body of any type',
  description:
    'The body is the message, up to 8 MiB; headers that begin with `x-` go with it. Equal `Idempotency-Key`s give the same run. With `split=records` each record of a JSON array, of NDJSON or of CSV with a header is a message, whatever the size of the body: it is stored as it comes, and the same body with the same key goes on where it broke off.',
  method: 'post',
  path: '/start/{topology}/{node}',
  request: {
    params: topologyParam.extend({ node: z.string().openapi({ param: { name: 'node', in: 'path' } }) }),
    query: z.object({
      tenant: schemas.tenant.optional(),
      force: schemas.force.optional(),
      reconcile: schemas.reconcile.optional(),
      split: z.enum(['records']).optional().openapi({ description: 'One message per record of the body' }),
    }),
    headers: z.object({ 'idempotency-key': schemas.startKey.optional() }),
    body: { content: { '*/*': { schema: z.any().openapi({ format: 'binary' }) } } },
  },
  responses,
  'x-problems': [408, 409, 413, 415, 429],
})

export function startRoutes(app: Api, deps: ApiDeps): void {
  app.openapi(run, async (c) => {
    const { node = null, body: value, headers = {}, tenant = null, ...given } = c.req.valid('json')
    const { force = false, reconcile = false } = given
    const key = keyOf(given.key, c.req.valid('header')['idempotency-key'])
    const topology = await topologyOf(deps, c.get('caller'), c.req.valid('param').topology)
    const start = { node, key, tenant, headers, force, reconcile, trace: traceOf(c), ...messageOf(value) }
    const runId = await startRun(deps, topology, start)
    c.header('location', `/api/runs/${runId}`)
    return c.json({ runId }, 202)
  })
  app.openapi(start, async (c) => {
    const { tenant = null, split, force = 'false', reconcile = 'false' } = c.req.valid('query')
    const { topology: ref, node } = c.req.valid('param')
    const topology = await topologyOf(deps, c.get('caller'), ref)
    const key = c.req.valid('header')['idempotency-key'] ?? null
    const contentType = contentTypeOf(c)
    const common = { contentType, headers: userHeaders(c), trace: traceOf(c) }
    const start = { node, key, tenant, force: force === 'true', reconcile: reconcile === 'true', ...common }
    const taken =
      split === undefined
        ? { runId: await startRun(deps, topology, { ...start, body: await readBytes(c) }) }
        : await takeBody(deps, c, (pieces) => takeRecords(deps, topology, start, pieces, c.req.raw.signal))
    c.header('location', `/api/runs/${taken.runId}`)
    return c.json(taken, 202)
  })
}

/** Throws `Invalid` for two different ones: nobody knows which run is meant. */
function keyOf(key: string | undefined, header: string | undefined): string | null {
  if (key === undefined || header === undefined || key === header) return key ?? header ?? null
  const message = 'is another one than the header Idempotency-Key: send one of them'
  throw new Invalid('the start has two keys', [{ path: 'key', message }])
}

/** A body of any size, for as long as it takes. What is refused is read on for a while, so that its sender hears of it. */
async function takeBody<T>(
  { admission }: Pick<ApiDeps, 'admission'>,
  c: Context,
  take: (pieces: Pieces) => Promise<T>,
): Promise<T> {
  const pieces = piecesOf(c)
  takesLong(c)
  try {
    const end = admission.beginUpload()
    return await take(pieces).finally(end)
  } catch (error) {
    await pieces.drain()
    throw error
  }
}

const noType = 'application/octet-stream'

/** It travels on to every worker as a header: one that couldn't is refused here. */
export function contentTypeOf(c: Context): string {
  const contentType = c.req.header('content-type') ?? noType
  if (isContentType(contentType)) return contentType
  const message = 'expected printable ASCII of at most 256 bytes'
  throw new Invalid('the content type can not travel with the message', [{ path: 'content-type', message }])
}

function messageOf(value: unknown): Pick<Start, 'contentType' | 'body'> {
  if (value === undefined) return { contentType: noType, body: null }
  return { contentType: 'application/json', body: ofGoodSize(Buffer.from(JSON.stringify(value))) }
}

/** Proxies add these on the way; they say nothing about the message. */
const fromProxies = /^x-(forwarded-|real-ip$|request-id$|amzn-|envoy-)/

function userHeaders(c: Context): Record<string, string> {
  const own = Object.entries(c.req.header()).filter(([key]) => key.startsWith('x-') && !fromProxies.test(key))
  const checked = messageHeaders.safeParse(Object.fromEntries(own))
  if (!checked.success) throw invalidInput('the headers', checked.error)
  return checked.data
}

/** Null for one that isn't by the W3C's rules: then the run gets a trace of its own. */
export function traceOf(c: Context): string | null {
  const trace = c.req.header('traceparent') ?? ''
  return /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/.test(trace) ? trace : null
}
