import { Fail, RateLimited, Retry } from './errors.ts'
import { decodeText, isJson, readBody, retryAfterMs } from './wire.ts'

/** Settings of a worker that all of its outgoing calls share. */
export interface Upstream {
  readonly baseUrl: string | undefined
  readonly fetch: Fetch
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** What outgoing calls need to know of the call that they serve. */
interface Served {
  readonly signal: AbortSignal
  readonly idempotencyKey: string
  header(name: string): string | null
}

export interface HttpOptions {
  readonly headers?: Readonly<Record<string, string>>
  /** Appended to the URL; null and undefined are left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | null | undefined>>
  /** Statuses that are an answer and no failure, such as `[404]`. */
  readonly allow?: readonly number[]
}

/** The response, once the service has answered with success; or its body at once. */
export interface HttpReply extends Promise<Response> {
  json<T>(): Promise<T>
  text(): Promise<string>
  bytes(): Promise<Uint8Array>
}

const problemCap = 64 * 1024

/**
 * Calls other services over `fetch`. A failure becomes what follows from it: 429 `RateLimited` with the service's
 * Retry-After; 408, 425, 5xx and everything the network does `Retry`; other statuses `Fail` with the service's own problem.
 * Each call carries the message's idempotency key and trace, and ends at the deadline.
 */
export class Http {
  readonly #call: Served
  readonly #upstream: Upstream

  constructor(call: Served, upstream: Upstream) {
    this.#call = call
    this.#upstream = upstream
  }

  get(url: string, options?: HttpOptions): HttpReply {
    return this.#reply('GET', url, undefined, options)
  }

  delete(url: string, options?: HttpOptions): HttpReply {
    return this.#reply('DELETE', url, undefined, options)
  }

  /** `body`: strings, bytes, forms and streams are sent as they are, everything else as JSON. */
  post(url: string, body?: unknown, options?: HttpOptions): HttpReply {
    return this.#reply('POST', url, body, options)
  }

  put(url: string, body?: unknown, options?: HttpOptions): HttpReply {
    return this.#reply('PUT', url, body, options)
  }

  patch(url: string, body?: unknown, options?: HttpOptions): HttpReply {
    return this.#reply('PATCH', url, body, options)
  }

  #reply(method: string, url: string, body: unknown, options: HttpOptions = {}): HttpReply {
    const target = `${method} ${withoutQuery(url)}`
    const response = this.#send(method, url, body, options, target)
    return Object.assign(response, {
      json: <T>() => response.then((reply) => read<T>(target, () => reply.json() as Promise<T>)),
      text: () => response.then((reply) => read(target, () => reply.text())),
      bytes: () => response.then((reply) => read(target, async () => new Uint8Array(await reply.arrayBuffer()))),
    })
  }

  async #send(method: string, url: string, body: unknown, options: HttpOptions, target: string): Promise<Response> {
    const address = this.#address(url, options.query)
    const { content, contentType } = outgoing(body)
    const headers = this.#headers(contentType, options.headers)
    const init: RequestInit = { method, headers, signal: this.#call.signal }
    if (content !== undefined) init.body = content
    const response = await this.#upstream.fetch(address, init).catch((cause: unknown) => {
      throw unanswered(target, cause)
    })
    if (response.ok || options.allow?.includes(response.status) === true) return response
    throw await failureOf(target, response)
  }

  #address(url: string, query: HttpOptions['query']): string {
    const address = /^https?:\/\//i.test(url) ? url : `${this.#base(url)}${url.startsWith('/') ? '' : '/'}${url}`
    if (query === undefined) return address
    const search = new URLSearchParams()
    for (const [name, value] of Object.entries(query)) {
      if (value !== null && value !== undefined) search.append(name, String(value))
    }
    const text = search.toString()
    return text === '' ? address : `${address}${address.includes('?') ? '&' : '?'}${text}`
  }

  #base(url: string): string {
    const { baseUrl } = this.#upstream
    if (baseUrl === undefined) throw new TypeError(`http: ${url} is no full URL and worker() has no baseUrl`)
    return baseUrl.replace(/\/+$/, '')
  }

  #headers(contentType: string | undefined, own: HttpOptions['headers']): Record<string, string> {
    const headers: Record<string, string> = { 'idempotency-key': this.#call.idempotencyKey }
    if (contentType !== undefined) headers['content-type'] = contentType
    for (const name of ['traceparent', 'tracestate']) {
      const value = this.#call.header(name)
      if (value !== null) headers[name] = value
    }
    for (const [name, value] of Object.entries(own ?? {})) headers[name.toLowerCase()] = value
    return headers
  }
}

type Content = NonNullable<RequestInit['body']>

function outgoing(body: unknown): { content: Content | undefined; contentType: string | undefined } {
  if (body === undefined) return { content: undefined, contentType: undefined }
  if (typeof body === 'string') return { content: body, contentType: 'text/plain; charset=utf-8' }
  if (body instanceof Uint8Array) return { content: body as Content, contentType: 'application/octet-stream' }
  if (
    body instanceof URLSearchParams ||
    body instanceof FormData ||
    body instanceof Blob ||
    body instanceof ReadableStream
  ) {
    return { content: body as Content, contentType: undefined }
  }
  return { content: JSON.stringify(body), contentType: 'application/json' }
}

/** Reads a body that may still break off, or not be what it says. */
async function read<T>(target: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body()
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw unanswered(target, cause)
    throw new Retry(`${target} answered with broken JSON: ${cause.message}`, {
      title: 'Broken answer',
      status: 502,
      cause,
    })
  }
}

function unanswered(target: string, cause: unknown): Retry {
  if (cause instanceof Error && (cause.name === 'AbortError' || cause.name === 'TimeoutError')) {
    return new Retry(`${target} did not answer before the deadline`, { title: 'Service too slow', status: 504, cause })
  }
  return new Retry(`${target} can't be reached: ${reasonOf(cause)}`, {
    title: 'Service unreachable',
    status: 502,
    cause,
  })
}

/** What a failed fetch says is "fetch failed"; the reason lies beneath. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause: Error & { code?: string } = error.cause instanceof Error ? error.cause : error
  // Several addresses that all refuse are one error with a code and no message.
  return cause.message || (cause.code ?? cause.name)
}

async function failureOf(target: string, response: Response): Promise<Retry | RateLimited | Fail> {
  const { status } = response
  const own = await problemOf(response)
  const answered = `${target} answered ${`${status} ${response.statusText}`.trim()}`
  const message = own.detail ?? answered
  const options = { title: own.title, type: own.type, more: { upstream: { status, request: target } } }
  const afterMs = retryAfterMs(response.headers.get('retry-after'))
  if (status === 429) return new RateLimited({ ...options, message, afterMs })
  if (status >= 500 || status === 408 || status === 425) return new Retry(message, { ...options, status: 502, afterMs })
  return new Fail(message, { ...options, title: own.title ?? answered, status })
}

interface OwnProblem {
  readonly type?: string | undefined
  readonly title?: string | undefined
  readonly detail?: string | undefined
}

/** The service's problem, if it sent one that can be read; its absence changes no verdict. */
async function problemOf(response: Response): Promise<OwnProblem> {
  const bytes = await readBody(response, problemCap).catch(() => null)
  if (bytes === null || !isJson(response.headers.get('content-type'))) return {}
  try {
    const { type, title, detail } = Object(JSON.parse(decodeText(bytes))) as Record<string, unknown>
    return { type: textOf(type), title: textOf(title), detail: textOf(detail) }
  } catch {
    return {}
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Queries may carry secrets, and what is thrown is stored and shown. */
function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/s, '').replace(/\/\/[^/@]*@/, '//')
}
