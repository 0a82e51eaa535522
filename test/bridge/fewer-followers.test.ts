import { expect, test } from 'vitest'
import type { Plan, PlanNode } from '../../runtime/topology/plan.ts'
import { isDrained } from '../support/engine.ts'
import type { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import type { Seen } from '../support/fake-worker.ts'
import { echo, withoutBridge } from './flow.ts'

const mark = 2

/** Puts the plan in force without this edge, as a person who takes it out of the graph. */
async function withoutEdge(engine: TestEngine, from: string, to: string, revision = 2): Promise<void> {
  const without = (node: PlanNode): PlanNode =>
    node.name === from ? { ...node, followers: node.followers.filter((id) => id !== engine.id(to)) } : node
  const plan: Plan = { ...engine.plan, revision, nodes: engine.plan.nodes.map(without) }
  await engine.queues.control.ensure(plan)
  await engine.queues.control.putPlan(plan)
  const { missing } = await engine.queues.control.awaitApplied(plan.topologyId, revision, 5_000)
  expect(missing).toEqual([])
}

/** What is before a node, and what of it lies in the splitter. */
async function depthOf({ queues, plan, id }: TestEngine, name: string): Promise<{ pending: number; replies: number }> {
  const depths = await queues.control.depths(plan)
  return depths.find(({ nodeId }) => nodeId === id(name)) ?? { pending: 0, replies: 0 }
}

/**
 * `from` leads to `store` and to `audit`, which rests, so that replies are held back by the high-water mark. Then the edge to it is
 * taken out and more is started.
 */
async function changedUnderAHeldSplitter(engine: TestEngine, from: string): Promise<void> {
  await engine.openBridge({ highWater: mark })
  await engine.openBridge({ highWater: mark })
  await engine.queues.control.setPaused(engine.id('audit'), 'paused by a person')
  for (let n = 0; n < 10; n++) await engine.start(String(n))
  await eventually('replies are held back', async () => (await depthOf(engine, from)).replies > 3)
  await withoutEdge(engine, from, 'audit')
  for (let n = 10; n < 30; n++) await engine.start(String(n))
  expect((await depthOf(engine, from)).replies).toBeGreaterThan(0)
  await engine.queues.control.setPaused(engine.id('audit'), null)
  await engine.outcomesUntil((all) => isDrained(all) && all.filter(({ kind }) => kind === 'started').length === 30)
}

const numbersAt = (seen: readonly Seen[], name: string): number[] =>
  seen.filter(({ node }) => node === name).map(({ body }) => Number(body))

const all = Array.from({ length: 30 }, (_, n) => n)

/** An ordered node with two followers. */
const fanOut = (): ReturnType<typeof withoutBridge> =>
  withoutBridge(
    [{ name: 'fan' }, { name: 'store' }, { name: 'audit' }],
    (request) => (request.node === 'fan' ? echo(request) : { status: 204 }),
    [
      { from: 'start', to: 'fan' },
      { from: 'fan', to: 'store' },
      { from: 'fan', to: 'audit' },
    ],
  )

test('what a start node forwards by a new graph does not overtake what the old one left in its splitter', async () => {
  const { engine, worker } = await withoutBridge([{ name: 'store' }, { name: 'audit' }], () => ({ status: 204 }), [
    { from: 'start', to: 'store' },
    { from: 'start', to: 'audit' },
  ])
  await changedUnderAHeldSplitter(engine, 'start')
  expect(numbersAt(worker.seen, 'store')).toEqual(all)
})

test('what an ordered node forwards by a new graph does not overtake what the old one left in its splitter', async () => {
  const { engine, worker } = await fanOut()
  await changedUnderAHeldSplitter(engine, 'fan')
  expect(numbersAt(worker.seen, 'store')).toEqual(all)
  // None is called again for it.
  expect(numbersAt(worker.seen, 'fan')).toEqual(all)
})

test('a run whose message waits for its splitter under a new graph is cancelled at once', async () => {
  const { engine, worker } = await fanOut()
  await engine.openBridge({ highWater: mark })
  const { control } = engine.queues
  await control.setPaused(engine.id('audit'), 'paused by a person')
  for (let n = 0; n < 10; n++) await engine.start(String(n))
  await eventually('replies are held back', async () => (await depthOf(engine, 'fan')).replies > 3)
  await withoutEdge(engine, 'fan', 'audit')
  const called = worker.seen.length
  const run = await engine.start('99')
  await control.cancel(engine.plan.topologyId, run)
  await engine.outcomesUntil((outcomes) => outcomes.some((one) => one.kind === 'ended' && one.run === run))
  expect(numbersAt(worker.seen.slice(called), 'fan')).not.toContain(99)
  await control.setPaused(engine.id('audit'), null)
  await engine.outcomesUntil(isDrained)
})
