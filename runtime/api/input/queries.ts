import type { MiddlewareHandler } from 'hono'
import { matchedRoutes } from 'hono/route'
import { z } from '@hono/zod-openapi'
import { Invalid } from '../../errors.ts'
import { isHook } from '../access/hidden.ts'
import { isOpenPage } from '../auth.ts'
import type { Api, ApiEnv } from '../deps.ts'

/**
 * A query parameter that the route doesn't have is refused: misspelt, it would be left out without a word. Probes and open pages take
 * any: load balancers add their own. So do webhooks: what a service sends is its own affair.
 */
export function knownQueries(app: Api): MiddlewareHandler<ApiEnv> {
  let known: ReadonlyMap<string, ReadonlySet<string>> | null = null
  return async (c, next) => {
    const given = Object.keys(c.req.query())
    const method = c.req.method === 'HEAD' ? 'GET' : c.req.method
    if (given.length > 0 && !isOpenPage(method, c.req.path) && !isHook(c.req.path)) {
      known ??= queriesOf(app)
      const route = matchedRoutes(c).find((one) => one.method === method && known?.has(`${method} ${one.path}`))
      if (route !== undefined) refuseOthers(given, known.get(`${method} ${route.path}`) ?? new Set())
    }
    await next()
  }
}

function refuseOthers(given: readonly string[], known: ReadonlySet<string>): void {
  const all = known.size === 0 ? 'this takes none' : `expected ${[...known].join(', ')}`
  const faults = given
    .filter((name) => !known.has(name))
    .map((name) => ({ path: name.slice(0, 100), message: `there is no such query parameter; ${all}` }))
  if (faults.length > 0) throw new Invalid('the query has parameters that are not known', faults)
}

/** Names of query parameters by method and path. */
function queriesOf(app: Api): Map<string, Set<string>> {
  return new Map(
    app.openAPIRegistry.definitions.flatMap((definition) => {
      if (definition.type !== 'route') return []
      const { method, path, request } = definition.route
      const query = request?.query instanceof z.ZodObject ? Object.keys(request.query.shape) : []
      return [[`${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`, new Set(query)] as const]
    }),
  )
}
