import { onTestFinished } from 'vitest'
import { openBridge } from '../../runtime/bridge/bridge.ts'
import type { Bridge } from '../../runtime/bridge/bridge.ts'
import { openQueues } from '../../runtime/queue/open.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { secretKey, startEngine } from '../support/engine.ts'
import type { TestEngine } from '../support/engine.ts'
import { fakeWorker } from '../support/fake-worker.ts'
import type { Answer, FakeWorker, Seen } from '../support/fake-worker.ts'
import { natsProxy } from '../support/nats-proxy.ts'
import type { NatsProxy } from '../support/nats-proxy.ts'

/** What a test opened, closed in reverse order when it is over. */
export const closing = {
  push(...opened: readonly { close(): Promise<void> | void }[]): void {
    for (const one of opened) onTestFinished(() => one.close())
  },
}

type FlowOptions = [
  nodes: Parameters<typeof startEngine>[0],
  script: (request: Seen, nth: number) => Answer | Promise<Answer>,
  edges?: Parameters<typeof startEngine>[1],
]

/** A worker that answers as `script` says, and an engine with these nodes; nothing flows without a bridge. */
export async function withoutBridge(
  ...[nodes, script, edges]: FlowOptions
): Promise<{ engine: TestEngine; worker: FakeWorker }> {
  const worker = await fakeWorker(script)
  closing.push(worker)
  const engine = await startEngine(nodes, edges)
  closing.push(engine)
  await engine.setWorker(worker.url)
  return { engine, worker }
}

/** The same with a bridge. */
export async function flow(...options: FlowOptions): Promise<{ engine: TestEngine; worker: FakeWorker }> {
  const { engine, worker } = await withoutBridge(...options)
  await engine.openBridge()
  return { engine, worker }
}

/** A bridge whose connection to NATS can be cut. */
export async function openCuttable(
  { namespace }: TestEngine,
  natsUrl?: string,
): Promise<{ bridge: Bridge; proxy: NatsProxy; mended: () => Promise<void> }> {
  const proxy = await natsProxy(natsUrl)
  const queues = await openQueues({ url: proxy.url, name: 'cuttable', namespace, replicas: 1, log: silentLog })
  const bridge = await openBridge({ queues, secretKey, graceMs: 1_000, highWater: 10_000, log: silentLog })
  closing.push(proxy, queues, bridge)
  const mended = (): Promise<void> => {
    proxy.mend()
    return queues.connection.whenConnected()
  }
  return { bridge, proxy, mended }
}

export const echo = (request: Seen): Answer => ({ headers: { 'content-type': 'application/json' }, body: request.body })
export const fast = { attempts: 3, backoff: 'fixed', baseMs: 1, maxMs: 1 } as const
export const records = (items: unknown[], cursor?: string): Answer => ({
  headers: {
    'content-type': 'application/json',
    'sluice-emit': 'records',
    ...(cursor === undefined ? {} : { 'sluice-cursor': cursor }),
  },
  body: JSON.stringify(items),
})
