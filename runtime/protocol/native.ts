/**
 * The native worker protocol, version 1: the headers of a call and their signature. Pure. How replies are read is in
 * outputs.ts. `prepareNode` does once per plan what doesn't change from call to call, since `requestHeaders` is on the hot path.
 */
import { createHash, createHmac } from 'node:crypto'
import type { Plan, WorkerNode } from '../topology/plan.ts'
import type { PartitionKey } from '../topology/lanes/partition-key.ts'
import { encodeHeaderValue, opaqueHeaderValue } from './header-values.ts'
import { keyAt, partitionKeyOf } from './lane.ts'
import type { Message } from './message.ts'
import { keyMaxBytes } from './outputs.ts'

const protocolVersion = '1'

/** A worker node with what all of its calls have in common. */
export interface PreparedNode {
  readonly node: WorkerNode
  /** Name → id of the node's followers, in the document's order. */
  readonly followers: ReadonlyMap<string, string>
  /** Headers equal in every call: name, value, name, value, …. */
  readonly constant: readonly string[]
  /** `ce-source` without the name of the node that the message comes from. */
  readonly source: string
  /** The end of `sluice-attempt`, as in `;max=10`. */
  readonly attemptSuffix: string
  /** Where messages have the key of the node's lanes; null: where workers set it, or the node has one lane. */
  readonly partitionKey: PartitionKey | null
}

/** One call about to be made. */
export interface Call {
  /** 1-based. */
  readonly attempt: number
  /** The message's stream sequence. */
  readonly sequence: number
  /** Epoch milliseconds after which the bridge no longer listens. */
  readonly deadlineMs: number
  /** 16 hex digits, new for each attempt (see `newSpanId`). */
  readonly spanId: string
  /** Committed watermark of a batch node with delta; null without. */
  readonly watermark: string | null
  /** Signs the call; null when the worker has no secret. `key` is made by `signingKey`. */
  readonly signature: { readonly key: Uint8Array; readonly atMs: number } | null
}

/** What all calls of a node have in common. Throws when the plan lacks one of its followers: such a plan is broken. */
export function prepareNode(plan: Plan, node: WorkerNode): PreparedNode {
  const followers = followersOf(plan, node)
  const constant = [
    'ce-specversion',
    '1.0',
    'ce-type',
    `${plan.name}.${node.name}`,
    'sluice-protocol',
    protocolVersion,
    'sluice-node',
    node.name,
    'sluice-topology',
    `${plan.name};rev=${plan.revision}`,
  ]
  if (followers.size > 1) constant.push('sluice-followers', [...followers.keys()].join(', '))
  if (node.settings !== null) constant.push('sluice-settings', encodeSettings(node.settings))
  return {
    node,
    followers,
    constant,
    source: `/topologies/${plan.name}`,
    attemptSuffix: `;max=${node.retry.attempts}`,
    partitionKey: partitionKeyOf(node),
  }
}

/** Name → id of the followers of any node of a plan, in the document's order. */
export function followersOf(plan: Plan, node: Plan['nodes'][number]): ReadonlyMap<string, string> {
  const names = new Map(plan.nodes.map(({ id, name }) => [id, name]))
  return new Map(
    node.followers.map((id) => {
      const name = names.get(id)
      if (name === undefined) throw new Error(`plan ${plan.topologyId} rev ${plan.revision}: no node has the id ${id}`)
      return [name, id]
    }),
  )
}

/** The headers of a call as undici's `dispatch` takes them: name, value, name, value, …. Content-Length is undici's. */
export function requestHeaders(prepared: PreparedNode, message: Message, call: Call): string[] {
  const key = idempotencyKey(prepared.node, message)
  const headers = prepared.constant.slice()
  headers.push(
    'content-type',
    opaqueHeaderValue(message.contentType),
    'ce-id',
    encodeHeaderValue(message.id),
    'ce-source',
    message.from === '' ? prepared.source : `${prepared.source}/nodes/${message.from}`,
    'ce-time',
    message.created,
    'ce-correlationid',
    encodeHeaderValue(message.run),
    'traceparent',
    traceparent(message, call.spanId),
    'idempotency-key',
    key,
    'sluice-attempt',
    call.attempt + prepared.attemptSuffix,
    'sluice-sequence',
    String(call.sequence),
    'sluice-deadline',
    new Date(call.deadlineMs).toISOString(),
  )
  pushOptional(headers, prepared, message, call.watermark)
  for (const name in message.headers) headers.push(name, opaqueHeaderValue(message.headers[name] ?? ''))
  if (call.signature !== null) pushSignature(headers, call.signature, key, message.body)
  return headers
}

/** Equal for every attempt: `{id}@{node}`, and `{id}@{node}#{page}` for batch nodes. */
function idempotencyKey(node: WorkerNode, message: Message): string {
  const key = `${encodeHeaderValue(message.id)}@${node.name}`
  return node.type === 'batch' ? `${key}#${message.page}` : key
}

/** Settings as `sluice-settings` carries them: base64url of their JSON. */
function encodeSettings(settings: Readonly<Record<string, unknown>>): string {
  return Buffer.from(JSON.stringify(settings), 'utf8').toString('base64url')
}

/** 16 random hex digits, never all zero. Not for secrets. */
export function newSpanId(random: () => number = Math.random): string {
  const high = Math.floor(random() * 0xffffffff) + 1
  const low = Math.floor(random() * 0x100000000)
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0')
}

/**
 * The key of a worker's secret: what follows `whsec_` is base64, as Standard Webhooks has it; a secret without the
 * prefix is taken as it is, as UTF-8.
 */
export function signingKey(secret: string): Uint8Array {
  return secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret, 'utf8')
}

/** The Standard Webhooks signature, `v1,…`, of a body; `timestamp` in seconds. */
export function sign(key: Uint8Array, id: string, timestamp: number, body: Uint8Array): string {
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`
}

function pushOptional(
  headers: string[],
  { node, partitionKey }: PreparedNode,
  message: Message,
  watermark: string | null,
): void {
  if (message.tenant !== null) headers.push('sluice-tenant', encodeHeaderValue(message.tenant))
  if (message.limitKey !== null) headers.push('sluice-limit-key', encodeHeaderValue(message.limitKey))
  const key = message.key ?? keyAt(partitionKey, message)
  if (key !== null) pushKey(headers, encodeHeaderValue(key))
  if (node.type !== 'batch') return
  headers.push('sluice-page', String(message.page))
  if (message.cursor !== null) headers.push('sluice-cursor', opaqueHeaderValue(message.cursor))
  if (watermark !== null) headers.push('sluice-watermark', opaqueHeaderValue(watermark))
}

/** A key that the body has may be any text; one that is too long for a header orders its lane all the same. */
function pushKey(headers: string[], key: string): void {
  if (key.length <= keyMaxBytes) headers.push('ce-partitionkey', key)
}

function pushSignature(headers: string[], by: { key: Uint8Array; atMs: number }, id: string, body: Uint8Array): void {
  const timestamp = Math.floor(by.atMs / 1000)
  headers.push(
    'webhook-id',
    id,
    'webhook-timestamp',
    String(timestamp),
    'webhook-signature',
    sign(by.key, id, timestamp, body),
  )
}

/** The run's trace with a span of its own. A run that was started without a trace gets one made from its id. */
function traceparent({ trace, run }: Message, spanId: string): string {
  if (isTrace(trace)) return `${trace.slice(0, 36)}${spanId}${trace.slice(52)}`
  return `00-${traceOfRun(run)}-${spanId}-00`
}

/** Id of the trace that its calls are in, 32 hex digits. */
export function traceIdOf({ trace, run }: Pick<Message, 'trace' | 'run'>): string {
  return isTrace(trace) ? trace.slice(3, 35) : traceOfRun(run)
}

function isTrace(trace: string | null): trace is string {
  return trace !== null && /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(trace)
}

function traceOfRun(run: string): string {
  return createHash('sha256').update(run).digest('hex').slice(0, 32)
}
