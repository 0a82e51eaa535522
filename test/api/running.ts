import { onTestFinished } from 'vitest'
import { openSweep } from '../../runtime/api/api.ts'
import { openBridge } from '../../runtime/bridge/bridge.ts'
import { openRecorder } from '../../runtime/recorder/recorder.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { janitorOf } from '../queue/compact.ts'
import { eventually } from '../support/eventually.ts'
import { fakeWorker } from '../support/fake-worker.ts'
import type { Answer, FakeWorker, Seen } from '../support/fake-worker.ts'
import { openApi, published, secretKey } from './open.ts'
import type { Body, TestApi } from './open.ts'

/** A whole control, and the topology `orders` (start → a → b) at a worker that answers as `script` says. */
export async function orders(
  script: (request: Seen) => Answer | Promise<Answer>,
  more = {},
): Promise<{ t: TestApi; worker: FakeWorker }> {
  const t = await openApi()
  const janitor = janitorOf(t, { windowMs: 600_000, leastWindowMs: 600_000 })
  const recorder = await openRecorder({ ...t, janitor, log: silentLog })
  onTestFinished(() => recorder.close())
  const sweep = openSweep({ store: t.store, queues: t.queues.control, events: t.queues.events, log: silentLog })
  onTestFinished(() => sweep.close())
  const worker = await fakeWorker(script)
  onTestFinished(() => worker.close())
  await published(t, 'orders', more)
  await t.send('PUT', '/api/workers/w', { json: { urls: [worker.url] } })
  return { t, worker }
}

/** Calls of a worker, without the reads of its manifest. */
export const callsOf = ({ seen }: FakeWorker): Seen[] => seen.filter(({ node }) => node !== 'sluice-worker')

export async function bridgeOf(t: TestApi): Promise<void> {
  const bridge = await openBridge({ queues: t.queues, secretKey, graceMs: 1_000, highWater: 10_000, log: silentLog })
  onTestFinished(() => bridge.close())
}

/** Starts a run of `orders` and waits until it is listed. */
export async function start(t: TestApi, body: unknown = 1, tenant?: string): Promise<string> {
  const { runId } = (await t.post('/api/topologies/orders/run', { body, tenant })).body
  await eventually('the run is listed', async () => (await t.get(`/api/runs/${runId}`)).status === 200)
  return runId
}

export const ended = (t: TestApi, run: string): Promise<Body> =>
  eventually('the run has ended', async () => {
    const { body } = await t.get(`/api/runs/${run}`)
    return body.state !== 'running' && body
  })
