import type { Node, Queue, QueueWaiting, TrashGroup, Worker } from '../../../../runtime/client/openapi.d.ts'
import type { Depth } from '../../live/hear.ts'

/** What a node does now, of all sources together. Null is what isn't known yet, or can't be. */
export interface Figures {
  /** Messages before it: in its queue, in stored replies that are to be split, or delayed. */
  readonly waiting: number | null
  readonly inFlight: number | null
  readonly delayed: number
  readonly replies: number
  readonly ratePerSecond: number | null
  readonly openTrash: number | null
  readonly why: Why | null
  readonly worker: WorkerHealth | null
  readonly oldestMs: number | null
}

/** For what most of its messages wait, in a word or two. */
export type Why = 'paused' | 'calls fail' | 'limit' | 'retry' | 'at its prefetch'

export interface WorkerHealth {
  readonly usable: number
  readonly instances: number
}

export interface Sources {
  readonly nodes: readonly Node[]
  /** Undefined: not read yet; so with the others. */
  readonly queues: readonly Queue[] | undefined
  /** Null: nothing was told yet. */
  readonly depths: Readonly<Record<string, Depth>> | null
  readonly failures: readonly TrashGroup[] | undefined
  readonly workers: readonly Worker[] | undefined
}

const empty: Depth = { pending: 0, inFlight: 0, replies: 0 }

export function figuresOf({ nodes, queues, depths, failures, workers }: Sources): Map<string, Figures> {
  const byNode = new Map(queues?.map((queue) => [queue.nodeId, queue]))
  const trash = new Map<string, number>()
  for (const { nodeId, count } of failures ?? []) trash.set(nodeId, (trash.get(nodeId) ?? 0) + count)
  const healths = new Map(workers?.map((worker) => [worker.name, healthOf(worker)]))
  return new Map(
    nodes.map((node) => {
      const queue = byNode.get(node.id)
      // Events come sooner than what is asked for.
      const depth = depths === null ? queue : (depths[node.id] ?? empty)
      const { pending, inFlight, replies } = depth ?? empty
      const delayed = queue?.delayed ?? 0
      const figures = {
        waiting: depth === undefined ? null : pending + replies + delayed,
        inFlight: depth === undefined ? null : inFlight,
        delayed,
        replies,
        ratePerSecond: queue?.ratePerSecond ?? null,
        openTrash: failures === undefined ? null : (trash.get(node.id) ?? 0),
        worker: node.worker === null ? null : (healths.get(node.worker) ?? null),
        oldestMs: queue?.oldestMs ?? null,
      }
      return [node.id, { ...figures, why: whyOf(node, queue?.waiting, pending, inFlight) }]
    }),
  )
}

function healthOf({ instances }: Worker): WorkerHealth {
  const usable = instances.filter(({ state }) => state !== 'open' && state !== 'unusable').length
  return { usable, instances: instances.length }
}

function whyOf(node: Node, waiting: QueueWaiting | undefined, pending: number, inFlight: number): Why | null {
  if (node.paused === true) return 'paused'
  if (node.breaker !== null || (waiting?.breaker ?? 0) > 0) return 'calls fail'
  const limit = waiting?.limit ?? 0
  const retry = waiting?.retry ?? 0
  if (limit > 0 || retry > 0) return limit >= retry ? 'limit' : 'retry'
  const prefetch = node.published?.prefetch ?? node.prefetch
  return pending > 0 && prefetch !== null && inFlight >= prefetch ? 'at its prefetch' : null
}

/** Less work than this nobody has to look at. */
const leastMs = 5_000
const leastWaiting = 10

/**
 * The node that keeps the others from being done: the one whose queue will take longest at the pace at which it is worked off now. Null
 * when there is none to speak of.
 */
export function bottleneckOf(figures: ReadonlyMap<string, Figures>): string | null {
  let worst: string | null = null
  let most = leastMs
  for (const [id, { waiting, ratePerSecond }] of figures) {
    if (waiting === null || waiting < leastWaiting) continue
    const ms = (waiting / Math.max(ratePerSecond ?? 1, 0.01)) * 1_000
    if (ms <= most) continue
    most = ms
    worst = id
  }
  return worst
}

/** Of all nodes together; null: of one it isn't known. */
export function sumOf(
  figures: ReadonlyMap<string, Figures>,
  name: 'waiting' | 'inFlight' | 'openTrash',
): number | null {
  const counts = [...figures.values()].map((own) => own[name])
  return counts.reduce<number | null>((sum, count) => (sum === null || count === null ? null : sum + count), 0)
}

export interface Flow {
  readonly source: string
  readonly target: string
  readonly perSecond: number
}

/**
 * What goes over each edge, as far as it is known: nodes are measured, not edges. What a node does it got from those before it that did
 * something, too, each as much as it did; over the edge of one that did nothing, nothing came.
 */
export function flowsOf(
  nodes: readonly Pick<Node, 'id' | 'followers'>[],
  figures: ReadonlyMap<string, Pick<Figures, 'ratePerSecond'>>,
): Flow[] {
  const rateOf = (id: string): number => figures.get(id)?.ratePerSecond ?? 0
  const before = new Map<string, number>()
  for (const { id, followers } of nodes)
    for (const follower of followers) before.set(follower.id, (before.get(follower.id) ?? 0) + rateOf(id))
  return nodes.flatMap(({ id, followers }) =>
    followers.map((follower) => {
      const all = before.get(follower.id) ?? 0
      return { source: id, target: follower.id, perSecond: all > 0 ? (rateOf(follower.id) * rateOf(id)) / all : 0 }
    }),
  )
}
