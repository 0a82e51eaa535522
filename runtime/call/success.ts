/** Replies with a 2xx status: what is handed on, to whom, and whether there is another page. Pure. */
import { decodeHeaderValue, encodeHeaderValue, userHeadersFault } from '../protocol/header-values.ts'
import {
  defaultContentType,
  emitOf,
  isContentType,
  jsonContentType,
  keyMaxBytes,
  parseRoute,
  readOutputs,
} from '../protocol/outputs.ts'
import type { Emit, Malformed, Outputs } from '../protocol/outputs.ts'
import { malformed, pagingOf } from './paging.ts'
import type { Fault, Paging } from './paging.ts'
import { problem, trash } from './verdict.ts'
import type { DecideContext, Output, Reply, Verdict } from './verdict.ts'

const pageMaxBytes = 8 * 1024 * 1024

interface Read {
  readonly output: Output
  readonly emit: Emit
  /** Ids; null means all followers. */
  readonly route: readonly string[] | null
  readonly messages: number
}

export function onSuccess(reply: Reply, context: DecideContext): Verdict {
  const paging = pagingOf(reply.headers, context)
  if ('name' in paging) return refuse(reply, paging, context)
  const read = isEnd(reply) ? nothing(context) : readReply(reply, context)
  if ('name' in read) return refuse(reply, read, context)
  const excess = excessOf(read, paging, context)
  if (excess !== null) return refuse(reply, excess, context)
  return verdictOf(read, paging, context)
}

/** A page is stored together with the message that asked for it, since the next page is asked for with it again. */
function excessOf({ output }: Read, { next }: Paging, { message }: DecideContext): Fault | null {
  const bytes = output.body.length + message.body.length
  if (next === null || bytes <= pageMaxBytes) return null
  const detail = `the page and the message that asked for it take ${bytes} bytes; at most ${pageMaxBytes} while there is a next page`
  return { name: 'reply-too-large', title: 'The page is too large', detail }
}

function refuse({ status }: Reply, { name, title, detail }: Fault, context: DecideContext): Verdict {
  return trash({ status, problem: problem(name, title, detail, status) }, context)
}

function verdictOf(
  { output, emit, route, messages }: Read,
  paging: Paging,
  { node, followers }: DecideContext,
): Verdict {
  const { next, watermark, progress } = paging
  if (messages === 0 && next === null) return { kind: 'end', watermark, progress }
  const [only, ...others] = followers.values()
  // A batch node's pages all go through the splitter, so that they keep their order whatever their size.
  if (node.type !== 'batch' && emit.kind === 'page' && only !== undefined && others.length === 0) {
    return { kind: 'forward', follower: only, output }
  }
  return { kind: 'split', output, emit, route, messages, ...paging }
}

function isEnd({ status, headers, body }: Reply): boolean {
  if (headers['sluice-end']?.trim() === '1') return true
  return !isPass(headers) && (status === 204 || body.length === 0)
}

function isPass(headers: Reply['headers']): boolean {
  return headers['sluice-pass']?.trim() === '1'
}

/** No outputs, in a form that the splitter can read: what a batch node's continuation needs is all in `Paging`. */
function nothing({ message }: DecideContext): Read {
  const { headers, key, tenant, limitKey } = message
  const output = { contentType: jsonContentType, body: Buffer.from('[]'), headers, key, tenant, limitKey }
  return { output, emit: { kind: 'records' }, route: [], messages: 0 }
}

function readReply(reply: Reply, context: DecideContext): Read | Fault {
  const output = outputOf(reply, context)
  if ('name' in output) return output
  const route = routeOf(reply.headers['sluice-route'], context)
  if (isFault(route)) return route
  const emit: Emit | Malformed = isPass(reply.headers)
    ? { kind: 'page' }
    : emitOf(reply.headers, reply.body, context.node.emit)
  if ('detail' in emit) return malformed(emit.detail)
  const outputs = readOutputs(output.body, output.contentType, emit)
  if (outputs.kind === 'malformed') return malformed(outputs.detail)
  const messages = countMessages(outputs, route, context)
  return typeof messages === 'number' ? { output, emit, route, messages } : messages
}

function outputOf({ headers, body }: Reply, { message }: DecideContext): Output | Fault {
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? ''
  if (encoding !== '' && encoding !== 'identity') {
    return malformed(`body is compressed (content-encoding: ${encoding.slice(0, 40)}), which the request did not allow`)
  }
  const contentType = headers['content-type']?.trim() || defaultContentType
  if (!isContentType(contentType)) return malformed('content-type is not printable ASCII of at most 256 bytes')
  const key = keyOf(headers, 'ce-partitionkey') ?? message.key
  const tenant = keyOf(headers, 'sluice-tenant') ?? message.tenant
  const limitKey = keyOf(headers, 'sluice-limit-key') ?? message.limitKey
  if (isLong(key)) return malformed(`ce-partitionkey is longer than ${keyMaxBytes} bytes`)
  if (isLong(tenant)) return malformed(`sluice-tenant is longer than ${keyMaxBytes} bytes`)
  if (isLong(limitKey)) return malformed(`sluice-limit-key is longer than ${keyMaxBytes} bytes`)
  const userHeaders = mergeUserHeaders(message.headers, headers)
  const fault = userHeadersFault(userHeaders)
  if (fault !== null) return malformed(fault)
  // Named one by one: to spread them takes 8 µs, as much as all else here.
  const { contentType: ownType, body: own } = message
  return isPass(headers)
    ? { contentType: ownType, body: own, headers: userHeaders, key, tenant, limitKey }
    : { contentType, body, headers: userHeaders, key, tenant, limitKey }
}

function isLong(value: string | null): boolean {
  return value !== null && encodeHeaderValue(value).length > keyMaxBytes
}

function keyOf(headers: Reply['headers'], name: string): string | null {
  const value = headers[name]?.trim()
  return value === undefined || value === '' ? null : decodeHeaderValue(value)
}

function mergeUserHeaders(carried: Output['headers'], replied: Reply['headers']): Output['headers'] {
  const own = Object.entries(replied).filter(([name]) => name.startsWith('x-'))
  return own.length === 0 ? carried : { ...carried, ...Object.fromEntries(own) }
}

/** The ids that a route names; null when there is none and all followers are meant. */
function routeOf(header: string | undefined, { followers }: DecideContext): readonly string[] | null | Fault {
  if (header === undefined) return null
  return idsOf(parseRoute(header), followers)
}

function idsOf(names: readonly string[], followers: ReadonlyMap<string, string>): string[] | Fault {
  const ids: string[] = []
  for (const name of names) {
    const id = followers.get(name)
    if (id === undefined) return unknownRoute(name, followers)
    ids.push(id)
  }
  return ids
}

function unknownRoute(name: string, followers: ReadonlyMap<string, string>): Fault {
  const known = followers.size === 0 ? 'it has no followers' : `its followers are ${[...followers.keys()].join(', ')}`
  const detail = `the reply routes to "${name.slice(0, 80)}", which this node does not lead to; ${known}`
  return { name: 'unknown-route', title: 'The reply names an unknown follower', detail }
}

/** Messages over all outputs: each to its own route, else to that of the reply, else to all followers. */
function countMessages(
  outputs: Outputs,
  route: readonly string[] | null,
  { followers }: DecideContext,
): number | Fault {
  let messages = (outputs.count - outputs.routes.length) * (route?.length ?? followers.size)
  for (const names of outputs.routes) {
    const ids = idsOf(names, followers)
    if (isFault(ids)) return ids
    messages += ids.length
  }
  return messages
}

function isFault(value: readonly string[] | null | Fault): value is Fault {
  return value !== null && 'name' in value
}
