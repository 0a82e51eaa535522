import { expect, test } from 'vitest'
import { tidyDropped } from '../../runtime/api/actions/leaving/late.ts'
import { newId } from '../../runtime/ids.ts'
import { lastSequence } from '../../runtime/queue/streams.ts'
import { plansSince } from '../../runtime/store/queries/revisions.ts'
import { getTopology } from '../../runtime/store/queries/topologies.ts'
import { janitorOf } from '../queue/compact.ts'
import { eventually } from '../support/eventually.ts'
import type { Seen } from '../support/fake-worker.ts'
import { chain, nodeOf } from './open.ts'
import type { Body, TestApi } from './open.ts'
import { bridgeOf, callsOf, ended, orders, start } from './running.ts'

const echo = ({ node, body }: Seen) =>
  node === 'b' ? { status: 204 } : { body, headers: { 'content-type': 'application/json' } }

/** start → b */
function withoutA() {
  const { nodes } = chain('orders')
  return { name: 'orders', nodes: nodes.filter(({ name }) => name !== 'a'), edges: [{ from: 'start', to: 'b' }] }
}

async function publish(t: TestApi, document: object, inFlight: string) {
  await t.send('PUT', '/api/topologies/orders', { json: document })
  return t.post(`/api/topologies/orders/publish?inFlight=${inFlight}`)
}

const nodes = async (t: TestApi): Promise<readonly Body[]> => (await t.get('/api/topologies/orders/nodes')).body.items
const leavingOf = async (t: TestApi) => Object.fromEntries((await nodes(t)).map(({ name, leaving }) => [name, leaving]))
const pause = async (t: TestApi, name: string, paused: boolean) =>
  t.send('PATCH', `/api/nodes/${(await nodeOf(t, 'orders', name)).id}`, { json: { paused } })
const waiting = async (t: TestApi, name: string, count: number) =>
  eventually(`${count} messages wait at ${name}`, async () => {
    const { items } = (await t.get('/api/queues?topology=orders')).body
    const queue = items.find((item) => (item as unknown as { node: string }).node === name)
    const { pending, inFlight } = queue as unknown as { pending: number; inFlight: number }
    return pending + inFlight === count
  })

test('a node that drains finishes what it has while new runs go by the new graph, and is dropped when it is empty', async () => {
  const { t, worker } = await orders(echo)
  await bridgeOf(t)
  await pause(t, 'a', true)
  const old = [await start(t, 'old'), await start(t, 'old')]
  await waiting(t, 'a', 2)
  // Stored and not published: what leaves keeps what it has.
  await t.send('PATCH', `/api/nodes/${(await nodeOf(t, 'orders', 'a')).id}`, { json: { prefetch: 7 } })
  expect((await publish(t, withoutA(), 'refuse')).body.detail).toContain('inFlight=drain')
  expect((await publish(t, withoutA(), 'drain')).body).toMatchObject({ revision: 2, bridgeOutOfSync: false })
  expect(await leavingOf(t)).toEqual({ start: null, b: null, a: 'drain' })
  await ended(t, await start(t, 'new'))
  expect(callsOf(worker).map(({ node }) => node)).toEqual(['b'])
  await pause(t, 'a', false)
  for (const run of old)
    expect(await ended(t, run)).toMatchObject({ state: 'finished', messages: { done: 1, total: 1 } })
  await eventually('a is dropped', async () => !('a' in (await leavingOf(t))))
  expect(
    callsOf(worker)
      .map(({ node }) => node)
      .sort(),
  ).toEqual(['a', 'a', 'b', 'b', 'b'])
  const { items } = (await t.get('/api/topologies/orders/revisions')).body
  expect(items.map(({ kind }) => kind)).toEqual(['drained', 'publish', 'publish'])
})

test('the messages of a node that is taken out with trash are in Trash at once, without a call, held or queued or delayed', async () => {
  const retry = { attempts: 5, backoff: 'fixed', baseMs: 3_600_000, maxMs: 3_600_000 }
  const { t, worker } = await orders(() => ({ status: 500 }), { a: { prefetch: 2, retry } })
  await bridgeOf(t)
  const delayed = await start(t)
  await eventually('the first is delayed', () => callsOf(worker).length === 1 && worker.open === 0)
  await pause(t, 'a', true)
  const others = [await start(t), await start(t), await start(t)]
  await waiting(t, 'a', 3)
  expect((await publish(t, withoutA(), 'trash')).status).toBe(200)
  for (const run of [delayed, ...others]) expect(await ended(t, run)).toMatchObject({ state: 'failed' })
  expect(callsOf(worker)).toHaveLength(1)
  const { items } = (await t.get('/api/trash')).body
  expect(items).toHaveLength(4)
  expect(new Set(items.map((item) => (item as unknown as { error: { type: string } }).error.type))).toEqual(
    new Set(['urn:sluice:node-removed']),
  )
  await eventually('a is dropped', async () => !('a' in (await leavingOf(t))))
})

test('an event node that leaves takes no starts, and what was started before is done', async () => {
  const { t } = await orders(echo)
  const run = await start(t)
  const { nodes, edges } = chain('orders')
  const renamed = {
    name: 'orders',
    nodes: [{ name: 'begin', type: 'start' }, ...nodes.slice(1)],
    edges: edges.slice(1),
  }
  renamed.edges.push({ from: 'begin', to: 'a' })
  await publish(t, renamed, 'trash')
  expect(await leavingOf(t)).toMatchObject({ start: 'drain', begin: null })
  expect((await t.post('/api/topologies/orders/run', { node: 'start' })).status).toBe(409)
  await bridgeOf(t)
  expect(await ended(t, run)).toMatchObject({ state: 'finished' })
  expect(await ended(t, await start(t))).toMatchObject({ node: 'begin', state: 'finished' })
})

test('a node that leaves is kept by the next publish while it has messages, and revived by a graph that has its name', async () => {
  const { t, worker } = await orders(echo)
  await bridgeOf(t)
  await pause(t, 'a', true)
  const run = await start(t)
  await waiting(t, 'a', 1)
  const { id } = await nodeOf(t, 'orders', 'a')
  await publish(t, withoutA(), 'drain')
  expect((await t.post('/api/topologies/orders/publish')).body).toMatchObject({ revision: 2 })
  await publish(t, { ...withoutA(), description: 'another' }, 'refuse')
  await t.post('/api/topologies/orders/republish')
  expect(await leavingOf(t)).toEqual({ start: null, b: null, a: 'drain' })
  expect((await publish(t, chain('orders'), 'refuse')).status).toBe(200)
  expect(await leavingOf(t)).toEqual({ start: null, a: null, b: null })
  expect((await nodeOf(t, 'orders', 'a')).id).toBe(id)
  await pause(t, 'a', false)
  expect(await ended(t, run)).toMatchObject({ state: 'finished' })
  expect(callsOf(worker).map(({ node }) => node)).toEqual(['a', 'b'])
})

test('what comes to a dropped node all the same is done, and its consumers go when nothing of it is stored', async () => {
  const { t } = await orders(echo)
  await bridgeOf(t)
  const topology = await getTopology(t.store, 'orders')
  const { id: nodeId } = await nodeOf(t, 'orders', 'start')
  const { nodes, edges } = chain('orders')
  await publish(
    t,
    {
      name: 'orders',
      nodes: [{ name: 'begin', type: 'start' }, ...nodes.slice(1)],
      edges: [{ from: 'begin', to: 'a' }, ...edges.slice(1)],
    },
    'drain',
  )
  const run = newId()
  const late = { topologyId: topology.id, nodeId, key: run, run, tenant: null, trace: null }
  await t.queues.control.start({ ...late, contentType: 'text/plain', headers: {}, body: Buffer.from('late') })
  const deps = { store: t.store, queues: t.queues.control }
  await eventually('it is done', async () => {
    await tidyDropped(deps, await getTopology(t.store, 'orders'), new Map())
    return (await t.get(`/api/runs/${run}`)).body.state === 'finished'
  })
  const janitor = janitorOf(t)
  await eventually('its consumers are gone', async () => {
    await janitor.compact(topology.id, {
      recorded: () => lastSequence(t.queues.connection, topology.id),
      plansSince: (time) => plansSince(t.store, topology.id, time),
    })
    await tidyDropped(deps, await getTopology(t.store, 'orders'), new Map())
    return (await t.queues.control.readings(topology.id, (queue) => queue.nodeId === nodeId)).queues.length === 0
  })
  expect(await ended(t, await start(t))).toMatchObject({ state: 'finished' })
})

test('a node does not become an event node, nor cease to be one, while messages are on their way', async () => {
  const { t } = await orders(echo)
  await start(t)
  const { nodes } = chain('orders')
  const other = { ...nodes[0], type: 'custom', worker: 'w' }
  const answer = await publish(
    t,
    { name: 'orders', nodes: [{ name: 'begin', type: 'start' }, other], edges: [{ from: 'begin', to: 'start' }] },
    'drain',
  )
  expect(answer).toMatchObject({ status: 409, body: { detail: expect.stringContaining('start (1)') as string } })
})
