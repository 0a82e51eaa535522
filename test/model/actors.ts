import { openCancelled } from '../../runtime/bridge/cancelled.ts'
import { openReading } from '../../runtime/bridge/paging/reading.ts'
import { openGates } from '../../runtime/bridge/gate.ts'
import { openMeters } from '../../runtime/bridge/look/meters.ts'
import { openTopologies } from '../../runtime/bridge/reconcile.ts'
import type { Directory } from '../../runtime/bridge/directory.ts'
import { cancelledKey } from '../../runtime/queue/config.ts'
import type { Config } from '../../runtime/queue/config.ts'
import { openDeliveries } from '../../runtime/queue/deliver/delivery.ts'
import { openJanitor } from '../../runtime/queue/janitor/janitor.ts'
import type { Janitor } from '../../runtime/queue/janitor/janitor.ts'
import { openOutcomes, streamEpoch } from '../../runtime/queue/ledger.ts'
import { publishStart } from '../../runtime/queue/open.ts'
import { publishDiscard, publishReplay } from '../../runtime/queue/publish/trash.ts'
import type { Trashed } from '../../runtime/protocol/outcome.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import type { Books } from './books.ts'
import { answer, modelPlan, topologyId } from './plan.ts'
import type { Process } from './process.ts'
import type { Script } from './truth.ts'

/** The processes of the engine, from its own parts; what they ask of the outside waits at their `Process`. */
export type Scripts = Map<string, Script>

/** Bridges, as `openBridge` puts them together; workers are asked through `effect`. */
export async function startBridge(process: Process, scripts: Scripts, cancelling: ReadonlySet<string>): Promise<void> {
  const deliveries = openDeliveries({ ...process.queues, clock: process.clock, log: silentLog })
  deliveries.close() // its beats: leases are the test's
  const { connection } = process.queues
  const cancelled = openCancelled({ connection, config: { config: cancelledRuns(process, cancelling) } as Config })
  process.hears = (run) => cancelled.set(topologyId, run, true)
  for (const run of cancelling) process.hears(run)
  const stop = { soon: new AbortController().signal, now: new AbortController().signal }
  const topologies = openTopologies({
    queues: process.queues,
    deliveries,
    directory: directoryOf(process, scripts),
    bridgeId: 'model',
    meters: openMeters(),
    ports: {
      guard: process.queues.guard,
      publisher: process.queues.publisher,
      cancelled,
      reading: openReading(process.queues),
      highWater: { mark: 10_000, forget: () => undefined, room: () => Promise.resolve() },
      log: silentLog,
    },
    stop,
    takes: () => true,
    onApplied: () => undefined,
  })
  topologies.apply(topologyId, modelPlan)
  await topologies.settled()
}

/** The entries of cancelled runs, as a bridge asks for them again before it cancels anything. */
function cancelledRuns(process: Process, cancelling: ReadonlySet<string>): Config['config'] {
  const get = (key: string): Promise<{ operation: string } | null> =>
    process.effect('look', `cancelled ${key}`, () => {
      const run = [...cancelling].find((one) => key === cancelledKey(topologyId, one))
      return run === undefined ? null : { operation: 'PUT' }
    })
  return { get } as unknown as Config['config']
}

function directoryOf(process: Process, scripts: Scripts): Directory {
  const gates = openGates()
  return {
    gateOf: (topology, nodeId) => gates.of(topology, nodeId),
    callerOf: (prepared) => ({
      call: (message, { attempt }, { sequence }) =>
        process.effect('call', `${prepared.node.name} ${message.id} ${sequence}`, (choice) => {
          const { result, script } = answer(prepared.node, message, choice)
          const name = `script-${scripts.size}`
          if (script === null || result.kind !== 'reply') return { result, instance: null, durationMs: 0 }
          scripts.set(name, script)
          const headers = { ...result.headers, 'x-script': name }
          return { result: { ...result, headers }, instance: null, durationMs: attempt }
        }),
      backOff: () => undefined,
    }),
    pause: () => Promise.resolve(),
  } as Partial<Directory> as Directory
}

/** Records for ever, as runtime/recorder does: what fails begins anew from the position. */
export async function startRecorder(process: Process, books: Books): Promise<void> {
  const { connection } = process.queues
  while (process.alive) {
    const epoch = (await streamEpoch(connection, topologyId)) ?? ''
    let from = await process.effect('store', 'position', () => books.position(epoch))
    const reader = await openOutcomes(connection, topologyId, from, silentLog)
    for (;;) {
      const next = await reader.next()
      if (next === null) break
      const { outcomes, to } = next
      const move = { epoch, from, to }
      if (!(await process.effect('store', `apply to ${to}`, () => books.apply(move, outcomes)))) break
      from = to
    }
    await reader.close()
  }
}

/** One round of the janitor with the smallest window: what is settled now may go. `full`: also behind a message that waits. */
export async function compact(process: Process, books: Books, full: boolean): Promise<void> {
  const { janitor, bytes } = janitors.get(process) ?? janitorOf(process)
  bytes.max = full ? 0 : Infinity
  await janitor.compact(topologyId, {
    recorded: (epoch) => process.effect('store', 'position', () => books.position(epoch)),
    plansSince: () => Promise.resolve([modelPlan]),
  })
}

const janitors = new WeakMap<Process, ReturnType<typeof janitorOf>>()

function janitorOf(process: Process): { janitor: Janitor; bytes: { max: number } } {
  const { connection } = process.queues
  const bytes = { max: 0 }
  const none = { windowMs: 0, leastWindowMs: 0 }
  const janitor = openJanitor({
    connection,
    replicas: 1,
    ...none,
    get maxBytes() {
      return bytes.max
    },
    log: silentLog,
  })
  const made = { janitor, bytes }
  janitors.set(process, made)
  return made
}

export async function start(process: Process, run: string): Promise<void> {
  const message = { tenant: null, contentType: 'application/json', headers: {}, trace: null, body: Buffer.from('{}') }
  await publishStart(process.queues.guard, { topologyId, nodeId: 'start', key: run, run, ...message })
}

/** Replay or discard of a row that was read as open. */
export async function settleTrash(process: Process, row: Trashed, replay: boolean): Promise<void> {
  const { guard } = process.queues
  const { trashId, nodeId, run, message, body } = row
  const at = { topologyId, nodeId, trashId, run }
  if (replay) await publishReplay(guard, { ...at, message, edited: false, body })
  else await publishDiscard(guard, { ...at, reason: null, replay: message.replay })
}
