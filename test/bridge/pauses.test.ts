import { expect, test } from 'vitest'
import { isDrained } from '../support/engine.ts'
import type { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { flow, openCuttable, withoutBridge } from './flow.ts'

/** Start → a → b at a worker that takes everything, and no bridge yet. */
async function takingAll() {
  const { engine, worker } = await withoutBridge([{ name: 'a' }, { name: 'b' }], (request) =>
    request.node === 'a' ? { body: request.body } : { status: 204 },
  )
  return { engine, worker, nodes: () => worker.seen.map(({ node }) => node) }
}

const isHeld = async ({ queues, plan, id }: TestEngine, node: string): Promise<boolean> => {
  const depths = await queues.control.depths(plan)
  return depths.find(({ nodeId }) => nodeId === id(node))?.inFlight === 1
}

test('a paused topology takes starts and keeps them before its first node, also at a bridge that starts later', async () => {
  const { engine, nodes } = await takingAll()
  const { control } = engine.queues
  await control.setTopologyPaused(engine.plan.topologyId, 'paused by a person')
  await engine.openBridge()
  await engine.start('1')
  await eventually('the start is held', () => isHeld(engine, 'start'))
  expect(nodes()).toEqual([])
  await control.setTopologyPaused(engine.plan.topologyId, null)
  await engine.outcomesUntil(isDrained)
  expect(nodes()).toEqual(['a', 'b'])
})

test('a topology that goes on leaves a node paused that was paused by itself', async () => {
  const { engine, nodes } = await takingAll()
  const { control } = engine.queues
  await control.setPaused(engine.id('b'), 'because')
  await control.setTopologyPaused(engine.plan.topologyId, 'paused by a person')
  await engine.openBridge()
  await engine.start('1')
  await control.setTopologyPaused(engine.plan.topologyId, null)
  await eventually('the message is held before b', () => isHeld(engine, 'b'))
  expect(nodes()).toEqual(['a'])
  await control.setPaused(engine.id('b'), null)
  await engine.outcomesUntil(isDrained)
  expect(nodes()).toEqual(['a', 'b'])
})

test('a pause during which a bridge has no connection is seen by it when it comes back, and so is its end', async () => {
  const { engine, nodes } = await takingAll()
  const { control } = engine.queues
  const { bridge, proxy, mended } = await openCuttable(engine)
  proxy.cut()
  await eventually('the bridge is away', () => !bridge.ready)
  await control.setPaused(engine.id('b'), 'because')
  await engine.start('1')
  await mended()
  await eventually('the message is held before b', () => isHeld(engine, 'b'))
  expect(nodes()).toEqual(['a'])
  proxy.cut()
  await eventually('the bridge is away again', () => !bridge.ready)
  await control.setPaused(engine.id('b'), null)
  expect(nodes()).toEqual(['a'])
  await mended()
  await engine.outcomesUntil(isDrained)
  expect(nodes()).toEqual(['a', 'b'])
})

test('a worker that refuses while NATS is away pauses the node for all bridges when NATS is back', async () => {
  let answer = (): void => undefined
  const answered = new Promise<void>((resolve) => (answer = resolve))
  const { engine, worker } = await withoutBridge([{ name: 'a' }], async () => {
    await answered
    return { status: 410, headers: { 'sluice-retired': '1' } }
  })
  const { bridge, proxy, mended } = await openCuttable(engine)
  await engine.start('1')
  await eventually('the call is open', () => worker.open === 1)
  proxy.cut()
  await eventually('the bridge is away', () => !bridge.ready)
  answer()
  await eventually('the call is answered', () => worker.open === 0)
  await mended()
  await eventually('the pause is stored', async () =>
    (await engine.queues.control.paused()).get(engine.id('a'))?.includes('retired'),
  )
})

test.each([
  ['refuses the signature', 401, { 'sluice-signature': 'refused' }],
  ['says that the node is retired', 410, { 'sluice-retired': '1' }],
] as const)(
  'when the worker %s the message is kept, and called again at once when the node is resumed',
  async (_what, status, headers) => {
    const { engine, worker } = await flow([{ name: 'a', retry: { attempts: 1 } }], (_request, nth) =>
      nth === 1 ? { status, headers } : { status: 204 },
    )
    await engine.start('1')
    await eventually('the node is paused', async () => (await engine.queues.control.paused()).has(engine.id('a')))
    const resumedAt = performance.now()
    await engine.queues.control.setPaused(engine.id('a'), null)
    await eventually('the message is called again', () => worker.seen.length === 2)
    expect(performance.now() - resumedAt).toBeLessThan(1_000)
    const outcomes = await engine.outcomesUntil(isDrained)
    expect(outcomes.map(({ kind }) => kind)).toEqual(['started', 'ended'])
    expect(worker.seen.map(({ headers: sent }) => sent['sluice-attempt'])).toEqual(['1;max=1', '1;max=1'])
  },
)
