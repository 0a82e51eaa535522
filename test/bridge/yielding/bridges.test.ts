import { openMetrics } from '../../../runtime/telemetry/metrics.ts'
import { expect, test } from 'vitest'
import { healthOf } from '../../../runtime/commands/bridge.ts'
import { eventually } from '../../support/eventually.ts'
import { expectInOrder, items } from '../items.ts'
import { expectAll, listing, nowhere, once, openOther, openWorker, putSecretWorker, yields } from './other.ts'

test('a bridge whose connections are refused gives what it holds to one that can call, and takes it again when it can', async () => {
  const nodes = [
    { name: 'parallel', prefetch: 3 },
    { name: 'ordered', prefetch: 1 },
    { name: 'lanes', partitions: 4, partitionKey: '/customer' },
  ].map((node) => ({ ...node, retry: once }))
  const engine = await listing(items(40, 12), nodes, 'each')
  const worker = await openWorker(undefined, 0, () => ({ status: 200 }))
  await engine.setWorker(worker.url)
  const { url, port } = await nowhere()
  const lost = await openOther(engine, { url })
  await engine.start('{}')
  await eventually('it holds what it can not call', () => lost.held === 3 + 1 + 4)
  const good = await engine.openBridge()
  await expectAll(engine, 3 * 40, [worker])
  for (const name of ['ordered', 'lanes']) expectInOrder(worker.seen, name, 40)
  expect([yields(lost), lost.held]).toEqual([true, 0])

  const back = await openWorker(undefined, port, () => ({ status: 200 }))
  await eventually('it can call', () => lost.troubles().length === 0)
  await good.close()
  await engine.start('{}')
  await eventually('all were called', () => back.seen.length === 3 * 40)
})

test('a bridge with another secret key leaves the messages of a worker that has a secret to one that can open it', async () => {
  const engine = await listing(items(40, 12), [{ name: 'store', prefetch: 3, retry: once }])
  const worker = await openWorker()
  await putSecretWorker(engine, worker.url)
  const lost = await openOther(engine, { key: 'quite another key for this bridge' })
  await engine.start('{}')
  await eventually('it holds what it can not call', () => lost.held === 3)
  const reason = expect.stringContaining('the secret is encrypted with another key') as string
  await eventually('it says why', () => expect(lost.troubles()).toMatchObject([{ worker: 'w', reason }]))
  await engine.openBridge()
  await expectAll(engine, 40, [worker])
  expect(yields(lost)).toBe(true)
  const ready = await healthOf(lost, engine.queues, openMetrics())(new Request('http://bridge/readyz'))
  expect(ready.status).toBe(200)
  expect(await ready.json()).toMatchObject({ status: 'ready', trouble: [{ worker: 'w', reason, yielding: true }] })
})
