import { createRoute } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { Conflict } from '../../../errors.ts'
import { deleteSession, findSession, insertSession, newCookie } from '../../../store/queries/sessions.ts'
import type { Session } from '../../../store/queries/sessions.ts'
import { getTopology } from '../../../store/queries/topologies.ts'
import { audited } from '../../access/audit.ts'
import { cookieHeader, cookieOf, refuseForeign } from '../../access/cookie.ts'
import { ofSession } from '../../access/targets.ts'
import { refused, securityOf, tokenCaller } from '../../auth.ts'
import type { Api, ApiDeps, ApiEnv, Caller, Scope } from '../../deps.ts'
import { body, json } from '../../schemas/common.ts'
import * as schemas from '../../schemas/access.ts'

const tags = ['Sessions']
const path = '/api/session'
const whoami = { content: json(schemas.session) }

const create = createRoute({
  operationId: 'createSession',
  middleware: audited('createSession'),
  tags,
  summary: 'Log in: a token for a cookie',
  description:
    'For browsers: the cookie is HttpOnly, SameSite=Strict, and over https Secure with the prefix `__Host-`. With it, whatever changes something needs the header `sluice-csrf: 1` and has to come from a page of the same origin.',
  method: 'post',
  path,
  request: { body: body(schemas.login) },
  responses: { 201: { description: 'Logged in; `set-cookie` carries the cookie', ...whoami } },
  'x-problems': [401, 403, 429, 500, 503],
})

const get = createRoute({
  operationId: 'getSession',
  security: securityOf([]),
  tags,
  summary: 'Who am I, and what may I do',
  description: 'Of the login, or of the token that is sent.',
  method: 'get',
  path,
  responses: { 200: { description: 'Known', ...whoami } },
})

const remove = createRoute({
  operationId: 'deleteSession',
  security: securityOf([]),
  middleware: audited('deleteSession'),
  tags,
  summary: 'Log out',
  description: '409 for a request that goes by a token.',
  method: 'delete',
  path,
  responses: { 204: { description: 'The cookie is good for nothing any more' } },
  'x-problems': [409],
})

export function sessionRoutes(app: Api, deps: ApiDeps): void {
  app.openapi(create, async (c) => {
    refuseForeign(c, deps.access.isProxy)
    const token = await tokenCaller(deps, c.get('address'), c.req.valid('json').token)
    if (!token) throw refused('the token is not known, or it has expired', ', error="invalid_token"')
    const caller = await logIn(deps, c, token)
    return c.json(await showCaller(deps, caller), 201)
  })
  app.openapi(get, async (c) => {
    c.header('cache-control', 'no-store')
    return c.json(await showCaller(deps, c.get('caller')), 200)
  })
  app.openapi(remove, async (c) => {
    const { sessionId, name } = c.get('caller')
    if (sessionId === null) throw new Conflict('this request goes by a token, not by a login: there is nothing to end')
    await deps.store.transaction(async (inside) => {
      const session = await deleteSession(inside, sessionId)
      if (session) await c.get('audit')(inside, ofSession(name, session, null))
    })
    c.header('set-cookie', cookieHeader(c, deps.access.isProxy, '', 0))
    return c.body(null, 204)
  })
}

/** Makes a session, and ends the one that the browser had. */
async function logIn(deps: ApiDeps, c: Context<ApiEnv>, token: Caller): Promise<Caller> {
  const { store, adminToken, access } = deps
  const { isProxy, sessionIdleMs: idleMs, sessionMaxMs } = access
  const known = cookieOf(c, isProxy)
  const before = known === null ? null : await findSession(store, known, { idleMs, adminToken })
  const cookie = newCookie()
  const now = Date.now()
  const expiresAt = new Date(Math.min(now + sessionMaxMs, token.expiresAt?.getTime() ?? Infinity))
  const session = await store.transaction(async (inside) => {
    if (before) await deleteSession(inside, before.session.id)
    const made = await insertSession(inside, cookie, { tokenId: token.tokenId, expiresAt, adminToken })
    c.set('caller', { ...token, sessionId: made.id })
    await c.get('audit')(inside, ofSession(token.name, null, made))
    return made
  })
  c.header('set-cookie', cookieHeader(c, isProxy, cookie, expiresAt.getTime() - now))
  c.header('cache-control', 'no-store')
  return { ...token, sessionId: session.id, expiresAt: soonest(session, idleMs) }
}

function soonest({ expiresAt, lastUsedAt }: Session, idleMs: number): Date {
  return new Date(Math.min(expiresAt.getTime(), lastUsedAt.getTime() + idleMs))
}

async function showCaller({ store }: ApiDeps, caller: Caller): Promise<schemas.Session> {
  const { name, scopes, topologyId, tokenId, sessionId, expiresAt } = caller
  const topology = topologyId === null ? null : await getTopology(store, topologyId)
  return {
    name,
    scopes: [...scopes] as Scope[],
    topology: topology?.name ?? null,
    topologyId,
    tokenId,
    sessionId,
    expiresAt: expiresAt?.toISOString() ?? null,
  }
}
