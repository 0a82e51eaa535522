import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { connect } from '@nats-io/transport-node'
import { jetstreamManager } from '@nats-io/jetstream'
import type { JetStreamManager } from '@nats-io/jetstream'
import { openBridge } from '../runtime/bridge/bridge.ts'
import { untried } from '../runtime/protocol/message.ts'
import { newId } from '../runtime/ids.ts'
import { encodeEnvelope, envelopeHeader, headerBlock } from '../runtime/queue/envelope.ts'
import { laneConsumer, laneTail, originOf, streamName } from '../runtime/queue/names.ts'
import { openQueues } from '../runtime/queue/open.ts'
import type { Limit } from '../runtime/topology/limits/limits.ts'
import { silentLog } from '../runtime/telemetry/log.ts'
import { compilePlan } from '../runtime/topology/compile.ts'
import type { TopologyDocument } from '../runtime/topology/schema.ts'
import type { Plan } from '../runtime/topology/plan.ts'
import { openNaive } from './naive.ts'

/** 1 KiB messages through two worker nodes: hops per second of the bridge, and as a ratio of the naive one in the same run. */
export const prefetches = { 1: 1_500, 5: 4_000, 20: 6_000 } as const
const body = Buffer.from(JSON.stringify({ text: 'x'.repeat(1024 - 11) }))
/** As many deliveries of a node are in doubt after a connect, and cost a question each. */
const warmUp = 11_000

export interface Bench {
  /** Loads the first node's queue while nothing flows. */
  load(prefetch: number, messages: number): Promise<void>
  /** Lets all of it flow through both nodes. */
  drain(): Promise<void>
  close(): Promise<void>
}

export interface Round {
  readonly hopsPerSecond: number
  /** CPU time of this process (the bridge, not the server or the worker), in microseconds. */
  readonly cpuPerHop: number
}

export async function round(bench: Bench, prefetch: number, messages: number): Promise<Round> {
  await bench.load(prefetch, messages)
  const [startedAt, cpuBefore] = [performance.now(), process.cpuUsage()]
  await bench.drain()
  const [elapsedMs, cpu] = [performance.now() - startedAt, process.cpuUsage(cpuBefore)]
  const hops = messages * 2
  return { hopsPerSecond: (hops * 1_000) / elapsedMs, cpuPerHop: (cpu.user + cpu.system) / hops }
}

export async function startEchoWorker(): Promise<{ url: string; stop(): void }> {
  const file = fileURLToPath(new URL('echo-worker.js', import.meta.url))
  const child = spawn(process.execPath, [file], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return { url: line.toString().trim(), stop: () => child.stdin.end() }
}

/** `limit`: of the service that both nodes call. */
export async function ours(natsUrl: string, workerUrl: string, limit: Limit | null = null): Promise<Bench> {
  const queues = await openQueues({
    url: natsUrl,
    name: 'bench',
    namespace: `bench_${newId()}`,
    replicas: 1,
    log: silentLog,
  })
  const topologyId = newId()
  const nodeIds = new Map(['start', 'a', 'b'].map((name) => [name, newId()]))
  const [a, b] = [nodeIds.get('a') ?? '', nodeIds.get('b') ?? '']
  let revision = 0
  const put = async (prefetch: number): Promise<void> => {
    const plan = planOf(topologyId, nodeIds, ++revision, prefetch, limit !== null)
    await queues.control.ensure(plan)
    await queues.control.putPlan(plan)
    await queues.control.awaitApplied(topologyId, revision, 5_000)
  }
  await queues.control.putWorker({
    name: 'echo',
    urls: [workerUrl],
    dialect: 'native',
    version: 1,
    secret: null,
    timeoutMs: null,
  })
  if (limit !== null)
    await queues.control.putService({ name: 'echo', limits: [limit], maxInFlight: null, inFlightScope: 'global' })
  await put(20)
  const bridge = await openBridge({ queues, secretKey: 'bench', graceMs: 1_000, highWater: 10_000, log: silentLog })
  const bench: Bench = {
    async load(prefetch, messages) {
      await put(prefetch)
      await queues.control.setPaused(a, 'loading')
      await inPortions(messages, (run) => {
        const subject = `sluice.${topologyId}.${originOf(`load/${run}`)}.${laneTail(a, 0, 0)}`
        return queues.publisher.publish(subject, headerBlock([[envelopeHeader, envelopeOf(run)]]), body)
      })
    },
    async drain() {
      await queues.control.setPaused(a, null)
      await drained(queues.connection.jsm, streamName(topologyId), [laneConsumer(a, 0, 0), laneConsumer(b, 0, 0)])
    },
    async close() {
      await bridge.close()
      await queues.control.destroy(topologyId)
      await queues.close()
    },
  }
  await round(bench, 20, warmUp)
  return bench
}

function planOf(
  topologyId: string,
  nodeIds: ReadonlyMap<string, string>,
  revision: number,
  prefetch: number,
  isLimited: boolean,
): Plan {
  const node = { type: 'custom', worker: 'echo', prefetch, ...(isLimited && { service: 'echo' }) }
  const document = {
    name: 'bench',
    nodes: [
      { name: 'start', type: 'start' },
      { name: 'a', ...node },
      { name: 'b', ...node },
    ],
    edges: [
      { from: 'start', to: 'a' },
      { from: 'a', to: 'b' },
    ],
  } as TopologyDocument
  return compilePlan({ topologyId, revision, document, nodeIds, stored: new Map() })
}

function envelopeOf(run: string): string {
  return encodeEnvelope({
    id: run,
    run,
    from: 'start',
    created: new Date().toISOString(),
    ...untried,
    contentType: 'application/json',
  })
}

export async function naive(natsUrl: string, workerUrl: string): Promise<Bench> {
  const nc = await connect({ servers: natsUrl, noAsyncTraces: true })
  const jsm = await jetstreamManager(nc)
  const js = jsm.jetstream()
  let current = { bridge: await openNaive(nc, 'NAIVE', workerUrl), prefetch: 1 }
  const bench: Bench = {
    async load(prefetch, messages) {
      await current.bridge.close()
      current = { bridge: await openNaive(nc, 'NAIVE', workerUrl), prefetch }
      await inPortions(messages, () => js.publish('NAIVE.a', body))
    },
    async drain() {
      await current.bridge.run(current.prefetch)
      await drained(jsm, 'NAIVE', ['a', 'b'])
    },
    async close() {
      await current.bridge.close()
      await nc.close()
    },
  }
  await round(bench, 20, 2_000)
  return bench
}

async function inPortions(messages: number, publish: (run: string) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < messages; from += 500) {
    await Promise.all(Array.from({ length: Math.min(500, messages - from) }, () => publish(newId())))
  }
}

/** Both consumers have nothing to deliver and nothing held, the first one before the second. */
async function drained(jsm: JetStreamManager, stream: string, consumers: readonly string[]): Promise<void> {
  for (const name of consumers) {
    for (;;) {
      const info = await jsm.consumers.info(stream, name)
      if (info.num_pending === 0 && info.num_ack_pending === 0) break
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}
