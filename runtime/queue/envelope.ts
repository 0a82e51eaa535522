import type { MsgHdrs } from '@nats-io/transport-node'
import type { Message } from '../protocol/message.ts'

/**
 * How a message is kept in JetStream: the body as it is, everything else as one JSON object in the header `Sluice`.
 * One header instead of a dozen because the client checks and copies each header byte by byte on both ways.
 */
export const envelopeHeader = 'Sluice'
/** Beside it, of a message that is a chunk of records: a `ChunkHead` as JSON. */
export const chunkHeader = 'Sluice-Chunk'
/** Beside it, of a message that is delayed until its turn at a limit: whose limit it is, a `DelayedFor` as JSON. Without it a delayed message failed. */
export const waitHeader = 'Sluice-Wait'

const encoder = new TextEncoder()

/** A block of NATS headers, encoded once. Values must hold no line breaks: JSON text never does. */
export function headerBlock(headers: readonly (readonly [name: string, value: string])[]): MsgHdrs {
  let text = 'NATS/1.0\r\n'
  for (const [name, value] of headers) text += `${name}: ${value}\r\n`
  const bytes = encoder.encode(`${text}\r\n`)
  // The client asks a header object for nothing but its bytes when it publishes.
  return { encode: () => bytes } as unknown as MsgHdrs
}

/** The guard: accepted only while nothing at all was published below the origin. Also holds over replicas. */
export function guardHeaders(filter: string): [string, string][] {
  return [
    ['Nats-Expected-Last-Subject-Sequence', '0'],
    ['Nats-Expected-Last-Subject-Sequence-Subject', filter],
  ]
}

export type Envelope = Omit<Message, 'body'>

/** JSON of the envelope without the fields that have their usual value, so that a million stored messages stay small. */
export function encodeEnvelope(message: Envelope): string {
  return JSON.stringify({
    id: message.id,
    run: message.run,
    from: message.from,
    created: message.created,
    attempt: message.attempt || undefined,
    round: message.round || undefined,
    replay: message.replay || undefined,
    page: message.page || undefined,
    cursor: message.cursor ?? undefined,
    mark: message.mark ?? undefined,
    edit: message.edit || undefined,
    since: message.since ?? undefined,
    reconcile: message.reconcile || undefined,
    tenant: message.tenant ?? undefined,
    limitKey: message.limitKey ?? undefined,
    key: message.key ?? undefined,
    trace: message.trace ?? undefined,
    history: message.history.length > 0 ? message.history : undefined,
    trail: message.trail.length > 0 ? message.trail : undefined,
    headers: isEmpty(message.headers) ? undefined : message.headers,
    contentType: message.contentType,
  })
}

function isEmpty(record: Readonly<Record<string, string>>): boolean {
  for (const _ in record) return false
  return true
}

/** @throws SyntaxError when the text isn't ours */
export function decodeEnvelope(text: string, body: Uint8Array): Message {
  const stored = JSON.parse(text) as Partial<Message> & { id: string; run: string; from: string; created: string }
  return {
    id: stored.id,
    run: stored.run,
    from: stored.from,
    created: stored.created,
    attempt: stored.attempt ?? 0,
    round: stored.round ?? 0,
    replay: stored.replay ?? 0,
    page: stored.page ?? 0,
    cursor: stored.cursor ?? null,
    mark: stored.mark ?? null,
    edit: stored.edit ?? 0,
    since: stored.since ?? null,
    reconcile: stored.reconcile ?? false,
    tenant: stored.tenant ?? null,
    limitKey: stored.limitKey ?? null,
    key: stored.key ?? null,
    trace: stored.trace ?? null,
    history: stored.history ?? [],
    trail: stored.trail ?? [],
    headers: stored.headers ?? {},
    contentType: stored.contentType ?? 'application/octet-stream',
    body,
  }
}
