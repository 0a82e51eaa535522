import { setTimeout as wait } from 'node:timers/promises'
import { textOf } from '../errors.ts'
import { endCancelled, forgetCancelled } from '../queue/config.ts'
import type { CancelledChange } from '../queue/config.ts'
import { hasten } from '../queue/look/later.ts'
import type { Queues } from '../queue/open.ts'
import { openIntakes } from './intakes.ts'
import { runningOf } from '../store/queries/runs.ts'
import type { Store } from '../store/store.ts'
import type { Log } from '../telemetry/log.ts'

/**
 * What a cancelled run needs besides the bridges, until it has drained: its delayed messages are made due at once, and again, since a
 * bridge may have delayed one before it knew. When the recorder has seen everything of it settle, its entry is removed, so that a
 * replay of what it has in Trash is a message like any other. Every control does this; twice is harmless.
 */
export interface Cancelling {
  /** An entry came, changed or went. */
  change(change: CancelledChange): void
  /** Resolves when the signal has aborted and nothing is under way. */
  readonly done: Promise<void>
}

interface Deps {
  readonly queues: Queues
  readonly store: Store
  readonly log: Log
}

/** How often it is looked whether a run has drained. */
const lookEveryMs = 500
/** How soon a topology's delayed messages are gone through again, and how seldom at most: each look reads all of them. */
const again = { firstMs: 1_000, maxMs: 30_000 }
/** What an entry leaves behind is kept so long for bridges that were away. */
const forgetAfterMs = 600_000

interface Hastening {
  at: number
  everyMs: number
}

interface Ended {
  readonly change: CancelledChange
  readonly at: number
}

export function openCancelling(deps: Deps, signal: AbortSignal): Cancelling {
  const open = new Map<string, CancelledChange>()
  const ended = new Map<string, Ended>()
  const hastening = new Map<string, Hastening>()
  const change = (change: CancelledChange): void => {
    const key = `${change.topologyId} ${change.run}`
    if (!change.cancelled) {
      open.delete(key)
      ended.set(key, { change, at: performance.now() })
      return
    }
    // After a reconnect all come again: what is known already needs no new look.
    if (open.get(key)?.revision !== change.revision) hastening.delete(change.topologyId)
    open.set(key, change)
    ended.delete(key)
  }
  const closeIntakes = openIntakes(deps)
  const round = async (): Promise<void> => {
    await closeIntakes([...open.values()])
    await removeDrained(deps, [...open.values()])
    await hastenDue(deps, [...open.values()], hastening)
    await forgetOld(deps, ended)
  }
  return { change, done: keepLooking(deps, round, signal) }
}

async function keepLooking({ queues, log }: Deps, round: () => Promise<void>, signal: AbortSignal): Promise<void> {
  const rest = (): Promise<boolean> => wait(lookEveryMs, true, { signal }).catch(() => false)
  while (await rest()) {
    if (!queues.connection.connected) continue
    await round().catch((error: unknown) => log.warn('cancelled runs are looked at again', { error: textOf(error) }))
  }
}

/** A run without a row was never started, or its row is gone: nothing of it is on its way. */
async function removeDrained({ queues, store }: Deps, open: readonly CancelledChange[]): Promise<void> {
  const runs = open.flatMap(({ run }) => (run === null ? [] : [run]))
  if (runs.length === 0) return
  const running = await runningOf(store, runs)
  for (const change of open) {
    if (change.run !== null && !running.has(change.run)) await endCancelled(queues.config, change)
  }
}

async function hastenDue(
  { queues }: Deps,
  open: readonly CancelledChange[],
  hastening: Map<string, Hastening>,
): Promise<void> {
  const topologies = new Set(open.map(({ topologyId }) => topologyId))
  for (const known of hastening.keys()) if (!topologies.has(known)) hastening.delete(known)
  for (const topologyId of topologies) {
    const now = performance.now()
    const due = hastening.get(topologyId) ?? { at: now, everyMs: again.firstMs }
    hastening.set(topologyId, due)
    if (due.at > now) continue
    const runs = new Set(open.filter((change) => change.topologyId === topologyId).map(({ run }) => run))
    await hasten(queues, topologyId, ({ run }) => runs.has(run) || runs.has(null))
    due.at = performance.now() + due.everyMs
    due.everyMs = Math.min(due.everyMs * 2, again.maxMs)
  }
}

async function forgetOld({ queues }: Deps, ended: Map<string, Ended>): Promise<void> {
  for (const [key, { change, at }] of ended) {
    if (performance.now() - at < forgetAfterMs) return // in the order of their ends
    await forgetCancelled(queues.connection, queues.config, change)
    ended.delete(key)
  }
}
