import createClient from 'openapi-fetch'
import type { Client, Middleware } from 'openapi-fetch'
import { Unavailable, textOf } from '../errors.ts'
import { readEvents } from './events.ts'
import type { EngineEvent, Watching } from './events.ts'
import { listItems } from './list.ts'
import type { ItemOf, ListParams, ListPath } from './list.ts'
import type { paths } from './openapi.d.ts'
import { errorOf, strange } from './problem.ts'
import type { Names } from './problem.ts'

export interface EngineOptions {
  /** Where the engine serves, such as `http://127.0.0.1:8484`. */
  readonly url: string
  /** Left out for what needs none. */
  readonly token?: string | undefined
  /** How long an answer may take; by default 30 s. */
  readonly timeoutMs?: number | undefined
  /** By default the global one. */
  readonly fetch?: ((request: Request) => Promise<Response>) | undefined
  /** How `url` and `token` are called where a person gives them. */
  readonly names?: Names | undefined
}

/**
 * A running engine, spoken to over its HTTP API. `GET`, `POST`, `PUT`, `PATCH` and `DELETE` take the paths, parameters and bodies
 * of openapi.json, and nothing else. Where the engine refuses they throw `Invalid` with its faults, `NotFound`, `Conflict` or
 * `LostRace`; `Unavailable` when it can't be reached, refuses the token, or is too full. `cause` is the `Refused` of the answer.
 */
export interface Engine extends Client<paths> {
  readonly url: string
  /** The items of a list, page by page, at most `limit`. */
  items<P extends ListPath>(path: P, params?: ListParams<P>, limit?: number): AsyncGenerator<ItemOf<P>>
  /** The same, gathered. */
  list<P extends ListPath>(path: P, params?: ListParams<P>, limit?: number): Promise<ItemOf<P>[]>
  /** What happens, until the signal aborts; a broken connection is taken up again where it was. */
  events(watching?: Watching): AsyncGenerator<EngineEvent>
}

const timeoutMsDefault = 30_000

export function openEngine(options: EngineOptions): Engine {
  const url = options.url.replace(/\/+$/, '')
  const names = options.names ?? { url: 'its url', token: 'the option token' }
  const client = createClient<paths>({ baseUrl: url, fetch: limited(options, url, names) })
  client.use(authorized(options.token), refusing(url, names))
  return {
    ...client,
    url,
    items: (path, params, limit) => listItems(client, path, params, limit),
    async list(path, params, limit) {
      const items = []
      for await (const item of listItems(client, path, params, limit)) items.push(item)
      return items
    },
    events: (watching = {}) => readEvents(client, watching),
  }
}

function authorized(token: string | undefined): Middleware {
  return {
    onRequest({ request }) {
      if (token !== undefined) request.headers.set('authorization', `Bearer ${token}`)
      return request
    },
  }
}

/** Makes of each answer that is no success an error that is thrown. */
function refusing(url: string, names: Names): Middleware {
  return {
    async onResponse({ response, options }) {
      if (!response.ok) throw await errorOf(response, url, names)
      if (!response.headers.has('sluice-version')) throw strange(url, names, new Error('it did not say its version'))
      const isEmpty = response.status === 204 || response.headers.get('content-type') === null
      const isJson = /json/.test(response.headers.get('content-type') ?? '')
      if (options.parseAs === 'json' && !isEmpty && !isJson) throw strange(url, names, new Error('it answered no JSON'))
    },
  }
}

/** Of a stream only the time to its beginning is limited. */
function limited(
  { fetch = (request) => globalThis.fetch(request), timeoutMs = timeoutMsDefault }: EngineOptions,
  url: string,
  names: Names,
) {
  return async (request: Request): Promise<Response> => {
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
    try {
      return await fetch(new Request(request, { signal: AbortSignal.any([request.signal, late.signal]) }))
    } catch (error) {
      if (request.signal.aborted) throw error
      const text = `the engine at ${url} can't be reached (${reasonOf(error)}): check ${names.url} and that it runs`
      throw new Unavailable('engine', text, { cause: error })
    } finally {
      clearTimeout(timer)
    }
  }
}

/** Why a fetch failed: an address with two families fails with an empty text and a code only. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error) || !(error.cause instanceof Error)) return textOf(error)
  const { cause } = error
  const code = 'code' in cause ? String(cause.code) : cause.name
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER') return 'it speaks no TLS there: it may speak http, not https'
  return cause.message || code
}
