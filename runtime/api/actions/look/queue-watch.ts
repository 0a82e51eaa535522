import { setTimeout as wait } from 'node:timers/promises'
import { textOf } from '../../../errors.ts'
import type { QueueDepth } from '../../../queue/control.ts'
import { revisionsInForce } from '../../../store/queries/topologies.ts'
import type { InForce } from '../../../store/queries/topologies.ts'
import type { ApiDeps } from '../../deps.ts'
import { newestPlan } from '../plans.ts'

/** How full the queues of some nodes of a topology are now, by node id. */
export interface QueueChange {
  readonly topologyId: string
  readonly nodes: Readonly<Record<string, Pick<QueueDepth, 'pending' | 'inFlight' | 'replies'>>>
}

/** Watches queues for those who listen; while nobody does, nobody looks. */
export interface QueueWatch {
  /** Hears of one topology or of all (null), first of what isn't empty, until the returned function is called. */
  join(topologyId: string | null, hear: (change: QueueChange) => void): () => void
}

type Deps = Pick<ApiDeps, 'store' | 'queues' | 'log'>

const everyMs = 1_000
/** A round looks at so many topologies at most; those that were left have their turn in the next one. */
const topologiesMax = 50

interface Listener {
  readonly topologyId: string | null
  readonly hear: (change: QueueChange) => void
  /** Topologies of which it knows the state. */
  readonly told: Set<string>
}

/** What was found of a topology. */
interface Known {
  /** Last sequence of its stream then: everything that is settled or comes makes it grow. */
  readonly mark: number
  readonly isBusy: boolean
  readonly nodes: ReadonlyMap<string, QueueDepth>
}

export function openQueueWatch(deps: Deps): QueueWatch {
  const listeners = new Set<Listener>()
  const known = new Map<string, Known>()
  let isRunning = false
  const run = async (): Promise<void> => {
    while (listeners.size > 0) {
      await round(deps, listeners, known).catch((error: unknown) =>
        deps.log.debug('queues are looked at again', { error: textOf(error) }),
      )
      await wait(everyMs, undefined, { ref: false })
    }
    known.clear()
    isRunning = false
  }
  return {
    join(topologyId, hear) {
      const listener = { topologyId, hear, told: new Set<string>() }
      listeners.add(listener)
      if (!isRunning) {
        isRunning = true
        void run()
      }
      return () => void listeners.delete(listener)
    },
  }
}

async function round(deps: Deps, listeners: ReadonlySet<Listener>, known: Map<string, Known>): Promise<void> {
  const all = await revisionsInForce(deps.store)
  const wanted = new Set([...listeners].map(({ topologyId }) => topologyId))
  const watched = wanted.has(null) ? all : all.filter(({ id }) => wanted.has(id))
  const marks = await deps.queues.marks()
  const isDue = ({ id }: InForce): boolean => {
    const before = known.get(id)
    const isNews = before === undefined || before.isBusy || before.mark !== (marks.get(id)?.last ?? 0)
    return isNews || [...listeners].some((listener) => concerns(listener, id) && !listener.told.has(id))
  }
  for (const topology of watched.filter(isDue).slice(0, topologiesMax)) {
    await look(deps, topology, marks.get(topology.id)?.last ?? 0, listeners, known)
  }
}

const concerns = ({ topologyId }: Listener, id: string): boolean => topologyId === null || topologyId === id

async function look(
  { store, queues }: Deps,
  topology: InForce,
  mark: number,
  listeners: ReadonlySet<Listener>,
  known: Map<string, Known>,
): Promise<void> {
  const plan = await newestPlan(store, topology)
  if (plan === null) return
  const { id } = topology
  const before = known.get(id)
  const nodes = new Map((await queues.depths(plan)).map((depth) => [depth.nodeId, depth]))
  const isBusy = [...nodes.values()].some(({ inFlight, replies }) => inFlight > 0 || replies > 0)
  // Last in line from now on: a round that has to leave some out begins with the others.
  known.delete(id)
  known.set(id, { mark, isBusy: isBusy || before?.mark !== mark, nodes })
  for (const listener of listeners) {
    if (!concerns(listener, id)) continue
    const from = listener.told.has(id) ? before?.nodes : undefined
    listener.told.add(id)
    const changed = [...nodes.values()].filter((depth) => isOther(from?.get(depth.nodeId), depth))
    if (changed.length > 0) listener.hear({ topologyId: id, nodes: Object.fromEntries(changed.map(shown)) })
  }
}

function isOther(before: QueueDepth | undefined, now: QueueDepth): boolean {
  const { pending, inFlight, replies } = before ?? { pending: 0, inFlight: 0, replies: 0 }
  return pending !== now.pending || inFlight !== now.inFlight || replies !== now.replies
}

function shown({ nodeId, pending, inFlight, replies }: QueueDepth) {
  return [nodeId, { pending, inFlight, replies }] as const
}
