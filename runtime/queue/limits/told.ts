/** The words of what bridges and control tell each other of limits. */

/** Whose limits a call counts against. */
export type LimitKey =
  | {
      readonly kind: 'service'
      readonly service: string
      /** Of limits per tenant: a tenant, or what a worker named instead; null: of limits that all share, or of messages without a tenant. */
      readonly who: string | null
      /** False: all calls of the service count. */
      readonly isOwn: boolean
    }
  | { readonly kind: 'node'; readonly nodeId: string }

/** That a service asked to wait (429), as all bridges know it. Kept for a day after the last time, since it is shown. */
export interface Limited {
  readonly key: LimitKey
  /** RFC 3339, by the clock of the NATS server: no calls before. */
  readonly until: string
  /** RFC 3339: when it asked last. */
  readonly at: string
  /** What it asked for, in milliseconds; null: nothing, so the wait is a backoff. */
  readonly retryAfterMs: number | null
  /** How often it asked since it was first told. */
  readonly times: number
}

/** What a key does at a bridge. */
export interface LimitLook {
  readonly id: string
  readonly key: LimitKey
  readonly waiting: number
  readonly inFlight: number
  /** Permits used a second, over the last ten seconds. */
  readonly perSecond: number
  /** NATS doesn't keep what is reserved: this bridge goes on with its share. */
  readonly isAway: boolean
}

export interface LimitedChange {
  readonly kind: 'limited'
  readonly id: string
  /** Null: forgotten. */
  readonly limited: Limited | null
}

export const limitedKey = (id: string): string => `limited.${id}`
export const serviceKey = (name: string): string => `service.${name}`

export const readLimitedChange = (id: string, value: unknown): LimitedChange => ({
  kind: 'limited',
  id,
  limited: value as Limited | null,
})
