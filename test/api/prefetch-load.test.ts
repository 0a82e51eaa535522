import { setTimeout as wait } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { openBridge } from '../../runtime/bridge/bridge.ts'
import { newId } from '../../runtime/ids.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { eventually } from '../support/eventually.ts'
import { fakeWorker } from '../support/fake-worker.ts'
import { nodeOf, openApi, published, secretKey } from './open.ts'
import type { TestApi } from './open.ts'

/** A worker that takes its time at `a`, and counts the calls there that are open at once. */
async function countingWorker() {
  const a = { open: 0, most: 0, begun: 0, ended: 0 }
  const worker = await fakeWorker(async ({ node, body }) => {
    if (node !== 'a') return { status: 204 }
    a.begun++
    a.most = Math.max(a.most, ++a.open)
    await wait(10)
    a.open--
    a.ended++
    return { body, headers: { 'content-type': 'application/json' } }
  })
  onTestFinished(() => worker.close())
  const idsAt = (name: string) => worker.seen.filter(({ node }) => node === name).map(({ id }) => id)
  return { worker, a, idsAt }
}

async function bridges(t: TestApi, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const options = { queues: t.queues, secretKey, graceMs: 1_000, highWater: 10_000, log: silentLog }
    const bridge = await openBridge(options)
    onTestFinished(() => bridge.close())
  }
}

async function startMany(t: TestApi, topologyId: string, count: number): Promise<void> {
  const { id: nodeId } = await nodeOf(t, 'orders', 'start')
  const content = { tenant: null, contentType: 'application/json', headers: {}, trace: null, body: Buffer.from('1') }
  const runs = Array.from({ length: count }, () => newId())
  await Promise.all(runs.map((run) => t.queues.control.start({ topologyId, nodeId, key: run, run, ...content })))
}

test('prefetch goes up and down while data flows: the new value is kept, nothing is called twice, nothing is lost', async () => {
  const t = await openApi()
  const { worker, a, idsAt } = await countingWorker()
  const { id } = await published(t, 'orders', { b: { prefetch: 20 } })
  await t.send('PUT', '/api/workers/w', { json: { urls: [worker.url] } })
  await bridges(t, 2)
  const count = 1_000
  await startMany(t, id, count)
  const node = await nodeOf(t, 'orders', 'a')
  let before = 1
  for (const prefetch of [8, 1, 20, 3, 12]) {
    await t.send('PATCH', `/api/nodes/${node.id}`, { json: { prefetch } })
    expect((await t.post('/api/topologies/orders/republish')).body).toMatchObject({ bridges: { missing: [] } })
    // As many as were held by the old value are still called by it.
    const old = a.begun + before
    await eventually(`what was held before ${prefetch} is done`, () => a.ended >= old)
    a.most = a.open
    await eventually(`${prefetch} calls are open at once`, () => a.most >= prefetch)
    const seen = a.ended
    await eventually('more are called', () => a.ended >= seen + 3 * prefetch)
    expect([prefetch, a.most]).toEqual([prefetch, prefetch])
    before = prefetch
  }
  expect(a.ended).toBeLessThan(count)
  await eventually('all are through', () => idsAt('b').length >= count)
  expect([idsAt('a'), idsAt('b')].map((ids) => [ids.length, new Set(ids).size])).toEqual([
    [count, count],
    [count, count],
  ])
})
