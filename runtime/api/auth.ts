import type { MiddlewareHandler } from 'hono'
import { findToken, sameToken } from '../store/queries/tokens.ts'
import type { ApiDeps, ApiEnv, Caller, Scope } from './deps.ts'
import { HttpProblem } from './problem.ts'

/** Probes, and pages that are the same for everybody. */
const open = new Set(['/', '/healthz', '/readyz', '/api/docs', '/api/openapi.json', '/api/schemas/topology.json'])

/** Finds out who calls: 401 without a token that is known and not expired, except for the open paths. */
export function authenticate(deps: ApiDeps): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    if (open.has(c.req.path)) return next()
    const text = /^Bearer +(\S+) *$/i.exec(c.req.header('authorization') ?? '')?.[1]
    if (text === undefined) throw refused('this needs a token: send "Authorization: Bearer <token>"')
    const caller = await callerOf(deps, text)
    if (!caller) throw refused('the token is not known, or it has expired', ', error="invalid_token"')
    c.set('caller', caller)
    return next()
  }
}

async function callerOf({ store, adminToken }: ApiDeps, text: string): Promise<Caller | null> {
  if (sameToken(text, adminToken)) return { name: 'admin', scopes: new Set<Scope>(['admin']), topologyId: null }
  const token = await findToken(store, text)
  return token && { name: token.name, scopes: new Set(token.scopes), topologyId: token.topologyId }
}

function refused(message: string, more = ''): HttpProblem {
  return new HttpProblem(401, message, { 'www-authenticate': `Bearer realm="sluiceway"${more}` })
}

export function has(caller: Caller, scope: Scope): boolean {
  return caller.scopes.has(scope) || caller.scopes.has('admin')
}

/** For a route's definition: which scope it needs. A token of one topology is good for routes of that topology only. */
export function needs(scope: Scope) {
  const middleware: MiddlewareHandler<ApiEnv> = async (c, next) => {
    const caller = c.get('caller')
    if (!has(caller, scope)) throw new HttpProblem(403, `this needs a token with the scope "${scope}"`)
    if (caller.topologyId !== null && c.req.param('topology') === undefined)
      throw new HttpProblem(403, 'the token is good for one topology only, and this concerns others, too')
    await next()
  }
  return { security: [{ bearer: [scope] }], middleware }
}

/** 403 when the caller's token is for another topology. */
export function checkTopology(caller: Caller, topologyId: string): void {
  if (caller.topologyId !== null && caller.topologyId !== topologyId)
    throw new HttpProblem(403, 'the token is for another topology')
}
