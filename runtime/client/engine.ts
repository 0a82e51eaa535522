import { Conflict, Invalid, LostRace, NotFound, Unavailable, textOf } from '../errors.ts'
import type { Fault } from '../errors.ts'

export interface Answer<T> {
  readonly body: T
  /** For `If-Match`; null when the answer has none. */
  readonly etag: string | null
}

interface Sending {
  /** Sent as JSON. */
  readonly body?: unknown
  /** ETag of the read that this change is based on. */
  readonly ifMatch?: string | null
}

/** A running engine, spoken to over its HTTP API. */
export interface Engine {
  readonly url: string
  /**
   * Sends a request and reads the JSON of the answer. Throws `NotFound`, `Conflict`, `LostRace`, `Invalid` with the
   * faults that the engine found, or `Unavailable` when it can't be reached or refuses the token.
   */
  send<T>(method: string, path: string, sending?: Sending): Promise<Answer<T>>
  /** Body of a GET. */
  get<T>(path: string): Promise<T>
  /** All items of a list, page by page, at most `limit`. */
  list<T>(path: string, limit: number): Promise<T[]>
}

const timeoutMs = 30_000
const pageMax = 500

/** `token` is left out for what needs none. */
export function openEngine(url: string, token: string | undefined): Engine {
  const base = url.replace(/\/+$/, '')
  async function send<T>(method: string, path: string, sending: Sending = {}): Promise<Answer<T>> {
    const response = await request(base + path, method, headersOf(token, sending), sending.body)
    const text = await response.text()
    if (!response.ok) throw errorOf(response, text, base)
    return { body: (text === '' ? null : parse(text, base)) as T, etag: response.headers.get('etag') }
  }
  const get = async <T>(path: string) => (await send<T>('GET', path)).body
  return {
    url: base,
    send,
    get,
    async list<T>(path: string, limit: number) {
      const items: T[] = []
      let after: string | null | undefined = null
      while (after !== undefined && items.length < limit) {
        const size = Math.min(pageMax, limit - items.length)
        const query = `limit=${size}${after === null ? '' : `&after=${encodeURIComponent(after)}`}`
        const page: { items: T[]; next?: string | null } = await get(`${path}${path.includes('?') ? '&' : '?'}${query}`)
        items.push(...page.items)
        after = page.next ?? undefined
      }
      return items.slice(0, limit)
    },
  }
}

function headersOf(token: string | undefined, { body, ifMatch }: Sending): Record<string, string> {
  return {
    accept: 'application/json',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(ifMatch ? { 'if-match': ifMatch } : {}),
  }
}

async function request(url: string, method: string, headers: Record<string, string>, body: unknown): Promise<Response> {
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    return await fetch(url, { method, headers, signal, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  } catch (error) {
    const why = error instanceof Error && error.cause instanceof Error ? reasonOf(error.cause) : textOf(error)
    const text = `the engine at ${new URL(url).origin} can't be reached (${why}): check --url (SLUICE_URL) and that it runs`
    throw new Unavailable('engine', text, { cause: error })
  }
}

/** An address with two families fails with an empty text and a code only. */
function reasonOf(error: Error): string {
  return error.message || ((error as NodeJS.ErrnoException).code ?? error.name)
}

function parse(text: string, base: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Unavailable('engine', `${base} doesn't answer as an engine does: check --url (SLUICE_URL)`, {
      cause: error,
    })
  }
}

interface Problem {
  readonly title?: string
  readonly detail?: string
  readonly errors?: readonly Fault[]
}

/** What an answer that is no success means here. */
function errorOf(response: Response, text: string, base: string): Error {
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json') === true
  if (!isProblem)
    return new Unavailable(
      'engine',
      `${base} answered ${response.status}, and not as an engine does: check --url (SLUICE_URL)`,
    )
  const { title, detail = title ?? `status ${response.status}`, errors = [] } = parse(text, base) as Problem
  switch (response.status) {
    case 400:
    case 413:
      return new Invalid(detail, errors.length === 1 && detail.includes(errors[0]?.message ?? ' ') ? [] : errors)
    case 401:
      return new Unavailable('engine', `${base} refuses the token: give the right one with --token (SLUICE_TOKEN)`)
    case 404:
      return new NotFound(detail)
    case 409:
      return new Conflict(detail)
    case 412:
      return new LostRace(detail)
    default:
      return new Unavailable('engine', detail)
  }
}

/** A part of a path. */
export const segment = encodeURIComponent

/** `?a=1&b=2` of what is given; empty when nothing is. */
export function queryOf(values: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`
}
