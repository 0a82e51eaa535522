import { expect, test } from 'vitest'
import { dropPastLanes } from '../../runtime/api/actions/lanes.ts'
import { tidyDropped } from '../../runtime/api/actions/leaving/late.ts'
import { laneTail, originOf, streamName } from '../../runtime/queue/names.ts'
import type { Plan, WorkerNode } from '../../runtime/topology/plan.ts'
import { getRevision } from '../../runtime/store/queries/revisions.ts'
import { beat, chain, openApi, published } from './open.ts'
import type { Answer, TestApi } from './open.ts'

/** Publishes the chain with so many partitions at its node `a`. */
async function publishWith(t: TestApi, partitions: number): Promise<Answer> {
  await t.send('PUT', '/api/topologies/orders', { json: chain('orders', { a: { partitions } }) })
  return t.post('/api/topologies/orders/publish')
}

async function planOf(t: TestApi, { id, revision }: { id: string; revision: number }): Promise<Plan> {
  return (await getRevision(t.store, id, revision)).plan
}

const nodeA = (plan: Plan): WorkerNode => plan.nodes[1] as WorkerNode

async function laneConsumers(t: TestApi, plan: Plan): Promise<string[]> {
  const names: string[] = []
  for await (const { name } of t.queues.connection.jsm.consumers.list(streamName(plan.topologyId))) names.push(name)
  return names.filter((name) => name.startsWith(`node_${nodeA(plan).id}_`)).sort()
}

/** Something in the first lane of a generation, or delayed and to come there. */
async function leave(t: TestApi, plan: Plan, generation: number, delayed = false): Promise<void> {
  const { topologyId } = plan
  const tail = laneTail(nodeA(plan).id, generation, 0)
  const origin = originOf(`left in ${generation}`)
  const target = `sluice.${topologyId}.${origin}.${tail}`
  const later = [
    ['Nats-Schedule', `@at ${new Date(Date.now() + 3_600_000).toISOString()}`],
    ['Nats-Schedule-Target', target],
  ] as const
  const publish = delayed ? { tail: 'later', headers: later } : { tail, headers: [] }
  await t.queues.guard.publish({ topologyId, origin, ...publish, body: Buffer.from('{}') }, null)
}

test('of more than eight changes of partitions the older ones go, if they are empty, and their consumers after that', async () => {
  const t = await openApi()
  const first = await published(t, 'orders')
  const plan = await planOf(t, first)
  await leave(t, plan, 0)
  for (let partitions = 2; partitions <= 9; partitions++) await publishWith(t, partitions)
  const full = await planOf(t, { id: first.id, revision: 9 })
  expect(nodeA(full).past.map(({ generation }) => generation)).toEqual([0, 2, 3, 4, 5, 6, 7, 8])
  await leave(t, plan, 4, true)
  expect((await publishWith(t, 1)).status).toBe(200)
  const dropped = await planOf(t, { id: first.id, revision: 10 })
  // 0 has a message, into 4 a delayed one will come, 9 is what this publish retired.
  expect(nodeA(dropped).past.map(({ generation }) => generation)).toEqual([0, 4, 9])
  const generations = async () => new Set((await laneConsumers(t, plan)).map((name) => name.split('_').at(-2)))
  expect(await generations()).toContain('5')
  await tidyDropped({ store: t.store, queues: t.queues.control }, { id: first.id, revision: 10 }, new Map())
  expect(await generations()).toEqual(new Set(['0', '4', '9', '10']))
})

test('lanes stay while a bridge may still send into them; too many of them are a conflict', async () => {
  const t = await openApi()
  const { id } = await published(t, 'orders')
  await beat(t, 'late', { revisions: { [id]: 9 }, sending: { [id]: 8 } })
  for (let partitions = 2; partitions <= 9; partitions++) await publishWith(t, partitions)
  const refused = await publishWith(t, 1)
  expect(refused.status).toBe(409)
  expect(refused.body.detail).toContain('a has 9 older sets of lanes that are not done')
  await beat(t, 'late', { revisions: { [id]: 9 }, sending: { [id]: 9 } })
  expect((await publishWith(t, 1)).body).toMatchObject({ revision: 10 })
})

test('lanes that retired an hour ago and are empty go with the next publish, younger ones stay', async () => {
  const t = await openApi()
  const newest = await planOf(t, await published(t, 'orders'))
  const retired = (generation: number, minutes: number) => ({
    generation,
    partitions: 2,
    partitionKey: null,
    prefetch: 1,
    retiredAt: new Date(Date.now() - minutes * 60_000).toISOString(),
  })
  const past = [retired(0, 70), retired(1, 61), retired(2, 59)]
  const nodes = newest.nodes.map((node) =>
    node.name === 'a' ? { ...node, generation: 3, past } : node,
  ) as Plan['nodes']
  const plan = { ...newest, revision: 2, nodes }
  await leave(t, plan, 1)
  await t.queues.control.ensure(plan)
  const after = await dropPastLanes({ queues: t.queues.control }, plan, plan, true)
  expect(nodeA(after).past.map(({ generation }) => generation)).toEqual([1, 2])
})
