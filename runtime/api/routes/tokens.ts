import { createRoute } from '@hono/zod-openapi'
import { getTopology } from '../../store/queries/topologies.ts'
import { deleteToken, insertToken, listTokens, newTokenText } from '../../store/queries/tokens.ts'
import type { Token } from '../../store/queries/tokens.ts'
import { needs } from '../auth.ts'
import type { Api, ApiDeps } from '../deps.ts'
import { afterText, page, pageQuery } from '../paging.ts'
import { body, idParam, json } from '../schemas/common.ts'
import * as schemas from '../schemas/registry.ts'

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

const create = createRoute({
  ...needs('admin'),
  operationId: 'createToken',
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
  ...needs('admin'),
  operationId: 'deleteToken',
  tags,
  summary: 'Revoke a token, at once',
  method: 'delete',
  path: '/api/tokens/{id}',
  request: { params: idParam },
  responses: { 204: { description: 'Revoked' } },
})

export function tokenRoutes(app: Api, { store }: ApiDeps): void {
  app.openapi(list, async (c) => {
    const { limit, after } = c.req.valid('query')
    const rows = await listTokens(store, limit + 1, afterText(after))
    return c.json(
      page(rows, limit, showToken, (row) => row.id),
      200,
    )
  })
  app.openapi(create, async (c) => {
    const { name, scopes, topology, expiresAt } = c.req.valid('json')
    const text = newTokenText()
    const token = await insertToken(store, text, {
      name,
      scopes: [...new Set(scopes)],
      topologyId: topology === undefined ? null : (await getTopology(store, topology)).id,
      expiresAt: expiresAt === undefined ? null : new Date(expiresAt),
    })
    c.header('cache-control', 'no-store')
    return c.json({ ...showToken(token), token: text }, 201)
  })
  app.openapi(remove, async (c) => {
    await deleteToken(store, c.req.valid('param').id)
    return c.body(null, 204)
  })
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
