import { createRoute, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { Unavailable } from '../../../errors.ts'
import { answerToBody, answerToQuery } from '../../../protocol/webhooks/handshake.ts'
import type { Answer } from '../../../protocol/webhooks/handshake.ts'
import { refusalOf } from '../../../protocol/webhooks/verify.ts'
import type { Webhook } from '../../../topology/webhooks/config.ts'
import { acceptDelivery } from '../../actions/hooks/accept.ts'
import { openHooks } from '../../actions/hooks/known.ts'
import type { Address, Hook } from '../../actions/hooks/known.ts'
import { readRawBytes } from '../../body.ts'
import type { Api, ApiDeps, ApiEnv } from '../../deps.ts'
import { HttpProblem } from '../../problem.ts'
import { json } from '../../schemas/common.ts'
import { accepted } from '../../schemas/runs.ts'
import { contentTypeOf, traceOf } from '../starts.ts'
import { webhookRoutes } from './manage.ts'
import { hookParam } from './schemas.ts'

const path = '/hooks/{topology}/{node}/{secret}'
const echo = { 'text/plain': { schema: z.string().openapi({ description: 'What a handshake asked for' }) } }
const anyBody = { content: { '*/*': { schema: z.any().openapi({ format: 'binary' }) } } }

const tags = ['Starts']

const delivery = {
  path,
  request: { params: hookParam, body: anyBody },
  responses: {
    200: { description: 'A handshake', content: echo },
    202: {
      description: 'Accepted: the delivery is stored and survives any crash. `Location` is the run.',
      content: json(accepted),
    },
  },
  'x-problems': [401, 403, 404, 405, 413, 429, 500, 503],
}

const description =
  'For senders; needs no token. The body is the message, as it came. A delivery that comes again, by its id, is the same run.'

const post = createRoute({
  ...delivery,
  tags,
  operationId: 'receiveWebhook',
  summary: 'Take a delivery of a webhook',
  description,
  method: 'post',
})

const put = createRoute({
  ...delivery,
  tags,
  operationId: 'receiveWebhookPut',
  summary: 'Take a delivery of a webhook by PUT',
  description: `${description} Only where the document says so.`,
  method: 'put',
})

const get = createRoute({
  tags,
  path,
  operationId: 'answerWebhookHandshake',
  summary: 'Answer what a sender asks when an address is registered with it',
  method: 'get',
  request: { params: hookParam },
  responses: { 200: { description: 'A handshake', content: echo } },
  'x-problems': [403, 404, 405, 429, 500, 503],
})

export function hookRoutes(app: Api, deps: ApiDeps): void {
  const hooks = openHooks(deps)
  webhookRoutes(app, deps, hooks)
  const find = async (c: Context<ApiEnv>, address: Address): Promise<Hook> => {
    const hook = await hooks.find(c.get('address'), address)
    if (hook) return hook
    throw new HttpProblem(404, 'there is no such webhook')
  }
  app.openapi(post, async (c) => receive(deps, c, await find(c, c.req.valid('param'))))
  app.openapi(put, async (c) => receive(deps, c, await find(c, c.req.valid('param'))))
  app.openapi(get, async (c) => {
    const hook = await find(c, c.req.valid('param'))
    const config = published(hook)
    const answer = answerToQuery(config.handshake, queryOf(c), tokensOf(hook))
    if (answer) return echoed(c, answer)
    throw notTaken(config, 'GET')
  })
}

/** Throws 503: who sends tries again, so nothing is lost of what comes while a webhook is away for a moment. */
function published({ config, closed }: Hook): Webhook {
  if (config) return config
  throw new Unavailable('webhook', closed ?? 'the webhook is not published now')
}

async function receive(deps: ApiDeps, c: Context<ApiEnv>, hook: Hook) {
  const config = published(hook)
  const query = queryOf(c)
  const body = await readRawBytes(c, config.maxBytes)
  // A delivery with a body is never taken for a question.
  const asked = body.byteLength === 0 ? answerToQuery(config.handshake, query, tokensOf(hook)) : null
  if (asked) return echoed(c, asked)
  if (!(config.methods as readonly string[]).includes(c.req.method)) throw notTaken(config, c.req.method)
  const header = (name: string) => c.req.raw.headers.get(name) ?? undefined
  verify(deps, hook, config, { header, body })
  const answer = answerToBody(config.handshake, body)
  if (answer) return echoed(c, answer)
  if (hook.closed !== null) throw new Unavailable('webhook', hook.closed)
  const verified = { header, query, body, contentType: contentTypeOf(c), trace: traceOf(c) }
  const runId = await acceptDelivery(deps, hook, config, verified)
  c.header('location', `/api/runs/${runId}`)
  return c.json({ runId }, 202)
}

/** Throws 401 for what wasn't signed with a secret of the webhook, and 503 while it has none: nothing is taken unverified. */
function verify(
  { log }: ApiDeps,
  { topology, node, secrets }: Hook,
  config: Webhook,
  signed: { readonly header: (name: string) => string | undefined; readonly body: Uint8Array },
): void {
  if (config.verify === null) return
  if (secrets === null)
    throw new Unavailable('webhook', `the secret of the webhook "${node.name}" was encrypted with another key`)
  if (secrets.length === 0) throw new Unavailable('webhook', `the webhook "${node.name}" has no secret yet`)
  const why = refusalOf(config.verify, secrets, { ...signed, atMs: Date.now() })
  if (why === null) return
  log.warn('a delivery of a webhook was refused', { topology: topology.name, node: node.name, why })
  throw new HttpProblem(401, why, { 'www-authenticate': `Webhook scheme="${config.verify.scheme}"` })
}

function tokensOf({ verifyTokens, node }: Hook): readonly string[] {
  if (verifyTokens) return verifyTokens
  throw new Unavailable('webhook', `the verify token of the webhook "${node.name}" was encrypted with another key`)
}

function queryOf(c: Context): URLSearchParams {
  return new URL(c.req.url).searchParams
}

function notTaken({ methods, handshake }: Webhook, method: string): HttpProblem {
  const allow = [...(handshake?.in === 'query' ? ['GET'] : []), ...methods].join(', ')
  const hint = method === 'GET' && handshake?.in === 'query' ? `, and GET only with the query ${handshake.name}` : ''
  return new HttpProblem(405, `this webhook takes ${methods.join(', ')}${hint}`, { allow })
}

/** What is echoed is never a page: whoever makes somebody open such an address gets nothing run. */
function echoed(c: Context<ApiEnv>, answer: Answer) {
  if ('refused' in answer) throw new HttpProblem(403, answer.refused)
  c.header('x-content-type-options', 'nosniff')
  c.header('content-security-policy', "default-src 'none'; sandbox")
  c.header('cache-control', 'no-store')
  return c.text(answer.echo, 200)
}
