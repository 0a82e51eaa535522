import { Fail } from './errors.ts'
import { Http, type Upstream } from './http.ts'
import { decodeHeader, decodeText, isJson } from './wire.ts'

/** What a handler gets: one message, and everything the bridge says about it. Made by hand (curl), all but the body may be missing. */
export interface Call<Body = unknown, Settings = unknown> {
  /** Parsed JSON (checked by the node's `input`, if it can check); a string for `text/*`; bytes otherwise; undefined when empty. */
  readonly body: Body
  /** The body as it came, at most 8 MiB. */
  readonly bytes: Uint8Array
  /** The body as text; throws `Fail` when it isn't UTF-8. */
  readonly text: string
  readonly contentType: string | null
  /** All request headers by lower-case name; those named `x-…` were set by earlier nodes or by the start. */
  readonly headers: Readonly<Record<string, string>>
  /** The same on every attempt. */
  readonly id: string
  readonly run: string
  /** Name of the node in the topology. */
  readonly node: string
  readonly topology: string
  /** 1 on the first call. */
  readonly attempt: number
  /** Batch nodes: 0 on the first page of a run. */
  readonly page: number
  /** Batch nodes: what the page before answered as `cursor`; null on page 0. */
  readonly cursor: string | null
  /** Batch nodes: how far earlier runs have read; null when there is nothing yet. */
  readonly watermark: string | null
  /** Names that `route()` may give, when there are two or more. */
  readonly followers: readonly string[]
  /** The node's settings in the topology; `{}` when it has none. */
  readonly settings: Settings
  readonly tenant: string | null
  /** Whose limits it counts against, when an earlier node named one instead of the tenant. */
  readonly limitKey: string | null
  readonly partitionKey: string | null
  /** After it the bridge no longer listens. */
  readonly deadline: Date | null
  /** Equal for every attempt: hand it on to whatever must not happen twice. `http` does so by itself. */
  readonly idempotencyKey: string
  /** Grows with the order of messages; a fence against late calls. */
  readonly sequence: number | null
  /** Aborts at the deadline, or when the bridge hangs up. */
  readonly signal: AbortSignal
  /** Calls other services, with their failures turned into `Retry`, `RateLimited` or `Fail`. */
  readonly http: Http
  /** What the runtime hands to a fetch handler as its second argument, such as bindings on workerd. */
  readonly env: unknown
}

const noSettings: unknown = Object.freeze({})

/** A call as it was received. Most nodes look at little of it, so everything is read when it is asked for. */
export class Received implements Call {
  body: unknown
  settings: unknown = noSettings
  readonly bytes: Uint8Array
  readonly env: unknown
  readonly #request: Request
  readonly #name: string
  readonly #upstream: Upstream
  #http: Http | undefined
  #aborter: AbortController | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #id: string | undefined

  constructor(name: string, request: Request, bytes: Uint8Array, upstream: Upstream, env: unknown) {
    this.#name = name
    this.#request = request
    this.bytes = bytes
    this.#upstream = upstream
    this.env = env
    this.body = this.#parse()
  }

  #parse(): unknown {
    if (this.bytes.byteLength === 0) return undefined
    const type = this.contentType
    if (type?.startsWith('text/') === true) return this.text
    if (!isJson(type)) return this.bytes
    try {
      return JSON.parse(this.text) as unknown
    } catch (cause) {
      throw malformed(cause instanceof Error ? cause.message : String(cause), cause)
    }
  }

  get text(): string {
    try {
      return decodeText(this.bytes)
    } catch (cause) {
      throw malformed('it is not UTF-8', cause)
    }
  }

  get contentType(): string | null {
    return this.header('content-type')
  }

  get headers(): Readonly<Record<string, string>> {
    const headers: Record<string, string> = {}
    for (const [name, value] of this.#request.headers) {
      headers[name] = /^(?:x|ce|sluice)-/.test(name) ? decodeHeader(value) : value
    }
    return headers
  }

  get id(): string {
    return (this.#id ??= this.#decoded('ce-id') ?? crypto.randomUUID())
  }

  get run(): string {
    return this.#decoded('ce-correlationid') ?? ''
  }

  get node(): string {
    return this.header('sluice-node') ?? this.#name
  }

  get topology(): string {
    return this.header('sluice-topology')?.split(';', 1)[0] ?? ''
  }

  get attempt(): number {
    return Number.parseInt(this.header('sluice-attempt') ?? '1', 10)
  }

  get page(): number {
    return Number(this.header('sluice-page') ?? '0')
  }

  get cursor(): string | null {
    return this.#decoded('sluice-cursor')
  }

  get watermark(): string | null {
    return this.#decoded('sluice-watermark')
  }

  get followers(): readonly string[] {
    const names = this.header('sluice-followers')
    return names === null ? [] : names.split(',').map((name) => name.trim())
  }

  get tenant(): string | null {
    return this.#decoded('sluice-tenant')
  }

  get limitKey(): string | null {
    return this.#decoded('sluice-limit-key')
  }

  get partitionKey(): string | null {
    return this.#decoded('ce-partitionkey')
  }

  get deadline(): Date | null {
    const at = Date.parse(this.header('sluice-deadline') ?? '')
    return Number.isNaN(at) ? null : new Date(at)
  }

  get idempotencyKey(): string {
    return this.header('idempotency-key') ?? `${this.id}@${this.node}`
  }

  get sequence(): number | null {
    const sequence = this.header('sluice-sequence')
    return sequence === null ? null : Number(sequence)
  }

  get http(): Http {
    return (this.#http ??= new Http(this, this.#upstream))
  }

  get signal(): AbortSignal {
    return (this.#aborter ??= this.#openAborter()).signal
  }

  #openAborter(): AbortController {
    const aborter = new AbortController()
    const source = this.#request.signal
    if (source.aborted) aborter.abort(source.reason)
    else source.addEventListener('abort', () => aborter.abort(source.reason), { once: true })
    const leftMs = (this.deadline?.getTime() ?? 0) - Date.now()
    // A deadline in the past says that the clocks differ, so nothing can be told from it.
    if (leftMs > 0) this.#timer = setTimeout(() => aborter.abort(deadlinePassed()), leftMs)
    return aborter
  }

  /** Whether the signal was asked for and has aborted. */
  get aborted(): boolean {
    return this.#aborter?.signal.aborted ?? false
  }

  /** Ends the deadline's timer; call it when the handler is done. */
  finish(): void {
    clearTimeout(this.#timer)
  }

  header(name: string): string | null {
    return this.#request.headers.get(name)
  }

  #decoded(name: string): string | null {
    const value = this.header(name)
    return value === null ? null : decodeHeader(value)
  }
}

function deadlinePassed(): Error {
  return new DOMException('The deadline of the call has passed.', 'TimeoutError')
}

function malformed(reason: string, cause: unknown): Fail {
  return new Fail(`The body can't be read: ${reason}`, { title: 'Malformed body', status: 400, cause })
}
