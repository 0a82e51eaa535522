import type { Context } from 'hono'
import { generateCookie, getCookie } from 'hono/cookie'
import type { ApiEnv } from '../deps.ts'
import { HttpProblem } from '../problem.ts'
import { isHttps, originOf } from './origin.ts'
import type { Proxies } from './origin.ts'

/** Over https with the prefix `__Host-`: browsers then take it from this host alone, over https, for all paths. */
const name = 'sluice_session'
const csrfHeader = 'sluice-csrf'

/** Null when the request carries none. */
export function cookieOf(c: Context<ApiEnv>, isProxy: Proxies): string | null {
  return (isHttps(c, isProxy) ? getCookie(c, name, 'host') : getCookie(c, name)) ?? null
}

function settings(c: Context<ApiEnv>, isProxy: Proxies) {
  const secure = isHttps(c, isProxy)
  return { path: '/', httpOnly: true, sameSite: 'Strict', secure, ...(secure && { prefix: 'host' as const }) } as const
}

/** A `set-cookie` header that makes the browser keep the cookie for so long; 0: that it forgets it. */
export function cookieHeader(c: Context<ApiEnv>, isProxy: Proxies, cookie: string, keptMs: number): string {
  return generateCookie(name, cookie, { ...settings(c, isProxy), maxAge: Math.max(0, Math.floor(keptMs / 1_000)) })
}

/**
 * A browser adds its cookie to whatever page asks, so a change that goes by a cookie has to prove that a page of ours asked. Throws 403
 * without the header `sluice-csrf`, which no other origin can add, and unless the browser says where it comes from.
 */
export function proveSameOrigin(c: Context<ApiEnv>, isProxy: Proxies): void {
  if (['GET', 'HEAD', 'OPTIONS'].includes(c.req.method)) return
  if (c.req.header(csrfHeader) !== '1')
    throw new HttpProblem(403, `a change that goes by the session cookie needs the header "${csrfHeader}: 1"`)
  if (!comesFromHere(c, isProxy))
    throw new HttpProblem(403, 'a change that goes by the session cookie needs Sec-Fetch-Site, or Origin')
}

/** Throws 403 when a browser says that a page of another origin asks; what is no browser says nothing. */
export function refuseForeign(c: Context<ApiEnv>, isProxy: Proxies): void {
  comesFromHere(c, isProxy)
}

/** False when nothing is said. Newer browsers say it themselves; older ones, and those on plain http, name the origin only. */
function comesFromHere(c: Context<ApiEnv>, isProxy: Proxies): boolean {
  const site = c.req.header('sec-fetch-site')
  if (site === 'same-origin') return true
  const origin = c.req.header('origin')
  if (site === undefined && origin === undefined) return false
  if (site === undefined && isSame(origin, originOf(c, isProxy))) return true
  const from = site === undefined ? `the origin ${origin}` : `Sec-Fetch-Site ${site}`
  throw new HttpProblem(403, `${from} is another origin than ${originOf(c, isProxy)}: a page of it may not do this`)
}

function isSame(one: string | undefined, other: string): boolean {
  if (one === undefined || !URL.canParse(one) || !URL.canParse(other)) return false
  return new URL(one).origin === new URL(other).origin
}
