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

/** The limit for which a message is delayed until its turn: only those of a key of its own are, see `LimitKey`. */
export interface DelayedFor {
  readonly service: string
  readonly who: string | null
}

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
  /** A person let it be called again before its time was over; `until` is `at` then. */
  readonly lifted?: true
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

/** Which keys of a service are to be told of: that of all its calls, and some of those per tenant. */
export interface LimitsAsked {
  readonly service: string
  /** Only the key of this one, and not a page of them. */
  readonly who?: string
  /** A page: those after this one, by `markOfWho`; null: from the first one on. */
  readonly after: string | null
  readonly limit: number
}

/** By this keys per tenant are in order: that of messages without a tenant is the first. */
export const markOfWho = (who: string | null): string => (who === null ? '0' : `1${who}`)

/** The keys that are asked for of those that there are, in order. */
export function askedOf<K extends { readonly key: LimitKey }>(all: readonly K[], asked: LimitsAsked): K[] {
  const { service, who, after, limit } = asked
  const mine = all.filter(({ key }) => key.kind === 'service' && key.service === service)
  const isOwn = ({ key }: K): boolean => key.kind === 'service' && key.isOwn
  const markOf = ({ key }: K): string => markOfWho(key.kind === 'service' ? key.who : null)
  const own = mine.filter((one) => isOwn(one) && (who === undefined || markOf(one) === markOfWho(who)))
  const inOrder = own.sort((a, b) => (markOf(a) < markOf(b) ? -1 : 1))
  const page = inOrder.filter((one) => after === null || markOf(one) > after).slice(0, limit)
  return [...mine.filter((one) => !isOwn(one)), ...page]
}

/** Does what is told take the place of what is known? It may come late, and twice; what is lifted stays so until the service asks anew. */
export function supersedes(told: Limited, known: Limited | undefined): boolean {
  if (known === undefined) return true
  const [at, knownAt] = [Date.parse(told.at), Date.parse(known.at)]
  if (told.lifted === true) return at >= knownAt
  if (known.lifted === true) return at > knownAt
  return Date.parse(told.until) >= Date.parse(known.until)
}

export interface LimitedChange {
  readonly kind: 'limited'
  readonly id: string
  /** Null: forgotten. */
  readonly limited: Limited | null
  /** Of the bucket: what changed later has a greater one, whatever its key. */
  readonly revision: number
}

export const limitedKey = (id: string): string => `limited.${id}`
export const serviceKey = (name: string): string => `service.${name}`

export const readLimitedChange = (id: string, value: unknown, revision: number): LimitedChange => ({
  revision,
  kind: 'limited',
  id,
  limited: value as Limited | null,
})
