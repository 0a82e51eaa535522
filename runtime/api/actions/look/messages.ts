import type { StoredMessage } from '../../../queue/control.ts'
import type { Message } from '../../../protocol/message.ts'
import { shownBody } from '../../payload.ts'

/** Bodies of one answer together. */
const answerMaxBytes = 16 * 1024 * 1024

/** Shows messages as far as the caller may see them; bodies are cut to `bytes` each, and to 16 MiB in all. */
export function shower(withPayload: boolean, bytes: number): (stored: StoredMessage) => ReturnType<typeof show> {
  let left = answerMaxBytes
  return (stored) => {
    const most = Math.min(bytes, left)
    left -= Math.min(most, stored.message.body.length)
    return show(stored, withPayload, most)
  }
}

function show({ sequence, storedAt, message }: StoredMessage, withPayload: boolean, most: number) {
  const { id, run, from, key, tenant, attempt, page, created, contentType, body } = message
  return {
    sequence,
    id,
    runId: run,
    from,
    key,
    tenant,
    attempt: attempt + 1,
    page,
    createdAt: created,
    enqueuedAt: storedAt.toISOString(),
    contentType,
    size: body.length,
    truncated: body.length > most,
    ...(withPayload ? payloadOf(message, most) : {}),
  }
}

function payloadOf({ contentType, headers, body }: Message, most: number) {
  return { headers: { ...headers }, ...cutBody(contentType, body, most) }
}

/** The body as `shownBody` has it, or its beginning: text to the last whole character. */
export function cutBody(
  contentType: string,
  body: Uint8Array,
  most: number,
): { body: unknown } | { bodyBase64: string } {
  if (body.length <= most) return shownBody(contentType, body)
  const cut = body.subarray(0, most)
  try {
    return { body: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(cut, { stream: true }) }
  } catch {
    return { bodyBase64: Buffer.from(cut).toString('base64') }
  }
}
