import { createRoute, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { Invalid } from '../../errors.ts'
import { isContentType } from '../../protocol/outputs.ts'
import { startRun } from '../actions/starts.ts'
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
  description: 'Equal keys give the same run, however often they are sent.',
  method: 'post',
  path: '/api/topologies/{topology}/run',
  request: { params: topologyParam, body: body(schemas.runRequest) },
  responses,
  'x-problems': [409, 429],
})

const start = createRoute({
  ...needs('run'),
  operationId: 'startNode',
  tags,
  summary: 'Start a run with a body of any type',
  description:
    'The body is the message, up to 8 MiB; headers that begin with `x-` go with it. Equal `Idempotency-Key`s give the same run.',
  method: 'post',
  path: '/start/{topology}/{node}',
  request: {
    params: topologyParam.extend({ node: z.string().openapi({ param: { name: 'node', in: 'path' } }) }),
    query: z.object({ tenant: schemas.tenant.optional() }),
    headers: z.object({ 'idempotency-key': schemas.startKey.optional() }),
    body: { content: { '*/*': { schema: z.any().openapi({ format: 'binary' }) } } },
  },
  responses,
  'x-problems': [409, 413, 429],
})

export function startRoutes(app: Api, deps: ApiDeps): void {
  app.openapi(run, async (c) => {
    const { node = null, body: value, headers = {}, tenant = null, key = null, reconcile = false } = c.req.valid('json')
    const topology = await topologyOf(deps, c.get('caller'), c.req.valid('param').topology)
    const message = messageOf(value)
    const start = { node, key, tenant, headers, reconcile, trace: traceOf(c), ...message }
    const runId = await startRun(deps, topology, start)
    c.header('location', `/api/runs/${runId}`)
    return c.json({ runId }, 202)
  })
  app.openapi(start, async (c) => {
    const { tenant = null } = c.req.valid('query')
    if (c.req.query('split') !== undefined) throw new Invalid('split is not there yet', [splitFault])
    const { topology: ref, node } = c.req.valid('param')
    const topology = await topologyOf(deps, c.get('caller'), ref)
    const key = c.req.valid('header')['idempotency-key'] ?? null
    const contentType = contentTypeOf(c)
    const message = { contentType, headers: userHeaders(c), trace: traceOf(c), body: await readBytes(c) }
    const runId = await startRun(deps, topology, { node, key, tenant, ...message })
    c.header('location', `/api/runs/${runId}`)
    return c.json({ runId }, 202)
  })
}

const splitFault = { path: 'split', message: 'not there yet: send one message per start' }

const noType = 'application/octet-stream'

/** It travels on to every worker as a header: one that couldn't is refused here. */
function contentTypeOf(c: Context): string {
  const contentType = c.req.header('content-type') ?? noType
  if (isContentType(contentType)) return contentType
  const message = 'expected printable ASCII of at most 256 bytes'
  throw new Invalid('the content type can not travel with the message', [{ path: 'content-type', message }])
}

function messageOf(value: unknown): Pick<Start, 'contentType' | 'body'> {
  if (value === undefined) return { contentType: noType, body: new Uint8Array() }
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
function traceOf(c: Context): string | null {
  const trace = c.req.header('traceparent') ?? ''
  return /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/.test(trace) ? trace : null
}
