import { createInbox } from '@nats-io/transport-node'
import type { Connection } from '../connection.ts'
import type { LimitLook, LimitsAsked } from '../limits/told.ts'

/**
 * What bridges hold, and why, asked of all of them at once over core NATS: nothing of it is kept anywhere, and a bridge that
 * nobody asks does nothing for it.
 */
export const holdKinds = [
  'asking',
  'order',
  'paused',
  'limit',
  'turn',
  'calling',
  'retry',
  'busy',
  'refused',
  'settling',
  'split',
  'follower',
] as const

/**
 * | kind       | a message that a bridge holds …                                                       |
 * |------------|---------------------------------------------------------------------------------------|
 * | `asking`   | begins: it is looked whether it was settled before                                    |
 * | `order`    | waits for its turn behind lanes that its node had before                              |
 * | `paused`   | waits until its node goes on, or until it is known what is paused                     |
 * | `limit`    | waits for a permit, or since a worker answered 429, `reason` being of what            |
 * | `turn`     | waits for a breaker, or for an instance                                               |
 * | `calling`  | is at a worker                                                                        |
 * | `retry`    | failed, and is tried again in place                                                   |
 * | `busy`     | waits since a worker answered 503 with Retry-After                                    |
 * | `refused`  | waits since no instance took the connection                                           |
 * | `settling` | is being stored where it goes next                                                    |
 * | `split`    | is settled; the next one waits until what it split is split                           |
 * | `follower` | is a stored reply that waits for room before a follower, `reason` being its id        |
 */
export type HoldKind = (typeof holdKinds)[number]

/** Messages of one node that one bridge holds for one reason. */
export interface Holding {
  readonly kind: HoldKind
  /** Of stored replies that are to be split, not of inputs. */
  readonly isReply: boolean
  /** In short; null when the kind says it all. */
  readonly reason: string | null
  readonly count: number
  /** RFC 3339: since when the first of them is held so. */
  readonly since: string
  /** When the first and the last of them go on; null: nobody knows. */
  readonly until: { readonly first: string; readonly last: string } | null
  /** In the topology's stream; only when one node was asked for. */
  readonly sequences: readonly number[]
}

/** Calls of a node in the last minute, without those of which nothing was sent. */
export interface CallCounts {
  readonly made: number
  /** Of these: no answer in time, 429 or 503. */
  readonly overloaded: number
}

export interface NodeLook {
  readonly topologyId: string
  readonly nodeId: string
  /** Messages of the node that this bridge settled, a second, over the last ten seconds. */
  readonly settledPerSecond: number
  /** Only when one node was asked for; left out by bridges of older versions, too. */
  readonly calls?: CallCounts
  readonly holdings: readonly Holding[]
}

export interface BridgeLook {
  readonly bridge: string
  /** Messages in a follower's queue above which this bridge holds replies back. */
  readonly highWater: number
  /** Nodes of which it holds something, or settled something in the last seconds; one that was asked for also when it was called. */
  readonly nodes: readonly NodeLook[]
  /** What it does with limits, when that was asked for; left out by bridges of older versions. */
  readonly limits?: readonly LimitLook[]
}

export interface Question {
  /** Null: all. */
  readonly topologyId: string | null
  /** Null: all of the topology. */
  readonly nodeId: string | null
  /** Whether limits are to be told, too: all keys, or some. */
  readonly limits?: boolean | LimitsAsked
}

/** Prefix of the engine's subjects; core NATS, so no stream may have it. */
const subjectOf = (bridges: string): string => `${bridges}.look`

/** Answers for one bridge until the returned function is called. `bridges`: name of the bucket of heartbeats. */
export function answerLooks({ nc }: Connection, bridges: string, look: (question: Question) => BridgeLook): () => void {
  const subscription = nc.subscribe(subjectOf(bridges), {
    callback: (error, message) => {
      if (error === null) message.respond(JSON.stringify(look(message.json<Question>())))
    },
  })
  return () => subscription.unsubscribe()
}

/** Asks, and waits for the bridges of `expected`, at most `timeoutMs`; who is silent is missing in the answer. */
export async function askBridges(
  { nc }: Connection,
  bridges: string,
  question: Question,
  { expected, timeoutMs }: { readonly expected: readonly string[]; readonly timeoutMs: number },
): Promise<BridgeLook[]> {
  if (expected.length === 0) return []
  const missing = new Set(expected)
  const looks: BridgeLook[] = []
  const inbox = createInbox()
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => end(), timeoutMs)
    const subscription = nc.subscribe(inbox, {
      callback: (error, message) => {
        // "Nobody listens" has no body.
        if (error !== null || message.data.length === 0) return end()
        const look = message.json<BridgeLook>()
        looks.push(look)
        missing.delete(look.bridge)
        if (missing.size === 0) end()
      },
    })
    const end = (): void => {
      clearTimeout(timer)
      subscription.unsubscribe()
      resolve()
    }
    nc.publish(subjectOf(bridges), JSON.stringify(question), { reply: inbox })
  })
  return looks
}
