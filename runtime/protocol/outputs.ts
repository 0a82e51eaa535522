/**
 * How the body of a reply becomes messages. Pure, and shared: `decide` asks it whether a reply is well formed and how many
 * outputs it has, the splitter asks it for the outputs themselves, so both always agree.
 */
import { emitForms, parseEmit, type NodeEmit } from '../topology/emit.ts'
import { encodeHeaderValue } from './header-values.ts'
import { elementRanges, memberRange } from './slices.ts'

/** `events` is a CloudEvents batch; the others as in a plan's node. */
export type Emit = NodeEmit | { readonly kind: 'events' }

/** One output of a reply. Where a field is null, that of the reply as a whole applies. */
export interface ReplyOutput {
  readonly contentType: string
  readonly body: Uint8Array
  /** Names of the followers that this output goes to. */
  readonly route: readonly string[] | null
  readonly key: string | null
  readonly tenant: string | null
  readonly limitKey: string | null
}

/** The outputs of a well-formed reply. `[Symbol.iterator]` cuts them one at a time; it may be walked more than once. */
export interface Outputs extends Iterable<ReplyOutput> {
  readonly kind: 'outputs'
  readonly count: number
  /** The routes (names) of outputs that name their own followers; empty when none does. */
  readonly routes: readonly (readonly string[])[]
}

/** A reply that can't be read, and why. */
export interface Malformed {
  readonly kind: 'malformed'
  readonly detail: string
}

export const defaultContentType = 'application/octet-stream'
export const jsonContentType = 'application/json'
const eventsContentType = 'application/cloudevents-batch+json'

/** Longest ordering key, tenant or limit key, in bytes as a header carries them (percent-encoded). */
export const keyMaxBytes = 256
const contentTypeMaxBytes = 256

/**
 * Reads a reply's body. `emit` must be resolved before (see `emitOf`).
 * Never throws, whatever the bytes: what can't be read is `malformed`.
 */
export function readOutputs(body: Uint8Array, contentType: string, emit: Emit): Outputs | Malformed {
  if (emit.kind === 'page') {
    return outputs(1, function* () {
      yield plain(contentType, body)
    })
  }
  const list = parseArray(body)
  if (list.kind === 'malformed') return list
  if (emit.kind === 'events') return readEvents(body, list.items)
  const size = emit.kind === 'chunks' ? emit.n : null
  if (size === null) return outputs(list.items.length, () => records(body))
  return outputs(Math.ceil(list.items.length / size), () => chunks(body, size))
}

/**
 * What a reply is to become: a CloudEvents batch by its content type, else as `sluice-emit` says, else as the node says. The
 * node's word only concerns JSON arrays: any other body of such a node is one message.
 */
export function emitOf(headers: Readonly<Record<string, string>>, body: Uint8Array, nodeEmit: Emit): Emit | Malformed {
  const contentType = headers['content-type']
  if (mediaType(contentType) === eventsContentType) return { kind: 'events' }
  const asked = headers['sluice-emit']
  if (asked !== undefined && asked.trim() !== '') return parseEmit(asked) ?? malformed(emitFault(asked))
  if (nodeEmit.kind === 'page') return nodeEmit
  const json = contentType === undefined || isJson(contentType)
  return json && startsArray(body) ? nodeEmit : { kind: 'page' }
}

/** Names in a `sluice-route` header or `sluiceroute` attribute, each once, in order. */
export function parseRoute(text: string): string[] {
  const names = text.split(',').map((name) => name.trim())
  return [...new Set(names.filter((name) => name !== ''))]
}

/** True for `application/json` and every `…+json`. */
function isJson(contentType: string): boolean {
  const media = mediaType(contentType)
  return media === jsonContentType || media.endsWith('+json')
}

/** Whether a content type can travel as a header: printable ASCII, at most 256 bytes. */
export function isContentType(text: string): boolean {
  return text.length <= contentTypeMaxBytes && /^[\x21-\x7e][\x20-\x7e]*$/.test(text)
}

/** `type/subtype` of a content type, in lower case and without parameters. */
export function mediaType(contentType: string | undefined): string {
  return (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

function emitFault(asked: string): string {
  return `sluice-emit is "${asked.slice(0, 40)}"; expected ${emitForms}`
}

function outputs(
  count: number,
  walk: () => Iterator<ReplyOutput>,
  routes: readonly (readonly string[])[] = [],
): Outputs {
  return { kind: 'outputs', count, routes, [Symbol.iterator]: walk }
}

function plain(contentType: string, body: Uint8Array): ReplyOutput {
  return { contentType, body, route: null, key: null, tenant: null, limitKey: null }
}

function malformed(detail: string): Malformed {
  return { kind: 'malformed', detail }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function parseArray(body: Uint8Array): { kind: 'list'; items: readonly unknown[] } | Malformed {
  let value: unknown
  try {
    value = JSON.parse(utf8.decode(body))
  } catch (error) {
    return malformed(`body is not JSON: ${error instanceof Error ? error.message.slice(0, 200) : 'unreadable'}`)
  }
  return Array.isArray(value) ? { kind: 'list', items: value } : malformed('body is JSON, but not an array')
}

function startsArray(body: Uint8Array): boolean {
  const head = Buffer.from(body.buffer, body.byteOffset, Math.min(body.length, 64)).toString('utf8')
  return head
    .replace(/^\uFEFF/, '')
    .trimStart()
    .startsWith('[')
}

function* records(body: Uint8Array): Generator<ReplyOutput> {
  for (const { start, end } of elementRanges(body)) yield plain(jsonContentType, body.subarray(start, end))
}

function* chunks(body: Uint8Array, size: number): Generator<ReplyOutput> {
  let [taken, first, last] = [0, 0, 0]
  for (const { start, end } of elementRanges(body)) {
    if (taken === 0) first = start
    last = end
    taken += 1
    if (taken < size) continue
    yield plain(jsonContentType, bracketed(body, first, last))
    taken = 0
  }
  if (taken > 0) yield plain(jsonContentType, bracketed(body, first, last))
}

function bracketed(body: Uint8Array, start: number, end: number): Uint8Array {
  const chunk = new Uint8Array(end - start + 2)
  chunk[0] = 0x5b
  chunk.set(body.subarray(start, end), 1)
  chunk[chunk.length - 1] = 0x5d
  return chunk
}

/** The attributes of a CloudEvent that the engine reads; all others are ignored. */
interface Event {
  readonly data?: unknown
  readonly data_base64?: unknown
  readonly datacontenttype?: unknown
  readonly sluiceroute?: unknown
  readonly partitionkey?: unknown
  readonly sluicetenant?: unknown
  readonly sluicelimitkey?: unknown
}

function readEvents(body: Uint8Array, items: readonly unknown[]): Outputs | Malformed {
  const routes: string[][] = []
  for (const [index, item] of items.entries()) {
    const fault = eventFault(item)
    if (fault !== null) return malformed(`event ${index} of the batch ${fault}`)
    const route = (item as Event).sluiceroute
    if (typeof route === 'string') routes.push(parseRoute(route))
  }
  return outputs(items.length, () => events(body, items as readonly Event[]), routes)
}

function eventFault(item: unknown): string | null {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return 'is not an object'
  const event = item as Event
  const hasData = Object.hasOwn(event, 'data')
  if (hasData === Object.hasOwn(event, 'data_base64')) return 'needs data or data_base64, exactly one of them'
  for (const name of ['datacontenttype', 'sluiceroute', 'partitionkey', 'sluicetenant', 'sluicelimitkey'] as const) {
    const value = event[name] ?? ''
    if (typeof value !== 'string') return `has a ${name} that is not a string`
  }
  return valueFault(event, hasData)
}

function valueFault(event: Event, hasData: boolean): string | null {
  const type = event.datacontenttype ?? jsonContentType
  if (!isContentType(type as string)) return 'has a datacontenttype that is not printable ASCII of at most 256 bytes'
  for (const name of ['partitionkey', 'sluicetenant', 'sluicelimitkey'] as const) {
    if (encodedBytes(event[name] ?? '') > keyMaxBytes) return `has a ${name} longer than ${keyMaxBytes} bytes`
  }
  if (!hasData) return isBase64(event.data_base64) ? null : 'has a data_base64 that is not base64'
  if (isJson(type as string) || typeof event.data === 'string') return null
  return 'has data that is not a string although its datacontenttype is not JSON'
}

function* events(body: Uint8Array, items: readonly Event[]): Generator<ReplyOutput> {
  let index = 0
  for (const { start } of elementRanges(body)) {
    const event = items[index] as Event
    index += 1
    yield {
      contentType: textOrNull(event.datacontenttype) ?? jsonContentType,
      body: eventBody(body, start, event),
      route: typeof event.sluiceroute === 'string' ? parseRoute(event.sluiceroute) : null,
      key: textOrNull(event.partitionkey),
      tenant: textOrNull(event.sluicetenant),
      limitKey: textOrNull(event.sluicelimitkey),
    }
  }
}

function eventBody(json: Uint8Array, start: number, event: Event): Uint8Array {
  if (typeof event.data_base64 === 'string') return Buffer.from(event.data_base64, 'base64')
  const type = textOrNull(event.datacontenttype) ?? jsonContentType
  if (!isJson(type) && typeof event.data === 'string') return Buffer.from(event.data, 'utf8')
  const range = memberRange(json, start, 'data')
  return range === null ? new Uint8Array() : json.subarray(range.start, range.end)
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

function isBase64(value: unknown): boolean {
  return typeof value === 'string' && value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value)
}

function encodedBytes(value: unknown): number {
  return encodeHeaderValue(String(value)).length
}
