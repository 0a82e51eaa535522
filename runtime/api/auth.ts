import type { Context, MiddlewareHandler } from 'hono'
import { findSession } from '../store/queries/sessions.ts'
import type { Session } from '../store/queries/sessions.ts'
import { findToken, sameToken } from '../store/queries/tokens.ts'
import type { Token } from '../store/queries/tokens.ts'
import { audited } from './access/audit.ts'
import { cookieHeader, cookieOf, proveSameOrigin } from './access/cookie.ts'
import { isHook } from './access/hidden.ts'
import { addressOf } from './access/origin.ts'
import type { ApiDeps, ApiEnv, Caller, Scope } from './deps.ts'
import { HttpProblem } from './problem.ts'

/** Probes, pages that are the same for everybody, and the login, which is given a token of its own. */
const open = new Set([
  'GET /',
  'GET /healthz',
  'GET /readyz',
  'GET /api/docs',
  'GET /api/openapi.json',
  'GET /api/schemas/topology.json',
  'POST /api/session',
])

/** Of a page that is the same for everybody, or a probe: what it is asked with makes no difference. */
export function isOpenPage(method: string, path: string): boolean {
  return method === 'GET' && open.has(`GET ${path}`)
}

/**
 * Finds out who calls, by the token or by the cookie of a login: 401 without one that is known and not expired, except for what is
 * open; 429 while too many wrong ones come from the same address.
 */
export function authenticate(deps: ApiDeps): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const method = c.req.method === 'HEAD' ? 'GET' : c.req.method
    if (isOpenPage(method, c.req.path)) return next()
    const isOpen = open.has(`${method} ${c.req.path}`)
    c.set('address', addressOf(c, deps.access.isProxy))
    // Senders of webhooks are known by what the path ends with.
    if (!isOpen && !isHook(c.req.path)) c.set('caller', await callerOf(deps, c))
    return next()
  }
}

async function callerOf(deps: ApiDeps, c: Context<ApiEnv>): Promise<Caller> {
  const header = c.req.header('authorization')
  const cookie = header === undefined ? cookieOf(c, deps.access.isProxy) : null
  if (cookie !== null) return sessionCaller(deps, c, cookie)
  const text = /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1]
  if (text === undefined) throw refused('this needs a token: send "Authorization: Bearer <token>"')
  const caller = await tokenCaller(deps, c.get('address'), text)
  if (!caller) throw refused('the token is not known, or it has expired', ', error="invalid_token"')
  return caller
}

/** Null for a token that isn't known, or has expired. Throws 429. */
export function tokenCaller(deps: ApiDeps, address: string | null, text: string): Promise<Caller | null> {
  return deps.access.attempts.check(address, text, async () => {
    if (sameToken(text, deps.adminToken)) return callerFrom(null, null)
    const token = await findToken(deps.store, text)
    return token && callerFrom(token, null)
  })
}

async function sessionCaller({ store, access, adminToken }: ApiDeps, c: Context<ApiEnv>, cookie: string) {
  const { isProxy, attempts, sessionIdleMs: idleMs } = access
  const found = await attempts.check(c.get('address'), cookie, () => findSession(store, cookie, { idleMs, adminToken }))
  if (!found) {
    const forget = { 'set-cookie': cookieHeader(c, isProxy, '', 0) }
    throw refused('the session has ended: log in again', ', error="invalid_token"', forget)
  }
  proveSameOrigin(c, isProxy)
  // What a browser keeps, whoever sits at it later can look at.
  c.header('cache-control', 'no-store')
  return callerFrom(found.token, found.session, idleMs)
}

/** `token` null: the admin token of the options. */
function callerFrom(token: Token | null, session: Session | null, idleMs = 0): Caller {
  const ends = [token?.expiresAt, session?.expiresAt, session && new Date(session.lastUsedAt.getTime() + idleMs)]
  const soonest = ends.flatMap((end) => (end ? [end.getTime()] : []))
  return {
    name: token?.name ?? adminName,
    scopes: new Set(token?.scopes ?? (['admin'] satisfies Scope[])),
    topologyId: token?.topologyId ?? null,
    tokenId: token?.id ?? null,
    sessionId: session?.id ?? null,
    expiresAt: soonest.length === 0 ? null : new Date(Math.min(...soonest)),
  }
}

/** Of the options' token. */
export const adminName = 'admin'

export function refused(message: string, more = '', headers: Readonly<Record<string, string>> = {}): HttpProblem {
  return new HttpProblem(401, message, { 'www-authenticate': `Bearer realm="sluiceway"${more}`, ...headers })
}

export function has(caller: Caller, scope: Scope): boolean {
  return caller.scopes.has(scope) || caller.scopes.has('admin')
}

interface Needs {
  /** Who answers for a token of one topology: the path, which has to name that topology, or the handler with `checkTopology` or `ownTopology`. */
  readonly topologyBy?: 'path' | 'handler'
  /** Another scope that will do as well. */
  readonly or?: Scope
}

/** For the definition of a route that changes nothing: which scope it needs; of several all. */
export function needs(scope: Scope | Scope[], { topologyBy = 'path', or }: Needs = {}) {
  const scopes = typeof scope === 'string' ? [scope] : scope
  return { security: securityOf(scopes, or), middleware: allow(scopes, topologyBy, or) }
}

/**
 * For the definition of a route that changes something: it is named, and its handler writes what it changed with `c.get('audit')`.
 * Of several scopes all are needed.
 */
export function changes(scope: Scope | Scope[], operationId: string, { topologyBy = 'path', or }: Needs = {}) {
  const scopes = typeof scope === 'string' ? [scope] : scope
  const middleware = [allow(scopes, topologyBy, or), audited(operationId)]
  return { operationId, security: securityOf(scopes, or), middleware }
}

/** A token, or the cookie of a login. */
export function securityOf(scopes: Scope[], or?: Scope): { bearer?: Scope[]; session?: Scope[] }[] {
  const one = [{ bearer: scopes }, { session: scopes }]
  return or === undefined ? one : [...one, ...securityOf([or])]
}

function allow(scopes: readonly Scope[], topologyBy: 'path' | 'handler', or?: Scope): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const caller = c.get('caller')
    const lacking = or !== undefined && has(caller, or) ? undefined : scopes.find((scope) => !has(caller, scope))
    const wanted = [lacking, or].filter((scope) => scope !== undefined).join('" or "')
    if (lacking !== undefined) throw new HttpProblem(403, `this needs a token with the scope "${wanted}"`)
    if (caller.topologyId !== null && topologyBy === 'path' && c.req.param('topology') === undefined)
      throw new HttpProblem(403, 'the token is good for one topology only, and this concerns others, too')
    await next()
  }
}

/** 403 when the caller's token is for another topology. */
export function checkTopology(caller: Caller, topologyId: string): void {
  if (caller.topologyId !== null && caller.topologyId !== topologyId)
    throw new HttpProblem(403, 'the token is for another topology')
}

/** For a list: the topology that is asked for, or else the only one that the token is good for. 403 when it is another one. */
export function ownTopology(caller: Caller, topologyId: string | undefined): string | undefined {
  if (topologyId !== undefined) checkTopology(caller, topologyId)
  return topologyId ?? caller.topologyId ?? undefined
}
