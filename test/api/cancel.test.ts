import { expect, onTestFinished, test } from 'vitest'
import { openBridge } from '../../runtime/bridge/bridge.ts'
import { openRecorder } from '../../runtime/recorder/recorder.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { janitorOf } from '../queue/compact.ts'
import { eventually } from '../support/eventually.ts'
import { fakeWorker } from '../support/fake-worker.ts'
import type { Answer, FakeWorker, Seen } from '../support/fake-worker.ts'
import { openApi, published, secretKey } from './open.ts'
import type { Body, TestApi } from './open.ts'

/** An engine with a recorder, and the topology `orders` at a worker that answers as `script` says. */
async function orders(
  script: (request: Seen) => Answer | Promise<Answer>,
  more = {},
): Promise<{ t: TestApi; worker: FakeWorker }> {
  const t = await openApi()
  const janitor = janitorOf(t, { windowMs: 600_000, leastWindowMs: 600_000 })
  const recorder = await openRecorder({ ...t, janitor, log: silentLog })
  onTestFinished(() => recorder.close())
  const worker = await fakeWorker(script)
  onTestFinished(() => worker.close())
  await published(t, 'orders', more)
  await t.send('PUT', '/api/workers/w', { json: { urls: [worker.url] } })
  return { t, worker }
}

/** Without the reads of its manifest. */
const callsOf = ({ seen }: FakeWorker): Seen[] => seen.filter(({ node }) => node !== 'sluice-worker')

async function bridgeOf(t: TestApi): Promise<void> {
  const bridge = await openBridge({ queues: t.queues, secretKey, graceMs: 1_000, highWater: 10_000, log: silentLog })
  onTestFinished(() => bridge.close())
}

async function start(t: TestApi): Promise<string> {
  const { runId } = (await t.post('/api/topologies/orders/run', { body: 1 })).body
  await eventually('the run is listed', async () => (await t.get(`/api/runs/${runId}`)).status === 200)
  return runId
}

const ended = (t: TestApi, run: string): Promise<Body> =>
  eventually('the run has ended', async () => {
    const { body } = await t.get(`/api/runs/${run}`)
    return body.state !== 'running' && body
  })

test('a cancelled run ends as cancelled with its counters exact, and cancelling it again is fine', async () => {
  const { t, worker } = await orders(() => ({ status: 204 }))
  const run = await start(t)
  const first = await t.post(`/api/runs/${run}/cancel`)
  expect(first).toMatchObject({
    status: 202,
    body: { state: 'cancelling', note: expect.stringContaining('no bridge') as string },
  })
  expect((await t.get(`/api/runs/${run}`)).body).toMatchObject({
    cancelRequestedAt: expect.stringContaining('T') as string,
  })
  await bridgeOf(t)
  const messages = { total: 1, done: 0, failed: 0, discarded: 0, cancelled: 1, inProgress: 0 }
  expect(await ended(t, run)).toMatchObject({ state: 'cancelled', messages })
  const again = await t.post(`/api/runs/${run}/cancel`)
  expect(again).toMatchObject({ status: 202, body: { state: 'cancelled', note: null } })
  expect(callsOf(worker)).toHaveLength(0)
})

test('a run that is over cannot be cancelled, nor one that does not exist', async () => {
  const { t } = await orders(() => ({ status: 204 }))
  await bridgeOf(t)
  const run = await start(t)
  await ended(t, run)
  const answer = await t.post(`/api/runs/${run}/cancel`)
  expect(answer).toMatchObject({ status: 409, body: { detail: expect.stringContaining('finished already') as string } })
  expect((await t.post('/api/runs/nobody/cancel')).status).toBe(404)
})

test('a message that is delayed for an hour is cancelled at once', async () => {
  const retry = { attempts: 3, backoff: 'fixed', baseMs: 3_600_000, maxMs: 3_600_000 }
  const { t, worker } = await orders(() => ({ status: 500 }), { a: { prefetch: 2, retry } })
  await bridgeOf(t)
  const run = await start(t)
  await eventually('it was called', () => callsOf(worker).length === 1 && worker.open === 0)
  await t.post(`/api/runs/${run}/cancel`)
  expect(await ended(t, run)).toMatchObject({ state: 'cancelled', messages: { cancelled: 1, total: 1 } })
})

test('what a cancelled run has in Trash can be replayed when it has drained, and not before', async () => {
  let release = (): void => undefined
  const released = new Promise<void>((resolve) => (release = resolve))
  let answer: Answer = { status: 422 }
  const { t } = await orders(async ({ node, body }) => {
    if (node === 'a')
      return { body: '[1,2]', headers: { 'content-type': 'application/json', 'sluice-emit': 'records' } }
    if (body === '2') await released
    return body === '2' ? { status: 422 } : answer
  })
  await bridgeOf(t)
  const run = await start(t)
  const [row] = await eventually('one is in Trash', async () => {
    const { items } = (await t.get('/api/trash')).body
    return items.length === 1 && items
  })
  await t.post(`/api/runs/${run}/cancel`)
  expect((await t.post(`/api/trash/${row?.id}/replay`)).body.detail).toContain('being cancelled')
  release()
  expect(await ended(t, run)).toMatchObject({ state: 'cancelled', messages: { cancelled: 1, failed: 1, total: 2 } })
  answer = { status: 204 }
  await eventually('a replay is taken', async () => (await t.post(`/api/trash/${row?.id}/replay`)).status === 202)
  await eventually('it is done', async () => {
    const { messages } = (await t.get(`/api/runs/${run}`)).body
    expect(messages).toMatchObject({ done: 1, cancelled: 1, failed: 0, inProgress: 0 })
  })
})
