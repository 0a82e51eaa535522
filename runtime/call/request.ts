import type { Message } from '../protocol/message.ts'
import { newSpanId, requestHeaders } from '../protocol/native.ts'
import type { PreparedNode } from '../protocol/native.ts'
import type { Request } from './call.ts'

/** The request of one call, made just before it is sent since it carries the time. `key` signs it; null: the worker has no secret. */
export function requestOf(
  prepared: PreparedNode,
  message: Message,
  attempt: number,
  sequence: number,
  key: Uint8Array | null,
): Request {
  const { path, timeoutMs } = prepared.node
  const now = Date.now()
  const headers = requestHeaders(prepared, message, {
    attempt,
    sequence,
    deadlineMs: now + timeoutMs,
    spanId: newSpanId(),
    watermark: message.since?.watermark ?? null,
    signature: key === null ? null : { key, atMs: now },
  })
  return { path, headers, body: message.body, timeoutMs }
}
