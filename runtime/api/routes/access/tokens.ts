import { createRoute } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { Invalid } from '../../../errors.ts'
import { getTopology } from '../../../store/queries/topologies.ts'
import { deleteToken, getToken, insertToken, listTokens, newTokenText } from '../../../store/queries/tokens.ts'
import type { Token } from '../../../store/queries/tokens.ts'
import { ofToken } from '../../access/targets.ts'
import { adminName, changes, needs } from '../../auth.ts'
import type { Api, ApiDeps, ApiEnv } from '../../deps.ts'
import { afterText, page, pageQuery } from '../../input/paging.ts'
import { body, idParam, json } from '../../schemas/common.ts'
import * as schemas from '../../schemas/access.ts'

const tags = ['Tokens']

const list = createRoute({
  ...needs('admin'),
  operationId: 'listTokens',
  tags,
  summary: 'List tokens; never their text',
  method: 'get',
  path: '/api/tokens',
  request: { query: pageQuery },
  responses: { 200: { description: 'A page', content: json(schemas.tokenPage) } },
})

const get = createRoute({
  ...needs('admin'),
  operationId: 'getToken',
  tags,
  summary: 'Get a token; never its text',
  method: 'get',
  path: '/api/tokens/{id}',
  request: { params: idParam },
  responses: { 200: { description: 'The token', content: json(schemas.token) } },
})

const create = createRoute({
  ...changes('admin', 'createToken'),
  tags,
  summary: 'Make a token',
  description: 'Its text is in this answer only: just a hash is kept.',
  method: 'post',
  path: '/api/tokens',
  request: { body: body(schemas.tokenInput) },
  responses: { 201: { description: 'Made', content: json(schemas.newToken) } },
  'x-problems': [404],
})

const remove = createRoute({
  ...changes('admin', 'deleteToken'),
  tags,
  summary: 'Revoke a token, at once',
  description: 'Its logins end with it. A token may revoke itself.',
  method: 'delete',
  path: '/api/tokens/{id}',
  request: { params: idParam },
  responses: { 204: { description: 'Revoked' } },
})

export function tokenRoutes(app: Api, deps: ApiDeps): void {
  const { store, events } = deps
  app.openapi(list, async (c) => {
    const { limit, after } = c.req.valid('query')
    const rows = await listTokens(store, limit + 1, afterText(after))
    return c.json(
      page(rows, limit, showToken, (row) => row.id),
      200,
    )
  })
  app.openapi(get, async (c) => c.json(showToken(await getToken(store, c.req.valid('param').id)), 200))
  app.openapi(create, async (c) => {
    const text = newTokenText()
    const token = await make(deps, c, text, c.req.valid('json'))
    events.emit({ kind: 'token' })
    c.header('cache-control', 'no-store')
    c.header('location', `/api/tokens/${token.id}`)
    return c.json({ ...showToken(token), token: text }, 201)
  })
  app.openapi(remove, async (c) => {
    await store.transaction(async (inside) => {
      await c.get('audit')(inside, ofToken(await deleteToken(inside, c.req.valid('param').id), null))
    })
    events.emit({ kind: 'token' })
    return c.body(null, 204)
  })
}

async function make({ store }: ApiDeps, c: Context<ApiEnv>, text: string, input: schemas.TokenInput): Promise<Token> {
  const { name, scopes, topology, expiresAt } = input
  check(input)
  const topologyId = topology === undefined ? null : (await getTopology(store, topology)).id
  const values = { name, scopes: [...new Set(scopes)], topologyId, expiresAt: expiresAt ? new Date(expiresAt) : null }
  return store.transaction(async (inside) => {
    const token = await insertToken(inside, text, values)
    await c.get('audit')(inside, ofToken(null, token))
    return token
  })
}

/** What would never work, or would read as somebody else in the audit log. */
function check({ name, expiresAt }: schemas.TokenInput): void {
  const isPast = expiresAt !== undefined && new Date(expiresAt).getTime() <= Date.now()
  if (isPast) throw fault('expiresAt', `expected a time to come; it is ${new Date().toISOString()} now`)
  if (name === adminName) throw fault('name', `"${adminName}" is the name of SLUICE_ADMIN_TOKEN: take another one`)
}

function fault(path: string, message: string): Invalid {
  return new Invalid(`${path}: ${message}`, [{ path, message }])
}

function showToken({ scopes, expiresAt, lastUsedAt, createdAt, ...rest }: Token): schemas.Token {
  return {
    ...rest,
    scopes: [...scopes],
    expiresAt: expiresAt?.toISOString() ?? null,
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
  }
}
