import type { FiringMessage as FixedMessage } from '../../../topology/schedule/schema.ts'

/** What a cron node sends: its own fixed message, or else the firing itself as JSON. */
export interface FiringMessage {
  readonly contentType: string
  readonly headers: Readonly<Record<string, string>>
  readonly tenant: string | null
  readonly body: Uint8Array
}

export interface FiredAs {
  readonly topology: string
  readonly node: string
  /** Null: somebody started it by hand. */
  readonly scheduledAt: Date | null
  readonly firedAt: Date
  /** Instant of the first firing that this one makes up for; null: none was missed. */
  readonly missedSince: Date | null
}

/** `message` is the node's own; null: it has none. */
export function firingMessage(message: FixedMessage | null, fired: FiredAs): FiringMessage {
  const body = message?.body === undefined ? fired : message.body
  const instant = fired.scheduledAt && { 'x-scheduled-at': fired.scheduledAt.toISOString() }
  return {
    contentType: 'application/json',
    headers: { ...message?.headers, ...instant },
    tenant: message?.tenant ?? null,
    body: Buffer.from(JSON.stringify(body)),
  }
}
