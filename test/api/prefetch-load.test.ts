import { expect, onTestFinished, test } from 'vitest'
import { openBridge } from '../../runtime/bridge/bridge.ts'
import { newId } from '../../runtime/ids.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { eventually } from '../support/eventually.ts'
import { fakeWorker } from '../support/fake-worker.ts'
import { nodeOf, openApi, published, secretKey } from './open.ts'
import type { TestApi } from './open.ts'

/** A worker whose calls at `a` stay open until all that are open are let go; counts them. */
async function holdingWorker() {
  const held: (() => void)[] = []
  const a = { most: 0, begun: 0, ended: 0, open: () => held.length, letGo: () => held.splice(0).forEach((go) => go()) }
  const worker = await fakeWorker(async ({ node, body }) => {
    if (node !== 'a') return { status: 204 }
    a.begun++
    await new Promise<void>((resolve) => {
      a.most = Math.max(a.most, held.push(resolve))
    })
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
  const { worker, a, idsAt } = await holdingWorker()
  const { id } = await published(t, 'orders', { b: { prefetch: 20 } })
  await t.send('PUT', '/api/workers/w', { json: { urls: [worker.url] } })
  await bridges(t, 2)
  const count = 500
  await startMany(t, id, count)
  const node = await nodeOf(t, 'orders', 'a')
  let before = 1
  for (const prefetch of [8, 1, 20, 3, 12]) {
    await t.send('PATCH', `/api/nodes/${node.id}`, { json: { prefetch } })
    expect((await t.post('/api/topologies/orders/republish')).body).toMatchObject({ bridges: { missing: [] } })
    // As many as were held by the old value are still called by it.
    const old = a.begun + before
    await eventually(`what was held before ${prefetch} is done`, () => {
      a.letGo()
      return a.ended >= old
    })
    a.most = a.open()
    for (let round = 0; round < 4; round++) {
      await eventually(`${prefetch} calls are open at once`, () => a.open() >= prefetch)
      a.letGo()
    }
    expect([prefetch, a.most]).toEqual([prefetch, prefetch])
    before = prefetch
  }
  expect(a.ended).toBeLessThan(count)
  await eventually('all are through', () => {
    a.letGo()
    return idsAt('b').length >= count
  })
  expect([idsAt('a'), idsAt('b')].map((ids) => [ids.length, new Set(ids).size])).toEqual([
    [count, count],
    [count, count],
  ])
})
