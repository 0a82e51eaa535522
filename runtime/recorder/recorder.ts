import { setTimeout as wait } from 'node:timers/promises'
import { textOf } from '../errors.ts'
import { watchConfig } from '../queue/config.ts'
import type { ConfigChange } from '../queue/config.ts'
import type { Events } from '../queue/events.ts'
import type { Janitor } from '../queue/janitor/janitor.ts'
import { openOutcomes, streamEpoch } from '../queue/ledger.ts'
import type { Queues } from '../queue/open.ts'
import { applyOutcomes, position } from '../store/outcomes.ts'
import type { Applied } from '../store/outcomes.ts'
import type { Store } from '../store/store.ts'
import { tellWatermark } from '../store/delta/watermarks.ts'
import { plansSince, publishedTopologyIds } from '../store/queries/revisions.ts'
import { openCancelling } from './cancelling.ts'
import { openLoosening } from './loosening.ts'
import type { Log } from '../telemetry/log.ts'

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
  /** Has a round over each topology's stream every so often. */
  readonly janitor: Janitor
  readonly compactEveryMs?: number
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
  const cancelling = openCancelling({ queues, store: options.store, log }, stopping.signal)
  const loosening = openLoosening({ queues, log }, stopping.signal)
  const onChange = (change: ConfigChange): void => {
    if (change.kind === 'plan') refresh()
    loosening.change(change)
    if (change.kind === 'cancelled') cancelling.change(change)
  }
  await watchConfig({ ...queues, log }, onChange, stopping.signal)
  const timer = setInterval(refresh, refreshEveryMs).unref()
  const compacting = compactFor(options, loops, stopping.signal)
  refresh()
  await refreshing
  let closing: Promise<void> | null = null
  const close = async (): Promise<void> => {
    clearInterval(timer)
    stopping.abort()
    await refreshing
    await Promise.all([compacting, cancelling.done, loosening.done, ...[...loops.values()].map((loop) => loop.close())])
  }
  return { close: () => (closing ??= close()) }
}

interface Loop {
  close(): Promise<void>
}

async function bringInLine(options: RecorderOptions, loops: Map<string, Loop>, signal: AbortSignal): Promise<void> {
  const published = new Set(await publishedTopologyIds(options.store))
  for (const [id, loop] of loops) {
    if (published.has(id)) continue
    loops.delete(id)
    await loop.close()
  }
  for (const id of published) {
    if (!signal.aborted && !loops.has(id)) loops.set(id, startLoop(options, id))
  }
}

function startLoop(options: RecorderOptions, topologyId: string): Loop {
  const stopping = new AbortController()
  const running = keepRecording(options, topologyId, stopping.signal)
  return {
    async close() {
      stopping.abort()
      await running
    },
  }
}

/** Records until the signal aborts; whatever fails (NATS or Postgres away, another recorder was faster) begins anew from the position. */
async function keepRecording(options: RecorderOptions, topologyId: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await record(options, topologyId, signal)
    } catch (error) {
      options.log.warn('recording was interrupted, it goes on from its position', {
        topology: topologyId,
        error: textOf(error),
      })
    }
    await wait(retryMs, undefined, { signal }).catch(() => undefined)
  }
}

async function record({ queues, store, log }: RecorderOptions, topologyId: string, signal: AbortSignal): Promise<void> {
  await queues.connection.whenConnected(signal)
  const epoch = await streamEpoch(queues.connection, topologyId)
  if (epoch === null) return
  let from = await position(store, topologyId, epoch)
  const reader = await openOutcomes(queues.connection, topologyId, from, log)
  const stop = (): void => void reader.close()
  signal.addEventListener('abort', stop)
  try {
    // Aborted while the reader was being opened: nobody else would close it, and its end would be waited for in vain.
    if (signal.aborted) stop()
    for (;;) {
      const next = await reader.next()
      if (next === null || signal.aborted) return
      const applied = await applyOutcomes(store, topologyId, { epoch, from, to: next.to }, next.outcomes)
      if (applied === null) return
      from = next.to
      await tellWatermarks({ queues, store, log }, applied.watermarks)
      tell(queues.events, topologyId, applied)
      await wait(gatherMs, undefined, { signal }).catch(() => undefined)
    }
  } finally {
    signal.removeEventListener('abort', stop)
    await reader.close()
  }
}

/** Runs that begin from now on go on there. If it fails, a control does it within seconds: until then they begin where runs did before. */
async function tellWatermarks(
  { queues, store, log }: Pick<RecorderOptions, 'queues' | 'store' | 'log'>,
  ids: readonly string[],
): Promise<void> {
  for (const id of ids) {
    await tellWatermark(store, id, queues.control.putWatermark).catch((error: unknown) =>
      log.warn('a watermark is told to the bridges later', { watermark: id, error: textOf(error) }),
    )
  }
}

/** Runs that began or ended, and Trash that came or went; for those who watch. */
function tell(events: Events, topologyId: string, { runs, trashed, settled }: Applied): void {
  if (trashed.size > 0 || settled > 0)
    events.emit({ kind: 'trash', topologyId, added: Object.fromEntries(trashed), settled })
  for (const [runId, state] of runs) events.emit({ kind: 'run', topologyId, runId, state })
}

/** A round of compaction over all topologies, again and again. */
async function compactFor(
  { queues, store, janitor, compactEveryMs = 10_000 }: RecorderOptions,
  loops: Map<string, Loop>,
  signal: AbortSignal,
): Promise<void> {
  const goesOn = (): boolean => !signal.aborted
  while (goesOn()) {
    await wait(compactEveryMs, undefined, { signal }).catch(() => undefined)
    for (const topologyId of loops.keys()) {
      if (!goesOn() || !queues.connection.connected) break
      await janitor.compact(topologyId, {
        recorded: (epoch) => position(store, topologyId, epoch),
        plansSince: (time) => plansSince(store, topologyId, time),
      })
    }
  }
}
