import type { RunRow, Stored, TrashRow } from './stored.ts'
import type { Start } from '../model.ts'
import type { CallRecord } from '../parts/worker.ts'
import { hopKey, originOf } from '../../../runtime/queue/names.ts'

export interface Evidence {
  /** In the stream's order. */
  readonly stored: readonly Stored[]
  /** What was accepted: run id → what was started. */
  readonly starts: ReadonlyMap<string, Start>
  readonly runs: readonly RunRow[]
  readonly trash: readonly TrashRow[]
  readonly calls: readonly CallRecord[]
  /** Node id → name. */
  readonly names: ReadonlyMap<string, string>
  /** Names of the nodes that keep order: over all their messages, or by lane. */
  readonly ordered: readonly string[]
  /** Of these, the names of those that keep it for each key. */
  readonly keyed: readonly string[]
  readonly asked: Asked
  readonly hits: readonly Hit[]
  /** Messages that may be at workers at once, at all nodes together: the sum of their prefetch. */
  readonly atOnce: number
}

/** What was asked for over the API, whatever was answered. */
export interface Asked {
  /** Runs that were to be cancelled. */
  readonly cancelled: ReadonlySet<string>
  /** Ids of Trash rows that were to be replayed. */
  readonly replayed: ReadonlySet<string>
  /** Names of nodes that were out of the graph for a while: what came to them then is at its end before, or in Trash. */
  readonly removed: ReadonlySet<string>
}

/** A fault by which calls may be made again. */
export interface Hit {
  readonly text: string
  /** A bridge alone, or NATS, alone or with others. */
  readonly what: 'bridge' | 'nats'
  readonly isKill: boolean
  /** In milliseconds since 1970; `to` is when what was hit works again, and whatever it left behind is known. */
  readonly from: number
  readonly to: number
}

export type ViolationKind = 'lost' | 'doubled' | 'order' | 'counter' | 'stray' | 'calls'

export interface Violation {
  readonly kind: ViolationKind
  readonly text: string
}

/** An input with what its hop settled as. */
export interface Hop {
  readonly input: Stored
  readonly node: string
  readonly origin: string
  readonly settlement: Stored | null
}

export interface Hops {
  readonly all: readonly Hop[]
  /** What was published below an origin first: by a hop, a split or a start. */
  readonly byOrigin: ReadonlyMap<string, Stored>
}

export function hopsOf({ stored, names }: Evidence): Hops {
  const byOrigin = new Map<string, Stored>()
  for (const one of stored) if (!byOrigin.has(one.origin)) byOrigin.set(one.origin, one)
  const all = stored.flatMap((input) => {
    if (input.message === null) return []
    const origin = originOf(hopKey(input.message, input.nodeId))
    const node = names.get(input.nodeId) ?? input.nodeId
    return [{ input, node, origin, settlement: byOrigin.get(origin) ?? null }]
  })
  return { all, byOrigin }
}

export const tell = (node: string, { message, sequence }: Stored): string =>
  `message ${message?.id}${message?.page ? `#${message.page}` : ''} at ${node} (sequence ${sequence}, run ${message?.run})`
