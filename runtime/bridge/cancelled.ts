import { setTimeout as pause } from 'node:timers/promises'
import { Stopped } from '../errors.ts'
import { isStillCancelled } from '../queue/config.ts'
import type { Queues } from '../queue/open.ts'

/**
 * Runs that are being cancelled, and topologies of which everything is, as this bridge knows. A message of such a run settles as
 * cancelled instead of being called, forwarded, split or delayed. What control has put is known here a moment later, and an entry
 * that is gone is still known for a moment: so one that is known is asked for again before anything is cancelled by it.
 */
export interface Cancelled {
  /** `run` null: the whole topology. */
  set(topologyId: string, run: string | null, cancelled: boolean): void
  /** Resolves with true when the message's run is cancelled. Costs a request only for runs that are known to be. */
  has(topologyId: string, run: string, signal: AbortSignal): boolean | Promise<boolean>
  /** Waits as `wait` does, but no longer than until the run is cancelled or the place is evicted. */
  whileNot(place: Place, signal: AbortSignal, wait: (signal: AbortSignal) => Promise<void>): Promise<void>
  /** Ends what waits at these nodes, if it is evicted. */
  evict(nodeIds: ReadonlySet<string>): void
}

/** What waits, and where. */
export interface Place {
  readonly topologyId: string
  readonly nodeId: string
  readonly run: string
  /** True when waiting has no sense any more. */
  isEvicted?(): boolean
}

interface Waiter extends Place {
  end(): void
}

const retryMs = 200
const lookAgainMs = 1_000

export function openCancelled(queues: Pick<Queues, 'config' | 'connection'>): Cancelled {
  const runs = new Set<string>()
  const topologies = new Set<string>()
  const waiters = new Set<Waiter>()

  const confirmed = async (topologyId: string, run: string, signal: AbortSignal): Promise<boolean> => {
    while (!signal.aborted) {
      try {
        if (topologies.has(topologyId) && (await isStillCancelled(queues, topologyId, null))) return true
        return runs.has(run) && (await isStillCancelled(queues, topologyId, run))
      } catch {
        await queues.connection.whenConnected(signal).catch(() => undefined)
        await pause(retryMs, undefined, { signal }).catch(() => undefined)
      }
    }
    throw new Stopped('stopped while asking whether a run is cancelled')
  }
  const isKnown = ({ topologyId, run }: Pick<Place, 'topologyId' | 'run'>): boolean =>
    runs.has(run) || topologies.has(topologyId)
  const has: Cancelled['has'] = (topologyId, run, signal) =>
    isKnown({ topologyId, run }) && confirmed(topologyId, run, signal)

  return {
    set(topologyId, run, cancelled) {
      const [set, key] = run === null ? [topologies, topologyId] : [runs, run]
      if (!cancelled) return void set.delete(key)
      set.add(key)
      for (const waiter of waiters)
        if (waiter.topologyId === topologyId && (run ?? waiter.run) === waiter.run) waiter.end()
    },
    has,
    evict(nodeIds) {
      for (const waiter of waiters) if (nodeIds.has(waiter.nodeId)) waiter.end()
    },
    async whileNot(place, signal, wait) {
      while (place.isEvicted?.() !== true && !(await has(place.topologyId, place.run, signal))) {
        const ending = new AbortController()
        const end = (): void => ending.abort()
        const waiter = { ...place, end }
        waiters.add(waiter)
        signal.addEventListener('abort', end, { once: true })
        if (signal.aborted) end()
        // A server that has just become the leader may not have shown it: nobody will tell a second time.
        const again = isKnown(place) ? setTimeout(end, lookAgainMs) : undefined
        try {
          return await wait(ending.signal)
        } catch (error) {
          if (signal.aborted || !ending.signal.aborted) throw error
        } finally {
          clearTimeout(again)
          waiters.delete(waiter)
          signal.removeEventListener('abort', end)
        }
      }
    },
  }
}
