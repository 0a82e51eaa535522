/**
 * What follows from a call: the protocol's tables of replies, as one pure function. It never throws, and every result of a
 * call has exactly one verdict; `bridge/settle.ts` carries it out.
 */
import { STATUS_CODES } from 'node:http'
import type { FailedCall, Problem } from '../protocol/message.ts'
import { mediaType } from '../protocol/outputs.ts'
import { isOrdered, type WorkerNode } from '../topology/plan.ts'
import { backoffMs, delayMaxMs, isRetried, retryAfterMs, type FailureKind } from './policy.ts'
import { onSuccess } from './success.ts'
import { cutDetail, problem, trash } from './verdict.ts'
import type { CallResult, DecideContext, Failure, Hold, Reply, Verdict } from './verdict.ts'

export type * from './verdict.ts'

/** A wait is never shorter, so that a worker that says `Retry-After: 0` for ever isn't called in a tight loop. */
const waitMinMs = 100
/** Without an instance, look again this often at least: it may come back any moment. */
const refusedWaitMaxMs = 5_000
/** With so many lost connections in a row a message is a suspect: it is called alone. */
export const suspectFrom = 2
const lostType = 'connection-lost'
const lostUrn = `urn:sluice:${lostType}`
const textMax = 256
const snippetMax = 1000

export function decide(result: CallResult, context: DecideContext): Verdict {
  switch (result.kind) {
    case 'reply':
      return isSuccess(result.status) ? onSuccess(result, context) : onFailureReply(result, context)
    case 'timeout':
      return retryOrTrash('timeout', failures.timeout(context.node.timeoutMs), 0, context)
    case 'lost':
      return onLost(context)
    case 'bad-reply':
      return retryOrTrash('connection', failures.badReply(result.detail), 0, context)
    case 'refused':
      return wait('refused', failures.refused(result.detail), Math.min(waitBackoffMs(context), refusedWaitMaxMs))
    case 'held':
      return wait('breaker', failures.held(result.detail), 0)
    case 'put-off':
      return { kind: 'turn', delayMs: Math.min(Math.ceil(result.delayMs), delayMaxMs) }
    case 'too-large':
      return trash(failures.tooLarge, context)
    default:
      return result satisfies never
  }
}

const failures = {
  timeout: (timeoutMs: number): Failure => ({
    status: null,
    problem: problem('timeout', `The worker did not answer within ${timeoutMs} ms`),
  }),
  lost: {
    status: null,
    problem: problem(lostType, 'The connection was lost after the request was sent; the worker may have crashed'),
  } satisfies Failure,
  badReply: (detail: string): Failure => ({
    status: null,
    problem: problem('bad-reply', 'What the worker sent is not a whole HTTP reply', detail),
  }),
  refused: (detail?: string): Failure => ({
    status: null,
    problem: problem('connection-refused', 'No instance of the worker took the request', detail),
  }),
  held: (detail: string): Failure => ({
    status: null,
    problem: problem('breaker-open', 'Calls are held back until they work again', detail),
  }),
  tooLarge: {
    status: null,
    problem: problem('reply-too-large', 'The reply is over 8 MiB, or its headers are too large'),
  } satisfies Failure,
}

/** A connection may be lost through anybody's doing. From the second one on the message was called alone: then it is its own. */
function onLost(context: DecideContext): Verdict {
  const verdict = retryOrTrash('connection', failures.lost, 0, context)
  const inARow = context.lostInARow + 1
  if (verdict.kind !== 'trash' || inARow < suspectFrom) return verdict
  const title = `The worker's process seems to die of this message: the connection was lost ${inARow} times in a row`
  return { ...verdict, problem: problem('worker-crash', title, verdict.problem.detail) }
}

/** How many of the last failed calls in a row ended with a lost connection. */
export function lostInARow(history: readonly FailedCall[]): number {
  let count = 0
  while (history.at(-1 - count)?.problem.type === lostUrn && history.at(-1 - count)?.status === null) count++
  return count
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300
}

function onFailureReply(reply: Reply, context: DecideContext): Verdict {
  const failure: Failure = { status: reply.status, problem: problemOf(reply) }
  const pause = pauseReason(reply, context.node)
  if (pause !== null) return { kind: 'pause', reason: pause, failure }
  const override = reply.headers['sluice-retry']?.trim()
  if (override === '0') return trash(failure, context)
  const after = retryAfterMs(reply.headers, context.nowMs)
  if (reply.status === 429)
    return { ...wait('rate-limit', failure, after ?? waitBackoffMs(context)), retryAfterMs: after }
  if (reply.status === 503 && after !== null) return wait('busy', failure, after)
  if (override === '1') return retry(failure, after ?? 0, context)
  return retryOrTrash({ status: reply.status }, failure, after ?? 0, context, isRetriedByTable(reply))
}

/** Why the node has to pause; null: it needn't. */
export function pauseReason({ status, headers }: Reply, node: WorkerNode): string | null {
  if (status === 401 && headers['sluice-signature']?.trim() === 'refused') {
    return `worker ${node.worker} refused our signature (401): check the worker's secret and both clocks, then resume`
  }
  if (status === 410 && headers['sluice-retired']?.trim() === '1') {
    return `worker ${node.worker} says that ${node.path} is retired (410): point the node elsewhere, then resume`
  }
  return null
}

/** The protocol's table, for statuses that are neither success nor a wait. */
export function isRetriedByTable({ status, headers }: Reply): boolean {
  if (status === 404) return !isProblem(headers)
  return status === 408 || status === 409 || status === 425 || (status >= 500 && status <= 599)
}

/** `byTable` is the protocol's word; a policy with `on` decides by itself. */
function retryOrTrash(
  kind: FailureKind,
  failure: Failure,
  afterMs: number,
  context: DecideContext,
  byTable = true,
): Verdict {
  return isRetried(context.node.retry.on, kind, byTable) ? retry(failure, afterMs, context) : trash(failure, context)
}

/** One attempt is burnt: again after max(backoff, Retry-After), or Trash when the policy gives no more. */
function retry(failure: Failure, afterMs: number, context: DecideContext): Verdict {
  const { node, message, attempt, inPlaceMs, nowMs, random } = context
  const giveUp = (why: string): Verdict => trash(withReason(failure, why), context)
  const { attempts, maxAgeMs } = node.retry
  if (attempt >= attempts) return giveUp(`attempt ${attempt} of ${attempts} (retry.attempts) was the last`)
  if (maxAgeMs !== null && nowMs - Date.parse(message.created) > maxAgeMs)
    return giveUp(`the message is older than ${maxAgeMs} ms (retry.maxAgeMs)`)
  const delayMs = Math.min(Math.max(backoffMs(node.retry, attempt, random), afterMs), delayMaxMs)
  if (!isOrdered(node)) return { kind: 'later', delayMs, failure }
  const leftMs = node.inPlaceMaxMs - inPlaceMs
  if (!(leftMs > 0)) return giveUp(`it was tried in place for ${node.inPlaceMaxMs} ms (inPlaceMaxMs)`)
  // The last try comes at the end of the allowed time, even if the policy or the worker asked for a later one.
  const nextMs = Math.min(delayMs, Math.ceil(leftMs))
  return { kind: 'hold', delayMs: nextMs, burns: true, cause: 'retry', failure }
}

/** Which limit ended the tries stands before the failure's own detail, which may be cut. */
function withReason({ status, problem: of }: Failure, why: string): Failure {
  const detail = `Not tried again: ${why}.${of.detail === undefined ? '' : ` ${of.detail}`}`
  return { status, problem: { ...of, detail: cutDetail(detail) } }
}

function wait(cause: Hold['cause'], failure: Failure, delayMs: number): Hold {
  const boundedMs = cause === 'breaker' ? 0 : Math.min(Math.max(delayMs, waitMinMs), delayMaxMs)
  return { kind: 'hold', delayMs: boundedMs, burns: false, cause, failure }
}

function waitBackoffMs({ node, waits, random }: DecideContext): number {
  return Math.max(node.retry.baseMs, backoffMs(node.retry, waits + 1, random))
}

/** The worker's own problem, its texts cut to length; made from status and body when it sent none. */
function problemOf(reply: Reply): Problem {
  const title = `${reply.status} ${STATUS_CODES[reply.status] ?? 'Unknown Status'}`
  const own = isProblem(reply.headers) ? parseObject(reply.body) : null
  if (own === null) return problem('http-status', title, snippet(reply), reply.status)
  const { type, title: ownTitle, status, detail } = own
  return {
    type: text(type, textMax) ?? 'about:blank',
    title: text(ownTitle, textMax) ?? title,
    status: Number.isInteger(status) ? (status as number) : reply.status,
    ...(typeof detail === 'string' ? { detail: cutDetail(detail) } : {}),
  }
}

function isProblem(headers: Reply['headers']): boolean {
  return mediaType(headers['content-type']) === 'application/problem+json'
}

function parseObject(body: Uint8Array): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(body))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    // A body that claims to be a problem and isn't JSON tells no more than its status.
    return null
  }
}

function text(value: unknown, max: number): string | null {
  return typeof value === 'string' && value !== '' ? value.slice(0, max) : null
}

/** The start of a readable body, for whoever repairs the message. */
function snippet({ headers, body }: Reply): string {
  if (!/^text\/|json|xml/.test(mediaType(headers['content-type']))) return ''
  return new TextDecoder().decode(body.subarray(0, snippetMax)).trim()
}
