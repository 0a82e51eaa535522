import { setTimeout as wait } from 'node:timers/promises'
import { textOf } from '../errors.ts'
import { watchConfig } from '../queue/config.ts'
import { openJanitor } from '../queue/janitor.ts'
import type { Janitor } from '../queue/janitor.ts'
import { openOutcomes, streamEpoch } from '../queue/ledger.ts'
import type { Queues } from '../queue/open.ts'
import { applyOutcomes, position } from '../store/outcomes.ts'
import type { Store } from '../store/store.ts'
import { latestPlans } from '../store/queries/revisions.ts'
import type { Log } from '../telemetry/log.ts'
import { isEventNode } from '../topology/plan.ts'
import type { Plan } from '../topology/plan.ts'

/**
 * The recorder: the one reader of outcomes that writes Postgres (I6, I8). For each topology:
 *
 *   open at the position in Postgres + 1 → read outcomes → one transaction writes them and moves the position → read on
 *
 * The position is the fence: any number of recorders may run, each outcome is applied once, whatever crashes. With Postgres
 * away nothing is lost: the stream keeps what the recorder hasn't written down, since the janitor never compacts past it.
 */
export interface Recorder {
  /** Resolves when no transaction is open; twice is harmless. */
  close(): Promise<void>
}

export interface RecorderOptions {
  readonly queues: Queues
  readonly store: Store
  /** How long settled messages stay in the streams before they are compacted. */
  readonly historyMs: number
  readonly log: Log
}

const refreshEveryMs = 10_000
const retryMs = 1_000
/** Outcomes that come one by one are gathered for so long: a transaction per outcome would cost more than all of them. */
const gatherMs = 100

export async function openRecorder(options: RecorderOptions): Promise<Recorder> {
  const { queues, log } = options
  const stopping = new AbortController()
  const loops = new Map<string, Loop>()
  let refreshing: Promise<void> = Promise.resolve()
  const refresh = (): void => {
    refreshing = refreshing
      .then(() => bringInLine(options, loops, stopping.signal))
      .catch((error: unknown) => {
        if (!stopping.signal.aborted) log.warn('the recorder could not read its topologies', { error: textOf(error) })
      })
  }
  await watchConfig({ ...queues, log }, (change) => change.kind === 'plan' && refresh(), stopping.signal)
  const timer = setInterval(refresh, refreshEveryMs).unref()
  const compacting = compactFor(options, loops, stopping.signal)
  refresh()
  await refreshing
  let closing: Promise<void> | null = null
  const close = async (): Promise<void> => {
    clearInterval(timer)
    stopping.abort()
    await refreshing
    await Promise.all([compacting, ...[...loops.values()].map((loop) => loop.close())])
  }
  return { close: () => (closing ??= close()) }
}

interface Loop {
  plan: Plan
  /** Event nodes that are read: a plan with others needs another reader. */
  readonly events: string
  close(): Promise<void>
}

async function bringInLine(options: RecorderOptions, loops: Map<string, Loop>, signal: AbortSignal): Promise<void> {
  for (const plan of await latestPlans(options.store)) {
    const events = eventsOf(plan)
    const known = loops.get(plan.topologyId)
    if (known?.events === events) known.plan = plan
    if (signal.aborted || known?.events === events) continue
    await known?.close()
    loops.set(plan.topologyId, startLoop(options, plan, events))
  }
}

const eventsOf = (plan: Plan): string =>
  plan.nodes
    .filter(isEventNode)
    .map((node) => node.id)
    .sort()
    .join(' ')

function startLoop(options: RecorderOptions, plan: Plan, events: string): Loop {
  const stopping = new AbortController()
  const running = keepRecording(options, plan, stopping.signal)
  return {
    plan,
    events,
    async close() {
      stopping.abort()
      await running
    },
  }
}

/** Records until the signal aborts; whatever fails (NATS or Postgres away, another recorder was faster) begins anew from the position. */
async function keepRecording(options: RecorderOptions, plan: Plan, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await record(options, plan, signal)
    } catch (error) {
      options.log.warn('recording was interrupted, it goes on from its position', {
        topology: plan.name,
        error: textOf(error),
      })
    }
    await wait(retryMs, undefined, { signal }).catch(() => undefined)
  }
}

async function record({ queues, store, log }: RecorderOptions, plan: Plan, signal: AbortSignal): Promise<void> {
  await queues.connection.whenConnected(signal)
  const epoch = await streamEpoch(queues.connection, plan.topologyId)
  if (epoch === null) return
  let from = await position(store, plan.topologyId, epoch)
  const reader = await openOutcomes(queues.connection, plan, from, log)
  const stop = (): void => void reader.close()
  signal.addEventListener('abort', stop)
  try {
    // Aborted while the reader was being opened: nobody else would close it, and its end would be waited for in vain.
    if (signal.aborted) stop()
    for (;;) {
      const next = await reader.next()
      if (next === null || signal.aborted) return
      if (!(await applyOutcomes(store, plan.topologyId, { epoch, from, to: next.to }, next.outcomes))) return
      from = next.to
      await wait(gatherMs, undefined, { signal }).catch(() => undefined)
    }
  } finally {
    signal.removeEventListener('abort', stop)
    await reader.close()
  }
}

/** A round of compaction over all topologies, ten times in a history window but at most every ten seconds. */
async function compactFor(
  { queues, store, historyMs, log }: RecorderOptions,
  loops: Map<string, Loop>,
  signal: AbortSignal,
): Promise<void> {
  const janitor = openJanitor(queues.connection, historyMs, log)
  const everyMs = Math.min(10_000, Math.max(100, historyMs / 10))
  while (!signal.aborted) {
    await wait(everyMs, undefined, { signal }).catch(() => undefined)
    for (const { plan } of loops.values()) {
      if (!queues.connection.connected) break
      await compactTopology(queues, store, janitor, plan).catch((error: unknown) =>
        log.warn('a round of compaction was given up', { topology: plan.name, error: textOf(error) }),
      )
    }
  }
}

async function compactTopology(queues: Queues, store: Store, janitor: Janitor, plan: Plan): Promise<void> {
  const epoch = await streamEpoch(queues.connection, plan.topologyId)
  if (epoch === null) return
  await janitor.compact({ plan, recorded: await position(store, plan.topologyId, epoch) })
}
