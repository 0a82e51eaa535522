import { problem } from './errors.ts'
import { encodeHeader } from './wire.ts'

/** What an output may say besides its body. */
export interface OutputOptions {
  /** Only to these followers; without it to all. */
  readonly route?: string | readonly string[] | undefined
  /** Ordering key of the output. */
  readonly partitionKey?: string | undefined
  readonly tenant?: string | undefined
  /** Whose limits the calls of later nodes count against, instead of the tenant's. */
  readonly limitKey?: string | undefined
  /** How many requests this call counts as against its service's limits, 0 to 10 000; of the whole reply, not of one of many. */
  readonly limitCost?: number | undefined
  /** User headers, all named `x-…`, carried along to every later node. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

export interface MessageOptions extends OutputOptions {
  /** Overrides what follows from the body: JSON, text or bytes. */
  readonly contentType?: string | undefined
}

/** An output that says more than its body; made by `message`, `route`, `many`, `pass` and `end`. */
export class Output {
  readonly kind: 'message' | 'many' | 'pass' | 'end'
  readonly body: unknown
  readonly options: MessageOptions
  constructor(kind: Output['kind'], body: unknown, options: MessageOptions) {
    this.kind = kind
    this.body = body
    this.options = options
  }
}

/** One output with options. */
export function message(body: unknown, options: MessageOptions = {}): Output {
  return new Output('message', body, options)
}

/** One output for these followers only; a name that isn't a follower sends the message to Trash. */
export function route(names: string | readonly string[], body: unknown, options: MessageOptions = {}): Output {
  return new Output('message', body, { ...options, route: names })
}

/** Many outputs: bodies, or `message(…)` with a route, key, tenant or limit key of their own. The options hold for all of them. */
export function many(outputs: readonly unknown[], options: OutputOptions = {}): Output {
  return new Output('many', outputs, options)
}

/** The input goes on as it is. */
export function pass(options: OutputOptions = {}): Output {
  return new Output('pass', undefined, options)
}

/** This branch ends well here. A handler that returns nothing says the same. */
export function end(options: Pick<OutputOptions, 'limitCost'> = {}): Output {
  return new Output('end', undefined, options)
}

/** One page of a batch node. */
export interface Page extends OutputOptions {
  /** Bodies, or `message(…)` with a route, key, tenant or limit key of their own. */
  readonly records: readonly unknown[]
  /** Asks for the next page; without it (or null, or empty) this is the last one. At most 4 KiB. */
  readonly cursor?: string | number | null | undefined
  /** How far the source has been read, handed to the next run. */
  readonly watermark?: string | number | null | undefined
  /** For people, such as `350/1200`. */
  readonly progress?: string | undefined
  /** One message per record (default), one per page, or groups of `chunks` records. */
  readonly emit?: 'records' | 'page' | { readonly chunks: number } | undefined
}

type Headers = Record<string, string>

/** The HTTP reply for what a connector's or custom node's handler returned. */
export function replyTo(result: unknown): Response {
  if (result === undefined) return new Response(null, { status: 204 })
  if (result instanceof Response) return relayed(result)
  if (!(result instanceof Output)) return bodyReply(result, {}, undefined)
  const headers = optionHeaders(result.options)
  switch (result.kind) {
    case 'message':
      return bodyReply(result.body, headers, result.options.contentType)
    case 'many':
      return eventsReply(result.body as readonly unknown[], headers)
    case 'pass':
      return new Response(null, { headers: { ...headers, 'sluice-pass': '1' } })
    case 'end':
      return new Response(null, { status: 204, headers: { ...headers, 'sluice-end': '1' } })
    default:
      return result.kind satisfies never
  }
}

/** The HTTP reply for what a batch node's handler returned. */
export function replyToPage(result: unknown): Response {
  if (!isPage(result)) return replyTo(result)
  const headers = optionHeaders(result)
  pageHeader(headers, 'sluice-cursor', result.cursor)
  pageHeader(headers, 'sluice-watermark', result.watermark)
  pageHeader(headers, 'sluice-progress', result.progress)
  if (result.records.some((record) => record instanceof Output)) return eventsReply(result.records, headers)
  headers['sluice-emit'] = emitHeader(result.emit)
  return bodyReply(result.records, headers, undefined)
}

function isPage(result: unknown): result is Page {
  if (result === undefined || result instanceof Response || result instanceof Output) return false
  if (typeof result === 'object' && result !== null && 'records' in result && Array.isArray(result.records)) return true
  throw new TypeError('a batch handler returns { records: […], cursor? }, an output, a Response or nothing')
}

function pageHeader(headers: Headers, name: string, value: string | number | null | undefined): void {
  if (value !== undefined && value !== null && value !== '') headers[name] = encodeHeader(String(value))
}

function emitHeader(emit: Page['emit']): string {
  return typeof emit === 'object' ? `chunks=${emit.chunks}` : (emit ?? 'records')
}

function optionHeaders({ route, partitionKey, tenant, limitKey, limitCost, headers }: OutputOptions): Headers {
  const all: Headers = {}
  if (route !== undefined) all['sluice-route'] = names(route)
  if (partitionKey !== undefined) all['ce-partitionkey'] = encodeHeader(partitionKey)
  if (tenant !== undefined) all['sluice-tenant'] = encodeHeader(tenant)
  if (limitKey !== undefined) all['sluice-limit-key'] = encodeHeader(limitKey)
  if (limitCost !== undefined) all['sluice-limit-cost'] = costText(limitCost)
  for (const [name, value] of Object.entries(headers ?? {})) {
    if (!/^x-/i.test(name)) throw new TypeError(`header ${name}: what a worker sets for later nodes is named x-…`)
    all[name.toLowerCase()] = encodeHeader(value)
  }
  return all
}

function costText(cost: number): string {
  if (Number.isInteger(cost) && cost >= 0 && cost <= 10_000) return String(cost)
  throw new TypeError(`limitCost ${cost}: a call counts as 0 to 10000 requests`)
}

function names(route: string | readonly string[]): string {
  return typeof route === 'string' ? route : route.join(', ')
}

function bodyReply(body: unknown, headers: Headers, contentType: string | undefined): Response {
  const encoded = encode(body)
  if (encoded === undefined) return new Response(null, { status: 204, headers })
  headers['content-type'] = contentType ?? encoded.contentType
  return new Response(encoded.content, { headers })
}

function encode(body: unknown): { content: string | Uint8Array<ArrayBuffer>; contentType: string } | undefined {
  if (body === undefined) return undefined
  if (typeof body === 'string') return { content: body, contentType: 'text/plain; charset=utf-8' }
  if (body instanceof Uint8Array) {
    return { content: body as Uint8Array<ArrayBuffer>, contentType: 'application/octet-stream' }
  }
  const content = JSON.stringify(body) as string | undefined
  if (content === undefined) throw new TypeError(`a ${typeof body} is no body of a message`)
  return { content, contentType: 'application/json' }
}

/** Many outputs as a batch of CloudEvents, the one format that can give each its own route, keys and tenant. */
function eventsReply(outputs: readonly unknown[], headers: Headers): Response {
  headers['content-type'] = 'application/cloudevents-batch+json'
  return new Response(JSON.stringify(outputs.map(event)), { headers })
}

function event(output: unknown, index: number): Record<string, unknown> {
  const own = output instanceof Output ? output : message(output)
  const { route, partitionKey, tenant, limitKey, limitCost, headers, contentType } = own.options
  if (own.kind !== 'message' || headers !== undefined || limitCost !== undefined) {
    throw new TypeError(
      `output ${index} of many: only message(body, { route, partitionKey, tenant, limitKey, contentType }) goes here`,
    )
  }
  const encoded = encode(own.body)
  if (encoded === undefined) throw new TypeError(`output ${index} of many has no body`)
  const { content } = encoded
  const isText = typeof own.body === 'string' || own.body instanceof Uint8Array
  return {
    specversion: '1.0',
    id: String(index),
    source: 'worker',
    type: 'output',
    datacontenttype: contentType ?? encoded.contentType,
    // Text may claim to be JSON by its content type; as base64 it stays what it is.
    ...(isText ? { data_base64: base64(content) } : { data: own.body }),
    sluiceroute: route === undefined ? undefined : names(route),
    partitionkey: partitionKey,
    sluicetenant: tenant,
    sluicelimitkey: limitKey,
  }
}

function base64(content: string | Uint8Array): string {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
  let binary = ''
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000))
  return btoa(binary)
}

/**
 * A Response that a handler returned. One that came from another service is not passed on as it is: its 401 would speak of
 * our own signature, and its encoding and length no longer hold for the body that `fetch` has decoded.
 */
function relayed(response: Response): Response {
  if (response.status === 401) {
    return problem(422, { title: 'The service refused our credentials', detail: 'Another service answered 401.' })
  }
  if (response.url === '') return response
  const headers = new Headers(response.headers)
  for (const name of [
    'content-encoding',
    'content-length',
    'transfer-encoding',
    'connection',
    'keep-alive',
    'set-cookie',
  ]) {
    headers.delete(name)
  }
  return new Response(response.body, { status: response.status, headers })
}
