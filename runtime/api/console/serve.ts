import type { Context, MiddlewareHandler } from 'hono'
import type { ApiEnv } from '../deps.ts'
import { encodings, indexPath, readConsole } from './files.ts'
import type { ConsoleFile, ConsoleFiles } from './files.ts'

/** What belongs to the API, whoever asks: never answered with a page of the console. */
const ofApi = /^\/(api|start|hooks|metrics|healthz|readyz)(\/|$)/
const ofAssets = /^\/assets(\/|$)/
const aYear = 31_536_000

/**
 * No script but the console's own files, nothing from elsewhere, in nobody's frame. Styles may stand in the page, since the
 * components set colours and sizes as they are drawn.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

const headers: Readonly<Record<string, string>> = {
  'content-security-policy': contentSecurityPolicy,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  // Within the console the origin may be told: by it the engine knows where a change comes from.
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
}

/**
 * Serves the console's files, and its first page for whatever a person opens that is no path of the API: which page that is, the
 * console decides. All else goes on. It is looked for in the folder when it is asked for first.
 */
export function consolePages(folder: string): MiddlewareHandler<ApiEnv> {
  let files: ConsoleFiles | null = null
  return async (c, next) => {
    if (!['GET', 'HEAD'].includes(c.req.method) || ofApi.test(c.req.path)) return next()
    files ??= readConsole(folder)
    if (files === null) return c.req.path === '/' ? notBuilt(c) : next()
    const path = c.req.path === '/' ? indexPath : c.req.path
    const file = files.get(path) ?? (isNavigation(c) ? files.get(indexPath) : undefined)
    return file === undefined ? next() : send(c, file)
  }
}

/** A page that is opened, and no script, picture or request of a program. */
function isNavigation(c: Context<ApiEnv>): boolean {
  const mode = c.req.header('sec-fetch-mode')
  if (mode !== undefined && mode !== 'navigate') return false
  return (c.req.header('accept') ?? '').includes('text/html') && !ofAssets.test(c.req.path)
}

function send(c: Context<ApiEnv>, file: ConsoleFile): Response {
  const all = {
    ...headers,
    'content-type': file.type,
    etag: file.etag,
    'cache-control': file.isImmutable ? `public, max-age=${aYear}, immutable` : 'no-cache',
    vary: 'accept-encoding',
  }
  if (c.req.header('if-none-match') === file.etag) return c.body(null, 304, all)
  const taken = acceptedBy(c.req.header('accept-encoding') ?? '')
  const encoding = encodings.find((one) => taken.has(one) && file.packed.has(one))
  const packed = encoding && file.packed.get(encoding)
  const bytes = packed ?? file.plain
  return c.body(new Uint8Array(bytes), 200, {
    ...all,
    'content-length': String(bytes.length),
    ...(packed && { 'content-encoding': encoding }),
  })
}

/** Encodings that a client names, but for those that it refuses with `q=0`. */
function acceptedBy(header: string): ReadonlySet<string> {
  const named = header
    .toLowerCase()
    .split(',')
    .map((one) => /^\s*([\w*-]+)\s*(?:;\s*q=([\d.]+))?\s*$/.exec(one))
  return new Set(named.flatMap((one) => (one?.[1] !== undefined && Number(one[2] ?? 1) > 0 ? [one[1]] : [])))
}

function notBuilt(c: Context<ApiEnv>): Response {
  const text =
    'The console is not built: run `npm run build` in the checkout, and start again. The API is there: /api/docs\n'
  return c.text(text, 404, headers)
}
