import { randomInt } from 'node:crypto'
import { expect, inject } from 'vitest'
import { openBridge } from '../../../runtime/bridge/bridge.ts'
import type { Bridge } from '../../../runtime/bridge/bridge.ts'
import { openQueues } from '../../../runtime/queue/open.ts'
import type { Queues } from '../../../runtime/queue/open.ts'
import { encryptSecret } from '../../../runtime/secrets.ts'
import { silentLog } from '../../../runtime/telemetry/log.ts'
import type { WorkerAddress } from '../../../runtime/topology/plan.ts'
import { isDrained, secretKey, startEngine } from '../../support/engine.ts'
import type { TestEngine } from '../../support/engine.ts'
import { fakeWorker } from '../../support/fake-worker.ts'
import type { Answer, FakeWorker, Seen } from '../../support/fake-worker.ts'
import { overriding } from '../../support/overriding.ts'
import { closing, fast, records } from '../flow.ts'

type Nodes = Parameters<typeof startEngine>[0]
type Watch = Queues['config']['config']['watch']
type Watching = Awaited<ReturnType<Watch>>

/**
 * A batch node at a worker of its own that gives these items to the nodes, one after the other or each all of them; their worker `w`
 * is where `setWorker` says.
 */
export async function listing(given: unknown[], nodes: Nodes, to: 'chain' | 'each' = 'chain'): Promise<TestEngine> {
  const source = await fakeWorker(() => records(given))
  closing.push(source)
  const ways = nodes.map(({ name = '' }) => ({ from: 'list', to: name }))
  const edges = to === 'each' ? [{ from: 'start', to: 'list' }, ...ways] : undefined
  const engine = await startEngine([{ name: 'list', type: 'batch', worker: 'source' }, ...nodes], edges)
  closing.push(engine)
  await engine.queues.control.putWorker({ ...address('source', source.url), secret: null })
  return engine
}

export async function openWorker(
  script: (request: Seen) => Answer | Promise<Answer> = () => ({ status: 204 }),
  port = 0,
  health?: () => Answer,
): Promise<FakeWorker> {
  const worker = await fakeWorker(script, port, health)
  closing.push(worker)
  return worker
}

/** A bridge with a connection of its own, to which the worker `w` is where `url` says, or that has another secret key. */
export async function openOther(
  { namespace }: TestEngine,
  { url, key = secretKey }: { readonly url?: string; readonly key?: string },
): Promise<Bridge> {
  const queues = await openQueues({ url: inject('natsUrl'), name: 'other', namespace, replicas: 1, log: silentLog })
  const config = { ...queues.config, config: url === undefined ? queues.config.config : withUrl(queues, url) }
  const options = { secretKey: key, graceMs: 1_000, highWater: 10_000, log: silentLog }
  const bridge = await openBridge({ queues: { ...queues, config }, ...options })
  closing.push(queues, bridge)
  return bridge
}

function withUrl({ config: { config } }: Queues, url: string): Queues['config']['config'] {
  const watch: Watch = async (...options) => {
    const entries = await config.watch(...options)
    const changed = async function* () {
      for await (const entry of entries)
        yield entry.key === 'worker.w' ? overriding(entry, { string: () => moved(entry.string(), url) }) : entry
    }
    return { stop: () => entries.stop(), [Symbol.asyncIterator]: changed } as unknown as Watching
  }
  return overriding(config, { watch })
}

const moved = (worker: string, url: string): string =>
  JSON.stringify({ ...(JSON.parse(worker) as WorkerAddress), urls: [url] })

/** Puts the worker `w` there, with a secret that only bridges with the key of the tests can open. */
export function putSecretWorker({ queues }: TestEngine, url: string): Promise<void> {
  return queues.control.putWorker({ ...address('w', url), secret: encryptSecret(secretKey, 'the secret') })
}

function address(name: string, url: string) {
  return { name, urls: [url], dialect: 'native', version: 1, timeoutMs: null } as const
}

/** URL of a port where nobody listens, and the port: none of those that a system gives to others that ask for any. */
export async function nowhere(): Promise<{ readonly url: string; readonly port: number }> {
  const free = await fakeWorker(() => ({ status: 204 }), randomInt(20_000, 32_000)).catch(() => null)
  if (free === null) return nowhere()
  await free.close()
  return { url: free.url, port: Number(new URL(free.url).port) }
}

/** One call, and no other. */
export const once = { ...fast, attempts: 1 }
export const yields = (bridge: Bridge): boolean => bridge.troubles().some(({ yielding }) => yielding)

/** Everything ended, nothing went to Trash, and no message was called twice. */
export async function expectAll(engine: TestEngine, count: number, workers: readonly FakeWorker[]): Promise<void> {
  const outcomes = await engine.outcomesUntil(isDrained)
  expect(outcomes.filter(({ kind }) => kind === 'trashed')).toEqual([])
  const seen = workers.flatMap((worker) => worker.seen)
  expect(new Set(seen.map(({ id }) => id)).size).toBe(count)
  expect(seen.map(({ headers }) => headers['sluice-attempt'])).toEqual(new Array(count).fill('1;max=1'))
}
