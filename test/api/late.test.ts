import { expect, test } from 'vitest'
import { changePlan } from '../../runtime/api/actions/leaving/change.ts'
import { forgetPauses } from '../../runtime/api/actions/leaving/forget.ts'
import { tidyDropped } from '../../runtime/api/actions/leaving/late.ts'
import { newestPlan } from '../../runtime/api/actions/plans.ts'
import { newId } from '../../runtime/ids.ts'
import { untried } from '../../runtime/protocol/message.ts'
import { encodeEnvelope, envelopeHeader } from '../../runtime/queue/envelope.ts'
import { laneTail, originOf, streamName } from '../../runtime/queue/names.ts'
import { getTopology } from '../../runtime/store/queries/topologies.ts'
import { withoutNodes } from '../../runtime/topology/leaving.ts'
import type { WorkerNode } from '../../runtime/topology/plan.ts'
import { eventually } from '../support/eventually.ts'
import { chain, nodeOf } from './open.ts'
import type { TestApi } from './open.ts'
import { bridgeOf, callsOf, orders } from './running.ts'

/** A message for a node, as a bridge publishes it that has an older plan. */
async function sendLate(t: TestApi, nodeId: string, generation: number): Promise<void> {
  const topology = await getTopology(t.store, 'orders')
  const run = newId()
  const created = new Date().toISOString()
  const common = { from: 'start', created, tenant: null, trace: null, headers: {}, contentType: 'application/json' }
  const envelope = encodeEnvelope({ ...untried, id: run, run, ...common })
  const publish = { tail: laneTail(nodeId, generation, 0), headers: [[envelopeHeader, envelope] as const] }
  await t.queues.guard.publish(
    { topologyId: topology.id, origin: originOf(run), ...publish, body: Buffer.from('"late"') },
    null,
  )
}

const tidy = async (t: TestApi): Promise<void> =>
  tidyDropped({ store: t.store, queues: t.queues.control }, await getTopology(t.store, 'orders'), new Map())

async function consumersOf(t: TestApi, nodeId: string): Promise<string[]> {
  const { id } = await getTopology(t.store, 'orders')
  const names: string[] = []
  for await (const { name } of t.queues.connection.jsm.consumers.list(streamName(id))) names.push(name)
  return names.filter((name) => name.includes(nodeId))
}

/** The orders without their node `a`, of whose queues nothing is left, neither messages nor consumers. */
async function withoutA(t: TestApi): Promise<string> {
  const { id } = await nodeOf(t, 'orders', 'a')
  const plan = await newestPlan(t.store, await getTopology(t.store, 'orders'))
  if (plan === null) throw new Error('no plan')
  await changePlan({ store: t.store, queues: t.queues.control }, plan, (now) => withoutNodes(now, new Set([id])))
  await tidy(t)
  expect(await consumersOf(t, id)).toEqual([])
  return id
}

test('what a bridge that was away sends to a node whose consumers are gone is done all the same', async () => {
  const { t, worker } = await orders(() => ({ status: 204 }))
  await bridgeOf(t)
  const id = await withoutA(t)
  await sendLate(t, id, 0)
  await eventually('the message is called', async () => {
    await tidy(t)
    return callsOf(worker).length > 0
  })
  expect(callsOf(worker)).toMatchObject([{ node: 'a', body: '"late"' }])
})

test('a message that comes to older lanes of a node which is back since is done, once', async () => {
  const { t, worker } = await orders(() => ({ status: 204 }))
  await bridgeOf(t)
  const id = await withoutA(t)
  // A publish makes new lanes for it; what comes to the old ones after the publish has looked lies there.
  await t.send('PUT', '/api/topologies/orders', { json: chain('orders', { a: { partitions: 2 } }) })
  expect((await t.post('/api/topologies/orders/publish')).body).toMatchObject({ revision: 3 })
  await sendLate(t, id, 0)
  await eventually('the message is called', async () => {
    await tidy(t)
    return callsOf(worker).length > 0
  })
  const plan = await newestPlan(t.store, await getTopology(t.store, 'orders'))
  const a = plan?.nodes.find((node) => node.id === id) as WorkerNode
  expect([a.generation, a.past.map(({ generation }) => generation)]).toEqual([3, [0]])
  await tidy(t)
  expect(callsOf(worker)).toMatchObject([{ node: 'a', body: '"late"' }])
})

test('the pause of a node that is gone is forgotten, that of another one is kept', async () => {
  const { t } = await orders(() => ({ status: 204 }))
  const { id: b } = await nodeOf(t, 'orders', 'b')
  const a = await withoutA(t)
  await t.send('PUT', '/api/topologies/orders', {
    json: { name: 'orders', nodes: [{ name: 'start', type: 'start' }], edges: [] },
  })
  for (const id of [a, b]) await t.queues.control.setPaused(id, 'by a control that died')
  await forgetPauses({ store: t.store, queues: t.queues.control })
  expect([...(await t.queues.control.paused()).keys()]).toEqual([b])
})
