import type { Context, MiddlewareHandler } from 'hono'
import { matchedRoutes } from 'hono/route'
import { z } from '@hono/zod-openapi'
import { Invalid } from '../../errors.ts'
import { isHook } from '../access/hidden.ts'
import { isOpenPage } from '../auth.ts'
import type { Api, ApiEnv } from '../deps.ts'

/** What a route takes beside its path. */
interface Taken {
  readonly queries: ReadonlySet<string>
  readonly hasBody: boolean
}

/**
 * What the route doesn't have is refused, a query parameter or a body: misspelt, or in the wrong place, it would be left out without a word.
 * Probes and open pages take any: load balancers add their own. So do webhooks: what a service sends is its own affair.
 */
export function knownInput(app: Api): MiddlewareHandler<ApiEnv> {
  let known: ReadonlyMap<string, Taken> | null = null
  return async (c, next) => {
    const given = Object.keys(c.req.query())
    const method = c.req.method === 'HEAD' ? 'GET' : c.req.method
    const isFull = await hasContent(c)
    if ((given.length > 0 || isFull) && !isOpenPage(method, c.req.path) && !isHook(c.req.path)) {
      known ??= takenBy(app)
      const route = matchedRoutes(c).find((one) => one.method === method && known?.has(`${method} ${one.path}`))
      const taken = route && known.get(`${method} ${route.path}`)
      if (taken !== undefined) refuseOthers(given, taken.queries)
      if (taken?.hasBody === false && isFull)
        throw new Invalid('this takes no body: all that it goes by stands in the path and the query', [
          { path: '', message: 'leave the body out' },
        ])
    }
    await next()
  }
}

/** Of those that were read before any route sees them (body.ts); an empty object says nothing. */
async function hasContent(c: Context<ApiEnv>): Promise<boolean> {
  const isRead = c.req.bodyCache.text !== undefined
  return isRead && !/^\s*\{\s*\}\s*$/.test(await c.req.text())
}

function refuseOthers(given: readonly string[], known: ReadonlySet<string>): void {
  const all = known.size === 0 ? 'this takes none' : `expected ${[...known].join(', ')}`
  const faults = given
    .filter((name) => !known.has(name))
    .map((name) => ({ path: name.slice(0, 100), message: `there is no such query parameter; ${all}` }))
  if (faults.length > 0) throw new Invalid('the query has parameters that are not known', faults)
}

/** By method and path. */
function takenBy(app: Api): Map<string, Taken> {
  return new Map(
    app.openAPIRegistry.definitions.flatMap((definition) => {
      if (definition.type !== 'route') return []
      const { method, path, request } = definition.route
      const query = request?.query instanceof z.ZodObject ? Object.keys(request.query.shape) : []
      const taken = { queries: new Set(query), hasBody: request?.body !== undefined }
      return [[`${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`, taken] as const]
    }),
  )
}
