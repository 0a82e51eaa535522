/** What a republish costs: how long the request takes, and what the messages that flow meanwhile notice of it. */
import { setTimeout as wait } from 'node:timers/promises'
import { openBridge } from '../runtime/bridge/bridge.ts'
import type { Queues } from '../runtime/queue/open.ts'
import { silentLog } from '../runtime/telemetry/log.ts'
import { startEchoWorker } from './hops.ts'
import { timingOf } from './reads.ts'

interface Around {
  readonly call: (method: 'GET' | 'POST' | 'PATCH', path: string, json?: unknown) => Promise<unknown>
  readonly queues: Queues
}

/** Messages that are queued before it is timed: more than flow in all slots together, whatever the machine. */
const messages = 40_000
/** Slots in pairs: one that begins with a republish, and one without; which of them is first changes from pair to pair. */
const pairs = 10
const slotMs = 400

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
    const [start = '', echo = ''] = (await nodesOf(call)).map(({ id }) => id)
    await load({ call, queues }, start, echo)
    const flow = await flowing(worker.url, (n) => retuned(call, echo, n))
    await depth(call, (queued) => queued === 0)
    const { p50, p95, p99 } = timingOf('republish', flow.took)
    const ms = [p50, p95, p99].map((one) => one.toFixed(1).padStart(8)).join(' ')
    const [quiet, busy] = [flow.quiet, flow.busy].map((calls) => (sum(calls) * 1_000) / (calls.length * slotMs))
    const percent = flow.busy.map((calls, n) => (100 * calls) / (flow.quiet[n] ?? NaN))
    return [
      `${'republish while data flows, with a new prefetch'.padEnd(52)} ${ms}`,
      `messages a second in slots of ${slotMs} ms: ${quiet?.toFixed(0)} without, ${busy?.toFixed(0)} with a republish in it`,
      `with a republish as percent of without, pair by pair: ${percent.map((one) => one.toFixed(0)).join(' ')}`,
    ]
  } finally {
    await bridge.close()
    worker.stop()
  }
}

const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0)

async function nodesOf(call: Around['call']): Promise<{ id: string }[]> {
  return ((await call('GET', '/api/topologies/live/nodes')) as { items: { id: string }[] }).items
}

/** Milliseconds of one republish. */
async function retuned(call: Around['call'], nodeId: string, n: number): Promise<number> {
  await call('PATCH', `/api/nodes/${nodeId}`, { prefetch: 10 + (n % 2) })
  const begun = performance.now()
  await call('POST', '/api/topologies/live/republish')
  return performance.now() - begun
}

interface Flow {
  /** Calls of the worker in each slot without a republish, and in the one with it beside it. */
  readonly quiet: readonly number[]
  readonly busy: readonly number[]
  readonly took: readonly number[]
}

/** Counts the worker's calls in slots, in every other of which something is done at the beginning. */
async function flowing(workerUrl: string, work: (n: number) => Promise<number>): Promise<Flow> {
  const calls = async (): Promise<number> => Number(await (await fetch(`${workerUrl}/calls`)).text())
  const flow = { quiet: [] as number[], busy: [] as number[], took: [] as number[] }
  for (let n = 0; n < pairs * 2; n++) {
    const isBusy = n % 4 === 0 || n % 4 === 3
    const before = await calls()
    const over = wait(slotMs)
    if (isBusy) flow.took.push(await work(n))
    await over
    ;(isBusy ? flow.busy : flow.quiet).push((await calls()) - before)
  }
  return flow
}

/** Queues the messages while the node rests, then lets them flow, for a second first. */
async function load({ call, queues }: Around, start: string, echo: string): Promise<void> {
  const { id } = (await call('GET', '/api/topologies/live')) as { id: string }
  await queues.control.setPaused(echo, 'loading')
  for (let sent = 0; sent < messages; sent += 500)
    await Promise.all(Array.from({ length: 500 }, () => startOne(queues, id, start)))
  await depth(call, (queued) => queued >= messages)
  await queues.control.setPaused(echo, null)
  await wait(1_000)
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
    await wait(20)
  }
}
