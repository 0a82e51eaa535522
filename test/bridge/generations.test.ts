import { expect, test } from 'vitest'
import { openBridge } from '../../runtime/bridge/bridge.ts'
import { laneOf } from '../../runtime/protocol/lane.ts'
import { untried } from '../../runtime/protocol/message.ts'
import { encodeEnvelope, envelopeHeader } from '../../runtime/queue/envelope.ts'
import { generationFilter, laneTail, originOf, streamName } from '../../runtime/queue/names.ts'
import type { Queues } from '../../runtime/queue/open.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { carryGenerations } from '../../runtime/topology/lanes/generations.ts'
import type { Plan, PlanNode, WorkerNode } from '../../runtime/topology/plan.ts'
import { isDrained, secretKey, startEngine } from '../support/engine.ts'
import type { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { fakeWorker } from '../support/fake-worker.ts'
import { closing, echo, fast, records, withoutBridge } from './flow.ts'
import { expectInOrder, itemOf, items } from './items.ts'

/** The plan after `before` in which the node `store` has so many partitions. */
function withPartitions(before: Plan, partitions: number): Plan {
  const change = (node: PlanNode): PlanNode => (node.name === 'store' ? { ...node, partitions } : node) as PlanNode
  const plan = { ...before, revision: before.revision + 1, nodes: before.nodes.map(change) }
  return carryGenerations(plan, before, new Date().toISOString())
}

async function put(engine: TestEngine, plan: Plan): Promise<void> {
  await engine.queues.control.ensure(plan)
  await engine.queues.control.putPlan(plan)
}

async function storedIn(engine: TestEngine, generation: number): Promise<number> {
  const info = await engine.queues.connection.jsm.streams.info(streamName(engine.plan.topologyId), {
    subjects_filter: generationFilter(engine.plan.topologyId, engine.id('store'), generation),
  })
  return Object.keys(info.state.subjects ?? {}).length
}

/** Configuration whose plans come to who watches it only when `release` is called; everything else comes at once. */
function withholding(config: Queues['config']): { config: Queues['config']; hold(): void; release(): void } {
  let release = (): void => undefined
  let gate: Promise<void> | null = null
  const watch: typeof config.config.watch = async (options) => {
    const entries = await config.config.watch(options)
    async function* held() {
      for await (const entry of entries) {
        if (gate !== null && entry.key.startsWith('plan.')) await gate
        yield entry
      }
    }
    return Object.assign(held(), { stop: () => entries.stop() }) as unknown as typeof entries
  }
  return {
    config: { ...config, config: Object.assign(Object.create(config.config) as typeof config.config, { watch }) },
    hold() {
      gate = new Promise((resolve) => (release = resolve))
    },
    release: () => release(),
  }
}

test('the number of partitions changes twice under load: nothing is lost, doubled or out of order per key', async () => {
  const worker = await fakeWorker((request, nth) => {
    const page = Number(request.headers['sluice-page'])
    if (request.node === 'list') return records(items(40, 10, page * 40), page < 5 ? String(page + 1) : undefined)
    if (request.node === 'pass') return echo(request)
    return { status: itemOf(request).n % 11 === 5 && nth < 3 ? 503 : 204, afterMs: itemOf(request).n % 4 }
  })
  closing.push(worker)
  const store = { name: 'store', partitions: 4, partitionKey: '/customer', retry: fast }
  const engine = await startEngine([{ name: 'list', type: 'batch' }, { name: 'pass' }, store])
  closing.push(engine)
  await engine.setWorker(worker.url)
  await engine.openBridge()
  await engine.openBridge()
  await engine.start('{}')
  let plan = engine.plan
  for (const [partitions, after] of [
    [16, 40],
    [3, 100],
  ] as const) {
    await eventually(`${after} are stored`, () => worker.seen.filter(({ node }) => node === 'store').length >= after)
    plan = withPartitions(plan, partitions)
    await put(engine, plan)
  }
  const outcomes = await engine.outcomesUntil(isDrained)
  expect(outcomes.filter(({ kind }) => kind === 'ended')).toHaveLength(240)
  expectInOrder(worker.seen, 'store', 240)
  const stored = await Promise.all([0, 2, 3].map((generation) => storedIn(engine, generation)))
  expect(stored.reduce((sum, one) => sum + one)).toBe(240)
  expect(stored[2]).toBeGreaterThan(0)
})

test('a bridge sends into new lanes only when every other one knows of them', async () => {
  const { engine } = await withoutBridge([{ name: 'store', partitions: 4 }], () => ({ status: 204 }))
  await engine.openBridge()
  const late = withholding(engine.queues.config)
  const queues = { ...engine.queues, config: late.config }
  closing.push(await openBridge({ queues, secretKey, graceMs: 1_000, highWater: 10_000, log: silentLog }))
  const startSome = async (): Promise<void> => {
    for (let n = 0; n < 10; n++) await engine.start(String(n))
  }
  late.hold()
  const plan = withPartitions(engine.plan, 8)
  await put(engine, plan)
  const { topologyId } = plan
  await eventually('one bridge has the plan, the other has not', async () => {
    const { applied, missing } = await engine.queues.control.awaitApplied(topologyId, 2, 0)
    return applied.length === 1 && missing.length === 1
  })
  await startSome()
  await engine.outcomesUntil((all) => isDrained(all) && all.length === 20)
  expect([await storedIn(engine, 0), await storedIn(engine, 2)]).toEqual([10, 0])
  late.release()
  await eventually('both send into the new lanes', async () => {
    const before = await storedIn(engine, 0)
    await startSome()
    await eventually(
      'they are done',
      async () => (await storedIn(engine, 0)) + (await storedIn(engine, 2)) >= before + 10,
    )
    return (await storedIn(engine, 0)) === before
  })
  await engine.outcomesUntil(isDrained)
})

test('what bridges sent into lanes of several generations is called in the order in which it was stored, per key', async () => {
  const { engine, worker } = await withoutBridge([{ name: 'store', partitions: 4, retry: fast }], (request, nth) => ({
    status: itemOf(request).n % 5 === 2 && nth < 2 ? 503 : 204,
    afterMs: itemOf(request).n % 3,
  }))
  const plan = withPartitions(withPartitions(engine.plan, 2), 8)
  await put(engine, plan)
  const node = plan.nodes.find(({ name }) => name === 'store') as WorkerNode
  for (const { customer, n } of items(60, 7)) {
    // Now the one generation, now the other, as bridges do that get plans at different times.
    const { generation, partitions } = [...node.past, node][(n * 7) % 3] ?? node
    const message = { ...untried, id: `m${n}`, run: 'r', from: 'start', created: '', key: customer, contentType: 'a/b' }
    const body = Buffer.from(JSON.stringify({ customer, n }))
    const tail = laneTail(node.id, generation, laneOf(null, partitions, { ...message, body }))
    const headers = [[envelopeHeader, encodeEnvelope(message)]] as const
    await engine.queues.guard.publish(
      { topologyId: plan.topologyId, origin: originOf(`o${n}`), tail, headers, body },
      null,
    )
  }
  await engine.openBridge()
  await engine.openBridge()
  await eventually('all are settled', async () => {
    const depths = await engine.queues.control.depths(plan)
    return depths.every(({ pending, inFlight }) => pending + inFlight === 0) && worker.seen.length >= 60
  })
  expectInOrder(worker.seen, 'store', 60)
  expect(worker.mostOpen).toBeLessThanOrEqual(8)
})

test('a node without lanes gets some: what waited before it is called first', async () => {
  const { engine, worker } = await withoutBridge([{ name: 'store' }], () => ({ status: 204 }))
  await engine.queues.control.setPaused(engine.id('store'), 'gathering')
  await engine.openBridge()
  const startSome = async (from: number): Promise<void> => {
    for (let n = from; n < from + 10; n++) await engine.start(JSON.stringify({ customer: 'c', n }))
  }
  await startSome(0)
  await eventually('they wait', async () => (await storedIn(engine, 0)) === 10)
  await put(engine, withPartitions(engine.plan, 4))
  await eventually('the plan is applied', async () => {
    const { missing } = await engine.queues.control.awaitApplied(engine.plan.topologyId, 2, 0)
    return missing.length === 0
  })
  await startSome(10)
  await eventually('all wait', async () => (await storedIn(engine, 0)) + (await storedIn(engine, 2)) === 20)
  expect(worker.seen).toHaveLength(0)
  await engine.queues.control.setPaused(engine.id('store'), null)
  await engine.outcomesUntil(isDrained)
  const order = worker.seen.map((one) => itemOf(one).n)
  expect(Math.max(...order.slice(0, 10))).toBe(9)
})
