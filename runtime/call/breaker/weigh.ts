/** What the result of a call says of the instance that was called, and of the node that called. Pure. */
import type { WorkerNode } from '../../topology/plan.ts'
import { isRetriedByTable, pauseReason } from '../decide.ts'
import type { CallResult, Reply } from '../decide.ts'
import { isRetried, retryAfterMs } from '../policy.ts'
import type { Showing } from './breaker.ts'

export const nothing: Showing = { kind: 'nothing' }
const good: Showing = { kind: 'good' }
const lost: Showing = { kind: 'bad', why: 'connection lost' }
const badReply: Showing = { kind: 'bad', why: 'no whole HTTP reply' }
const timeout: Showing = { kind: 'bad', why: 'time-out' }

/**
 * A reply of any status comes from an instance that lives. A call that timed out says nothing when the instance has answered
 * others in the meantime: then it is one node's handler that hangs.
 */
export function weighForInstance(result: CallResult, hasAnswered: boolean): Showing {
  switch (result.kind) {
    case 'reply':
    case 'too-large':
      return good
    case 'timeout':
      return hasAnswered ? nothing : timeout
    case 'lost':
      return lost
    case 'bad-reply':
      return badReply
    case 'refused':
      return { kind: 'refused', why: result.detail ?? 'connection refused' }
    case 'held':
    case 'put-off':
      return nothing
    default:
      return result satisfies never
  }
}

/** Bad is what would be tried again. What the worker settles is good; waits, and connections that nobody took, say nothing. */
export function weighForNode(result: CallResult, node: WorkerNode): Showing {
  switch (result.kind) {
    case 'reply':
      return weighReply(result, node)
    case 'too-large':
      return good
    case 'timeout':
      return timeout
    case 'lost':
      return lost
    case 'bad-reply':
      return badReply
    case 'refused':
    case 'held':
    case 'put-off':
      return nothing
    default:
      return result satisfies never
  }
}

function weighReply(reply: Reply, node: WorkerNode): Showing {
  const { status, headers } = reply
  if (status >= 200 && status < 300) return good
  if (pauseReason(reply, node) !== null) return nothing
  const override = headers['sluice-retry']?.trim()
  if (override === '0') return good
  if (status === 429 || (status === 503 && retryAfterMs(headers, 0) !== null)) return nothing
  const isFailed = override === '1' || isRetried(node.retry.on, { status }, isRetriedByTable(reply))
  return isFailed ? { kind: 'bad', why: `status ${status}` } : good
}
