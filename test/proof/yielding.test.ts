import { expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { items } from '../bridge/items.ts'
import { expectAll, listing, nowhere, once, openOther, openWorker, yields } from '../bridge/yielding/other.ts'

test('a bridge that yields takes up again when the one that could call is gone, and nothing is burnt', async () => {
  const engine = await listing(items(20, 4), [{ name: 'store', prefetch: 2, retry: once }])
  const open: (() => void)[] = []
  const worker = await openWorker(() => new Promise((resolve) => open.push(() => resolve({ status: 204 }))))
  await engine.setWorker(worker.url)
  const { url, port } = await nowhere()
  const lost = await openOther(engine, { url })
  await engine.start('{}')
  await eventually('it holds what it can not call', () => lost.held === 2)
  const good = await engine.openBridge()
  await eventually('it yields', () => yields(lost))
  await eventually('the other one calls', () => open.length === 2)
  for (const answer of open) answer()
  const closed = good.close()
  await eventually('two are called', () => worker.seen.length === 2)
  await closed
  await eventually('it takes up again', () => !yields(lost) && lost.held === 2, { timeoutMs: 15_000 })
  const back = await openWorker(() => ({ status: 204 }), port)
  await expectAll(engine, 20, [worker, back])
})

test('two bridges that both can not call a worker keep what they hold, and all flows when it is back', async () => {
  const engine = await listing(items(20, 4), [{ name: 'store', prefetch: 4, retry: once }])
  const { url, port } = await nowhere()
  await engine.setWorker(url)
  const bridges = [await engine.openBridge(), await engine.openBridge()]
  await engine.start('{}')
  const held = () => bridges.reduce((sum, bridge) => sum + bridge.held, 0)
  await eventually('both hold together what they may', () => held() === 4)
  let yielded = false
  const begun = performance.now()
  await eventually('they had time to yield', () => {
    yielded ||= bridges.some(yields)
    return performance.now() - begun > 6_000
  })
  expect(yielded).toBe(false)
  const worker = await openWorker(() => ({ status: 204 }), port)
  await expectAll(engine, 20, [worker])
})
