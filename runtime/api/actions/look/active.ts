import type { StreamMark } from '../../../queue/control.ts'
import { nodePlaces } from '../../../store/queries/nodes.ts'
import { listPublished, publishedAmong } from '../../../store/queries/topologies.ts'
import type { TopologyHead } from '../../../store/queries/topologies.ts'
import type { Store } from '../../../store/store.ts'

/** As long as no more are published, all have series, so that these come and go with topologies only. */
const allMax = 100

/** What is known of topologies, by id; null: a part is away. */
export interface Signs {
  readonly published: number
  readonly marks: ReadonlyMap<string, StreamMark> | null
  /** Open messages. */
  readonly trash: ReadonlyMap<string, number> | null
  /** Nodes that are paused by themselves, by node id. */
  readonly paused: ReadonlyMap<string, string> | null
}

export interface Active {
  /** Those whose stream holds something, or that rest, wholly or at a node; what holds the most first. */
  readonly queues: readonly TopologyHead[]
  /** Those that have open Trash; what has the most first. */
  readonly trash: readonly TopologyHead[]
}

/**
 * The published topologies of which there is something to tell: all while there are few. A stream is empty when all is finished and
 * older than the history window, so that of one that rests nobody has to be asked. Throws `Unavailable`.
 */
export async function activeOf(store: Store, { published, marks, trash, paused }: Signs): Promise<Active> {
  const stored = ({ id }: TopologyHead): number => marks?.get(id)?.messages ?? 0
  const open = ({ id }: TopologyHead): number => trash?.get(id) ?? 0
  if (published <= allMax) {
    const all = await listPublished(store, {}, allMax)
    return { queues: all, trash: all }
  }
  const holding = [...(marks ?? [])].flatMap(([id, { messages }]) => (messages > 0 ? [id] : []))
  const places = await nodePlaces(store, [...(paused?.keys() ?? [])])
  const busy = new Set([...holding, ...[...places.values()].map(({ topologyId }) => topologyId)])
  const heads = await publishedAmong(store, [...new Set([...busy, ...(trash?.keys() ?? [])])])
  return {
    queues: heads.filter((head) => busy.has(head.id) || head.paused).sort((a, b) => stored(b) - stored(a)),
    trash: heads.filter((head) => open(head) > 0).sort((a, b) => open(b) - open(a)),
  }
}
