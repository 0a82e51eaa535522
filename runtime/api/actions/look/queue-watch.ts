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
  /** The first that is told of the topology: nodes that it doesn't name are empty. */
  readonly whole?: true
}

/** Watches queues for those who listen; while nobody does, nobody looks. */
export interface QueueWatch {
  /** Hears of one topology or of all (null), first of each what isn't empty, until the returned function is called. */
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
  // What is known already, who comes doesn't have to wait for.
  for (const { id } of watched) tellNewcomers(listeners, id, known.get(id))
  const isDue = ({ id }: InForce): boolean => {
    const before = known.get(id)
    return before === undefined || before.isBusy || before.mark !== (marks.get(id)?.last ?? 0)
  }
  for (const topology of inTurn(watched.filter(isDue), [...known.keys()], topologiesMax)) {
    await look(deps, topology, marks.get(topology.id)?.last ?? 0, listeners, known)
  }
}

/**
 * At most so many: first what was never looked at, then what was looked at the longest ago, so that whatever a round leaves out, the next
 * ones begin with. Half of it is for what moves, or that would stand still while hundreds are looked at for the first time.
 */
export function inTurn<T extends { readonly id: string }>(
  due: readonly T[],
  looked: readonly string[],
  max: number,
): T[] {
  const places = new Map(looked.map((id, place) => [id, place]))
  const placeOf = ({ id }: T): number => places.get(id) ?? -1
  const fresh = due.filter(({ id }) => !places.has(id))
  const moving = due.filter(({ id }) => places.has(id)).toSorted((one, other) => placeOf(one) - placeOf(other))
  const first = fresh.slice(0, max - Math.min(moving.length, Math.floor(max / 2)))
  return [...first, ...moving.slice(0, max - first.length)]
}

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
  const now = { mark, isBusy: isBusy || before?.mark !== mark, nodes }
  // Last in line from now on.
  known.delete(id)
  known.set(id, now)
  tell(listeners, id, before, now)
}

/** Who knows it hears what is another than before, who doesn't hears all that isn't empty. */
function tell(listeners: ReadonlySet<Listener>, topologyId: string, before: Known | undefined, now: Known): void {
  const knowing = concerned(listeners, topologyId).filter(({ told }) => told.has(topologyId))
  const nodes = changes(before, now)
  if (Object.keys(nodes).length > 0) for (const { hear } of knowing) hear({ topologyId, nodes })
  tellNewcomers(listeners, topologyId, now)
}

function tellNewcomers(listeners: ReadonlySet<Listener>, topologyId: string, now: Known | undefined): void {
  const newcomers = concerned(listeners, topologyId).filter(({ told }) => !told.has(topologyId))
  if (now === undefined || newcomers.length === 0) return
  const nodes = changes(undefined, now)
  for (const { hear, told } of newcomers) {
    told.add(topologyId)
    hear({ topologyId, nodes, whole: true })
  }
}

function concerned(listeners: ReadonlySet<Listener>, id: string): Listener[] {
  return [...listeners].filter(({ topologyId }) => topologyId === null || topologyId === id)
}

/** What is another than before; nothing was known: what isn't empty. */
function changes(before: Known | undefined, now: Known): QueueChange['nodes'] {
  const changed = [...now.nodes.values()].filter((depth) => isOther(before?.nodes.get(depth.nodeId), depth))
  return Object.fromEntries(changed.map(shown))
}

function isOther(before: QueueDepth | undefined, now: QueueDepth): boolean {
  const { pending, inFlight, replies } = before ?? { pending: 0, inFlight: 0, replies: 0 }
  return pending !== now.pending || inFlight !== now.inFlight || replies !== now.replies
}

function shown({ nodeId, pending, inFlight, replies }: QueueDepth) {
  return [nodeId, { pending, inFlight, replies }] as const
}
