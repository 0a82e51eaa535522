/** What a republish costs: how long the request takes, and what the messages that flow meanwhile notice of it. */
import { openBridge } from '../runtime/bridge/bridge.ts'
import type { Queues } from '../runtime/queue/open.ts'
import { silentLog } from '../runtime/telemetry/log.ts'
import { startEchoWorker } from './hops.ts'
import { timingOf } from './reads.ts'

interface Around {
  readonly call: (method: 'GET' | 'POST' | 'PATCH', path: string, json?: unknown) => Promise<unknown>
  readonly queues: Queues
}

/** Messages that are queued before each part is timed. */
const messages = 12_000
const republishes = 20
const rounds = 3

/** Publishes the topology `live` and leaves it published and empty. Lines to print. */
export async function timeRepublish({ call, queues }: Around): Promise<string[]> {
  const worker = await startEchoWorker()
  const bridge = await openBridge({ queues, secretKey: 'bench', graceMs: 1_000, highWater: 10_000, log: silentLog })
  try {
    await call('POST', '/api/workers', { name: 'echo', urls: [worker.url] })
    const node = { name: 'echo', type: 'custom', worker: 'echo', prefetch: 10 }
    const nodes = [{ name: 'start', type: 'start' }, node]
    await call('POST', '/api/topologies', { name: 'live', nodes, edges: [{ from: 'start', to: 'echo' }] })
    await call('POST', '/api/topologies/live/publish')
    await drained({ call, queues }, () => Promise.resolve())
    const [quiet, noisy, took]: [number[], number[], number[]] = [[], [], []]
    for (let n = 0; n < rounds; n++) {
      quiet.push(await drained({ call, queues }, () => Promise.resolve()))
      noisy.push(await drained({ call, queues }, async () => void took.push(...(await retuned(call)))))
    }
    const { p50, p95, p99 } = timingOf('republish', took)
    const ms = [p50, p95, p99].map((one) => one.toFixed(1).padStart(8)).join(' ')
    return [
      `${`republish while data flows, with a new prefetch`.padEnd(52)} ${ms}`,
      `messages per second: ${median(quiet).toFixed(0)} without a republish, ${median(noisy).toFixed(0)} with ${republishes} of them`,
    ]
  } finally {
    await bridge.close()
    worker.stop()
  }
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN

/** Milliseconds of each republish; spread over the time in which messages flow. */
async function retuned(call: Around['call']): Promise<number[]> {
  const { items } = (await call('GET', '/api/topologies/live/nodes')) as { items: { id: string }[] }
  const took: number[] = []
  for (let n = 0; n < republishes; n++) {
    await call('PATCH', `/api/nodes/${items[1]?.id ?? ''}`, { prefetch: 10 + (n % 2) })
    const begun = performance.now()
    await call('POST', '/api/topologies/live/republish')
    took.push(performance.now() - begun)
  }
  return took
}

/** Queues messages while the node rests, lets them flow, does `work` meanwhile, and returns messages per second. */
async function drained({ call, queues }: Around, work: () => Promise<void>): Promise<number> {
  const { id } = (await call('GET', '/api/topologies/live')) as { id: string }
  const { items } = (await call('GET', '/api/topologies/live/nodes')) as { items: { id: string }[] }
  const [start = '', echo = ''] = items.map((node) => node.id)
  await queues.control.setPaused(echo, 'loading')
  for (let sent = 0; sent < messages; sent += 500)
    await Promise.all(Array.from({ length: 500 }, () => startOne(queues, id, start)))
  await depth(call, (queued) => queued >= messages)
  const begun = performance.now()
  await queues.control.setPaused(echo, null)
  await work()
  await depth(call, (queued) => queued === 0)
  return (messages * 1_000) / (performance.now() - begun)
}

function startOne(queues: Queues, topologyId: string, nodeId: string): Promise<unknown> {
  const run = crypto.randomUUID()
  const body = Buffer.from(JSON.stringify({ text: 'x'.repeat(1_000) }))
  const message = { key: run, run, tenant: null, contentType: 'application/json', headers: {}, trace: null, body }
  return queues.control.start({ topologyId, nodeId, ...message })
}

async function depth(call: Around['call'], enough: (queued: number) => boolean): Promise<void> {
  for (;;) {
    const { items } = (await call('GET', '/api/queues?topology=live')) as { items: Record<string, number | string>[] }
    const at = items.find(({ node }) => node === 'echo')
    if (enough(Number(at?.pending ?? 0) + Number(at?.inFlight ?? 0))) return
  }
}
