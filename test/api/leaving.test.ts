import { expect, onTestFinished, test } from 'vitest'
import { changePlan } from '../../runtime/api/actions/leaving/change.ts'
import { dropEmpty } from '../../runtime/api/actions/leaving/drop.ts'
import type { Progresses } from '../../runtime/api/actions/leaving/drop.ts'
import { tidyDropped } from '../../runtime/api/actions/leaving/late.ts'
import { newestPlan } from '../../runtime/api/actions/plans.ts'
import { openBridge } from '../../runtime/bridge/bridge.ts'
import { getTopology } from '../../runtime/store/queries/topologies.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { withoutNodes } from '../../runtime/topology/leaving.ts'
import { eventually } from '../support/eventually.ts'
import { fakeWorker } from '../support/fake-worker.ts'
import { beat, nodeOf, openApi, secretKey } from './open.ts'
import type { TestApi } from './open.ts'

const json = { 'content-type': 'application/json' }
const worker = (name: string) => ({ name, type: 'custom', worker: 'w' })

/** start → a → b, and c as well if it is wanted. */
const fork = (...names: ('b' | 'c')[]) => ({
  name: 'fork',
  nodes: [{ name: 'start', type: 'start' }, worker('a'), ...names.map(worker)],
  edges: [{ from: 'start', to: 'a' }, ...names.map((to) => ({ from: 'a', to }))],
})

/** A published fork to b and c, at a bridge that holds replies back as soon as anything waits at b, which is paused. */
async function paused(firstOfRun3: Promise<unknown>) {
  const t = await openApi()
  const called: string[] = []
  const w = await fakeWorker(async ({ node, body }) => {
    if (node !== 'sluice-worker') called.push(`${node}${body}`)
    if (node === 'a' && body === '3') await firstOfRun3
    return node === 'a' ? { body, headers: json } : { status: 204 }
  })
  onTestFinished(() => w.close())
  await t.post('/api/workers', { name: 'w', urls: [w.url] })
  await t.post('/api/topologies', fork('b', 'c'))
  await t.post('/api/topologies/fork/publish')
  const b = await nodeOf(t, 'fork', 'b')
  const pauseB = (paused: boolean) => t.send('PATCH', `/api/nodes/${b.id}`, { json: { paused } })
  await pauseB(true)
  const bridge = await openBridge({ queues: t.queues, secretKey, graceMs: 1_000, highWater: 0, log: silentLog })
  onTestFinished(() => bridge.close())
  return { t, called, pauseB }
}

async function start(t: TestApi, body: number, called: string[]): Promise<void> {
  await t.post('/api/topologies/fork/run', { body })
  await eventually(`run ${body} is called`, () => called.includes(`a${body}`))
}

async function unsplit(t: TestApi, topologyId: string, nodeId: string): Promise<boolean> {
  const { queues } = await t.queues.control.readings(topologyId, (queue) => queue.nodeId === nodeId)
  return queues.every(({ isReplies, next }) => isReplies === (next !== null))
}

/** c was taken out while the call of run 3 was under way; its reply, which leads to b and c, is stored and not split. */
async function replied() {
  let release = (): void => undefined
  const gate = new Promise<void>((resolve) => (release = resolve))
  onTestFinished(() => release())
  const { t, called, pauseB } = await paused(gate)
  for (const run of [1, 2]) await start(t, run, called)
  await eventually('c is called twice', () => called.includes('c1') && called.includes('c2'))
  await start(t, 3, called)
  await t.send('PUT', '/api/topologies/fork', { json: fork('b') })
  await t.post('/api/topologies/fork/publish?inFlight=drain')
  const deps = { store: t.store, queues: t.queues.control }
  const progresses: Progresses = new Map()
  const look = async () => dropEmpty(deps, await getTopology(t.store, 'fork'), progresses)
  await eventually('every bridge has the plan', async () => look().then(() => progresses.size === 1))
  release()
  const a = await nodeOf(t, 'fork', 'a')
  const topology = await getTopology(t.store, 'fork')
  await eventually('the reply is stored', () => unsplit(t, topology.id, a.id))
  const leaving = async () => (await t.get('/api/topologies/fork/nodes')).body.items.map(({ leaving }) => leaving)
  return { t, called, pauseB, deps, look, leaving, topology }
}

test('a node stays while a reply leads to it whose call was under way when the node was taken out', async () => {
  const { called, pauseB, look, leaving } = await replied()
  for (let i = 0; i < 3; i++) await look()
  expect(await leaving()).toEqual([null, null, null, 'drain'])
  await pauseB(false)
  await eventually('the last message is at c', () => called.includes('c3'))
  await eventually('c is dropped', () => look().then(async () => (await leaving()).length === 3))
})

test('a stored reply that leads to a node which was dropped brings it back', async () => {
  const { t, called, pauseB, deps, leaving, topology } = await replied()
  const c = await nodeOf(t, 'fork', 'c')
  const plan = await newestPlan(t.store, topology)
  if (plan === null) throw new Error('no plan')
  await changePlan(deps, plan, (now) => withoutNodes(now, new Set([c.id])))
  await t.queues.control.awaitApplied(topology.id, plan.revision + 1, 5_000)
  await pauseB(false)
  await eventually('c is back', async () => {
    await tidyDropped(deps, await getTopology(t.store, 'fork'), new Map())
    return (await leaving()).includes('drain')
  })
  await eventually('the last message is at c', () => called.includes('c3'))
})

test('a node stays while a bridge that lives lacks the plan by which it leaves', async () => {
  const { t, pauseB, look, leaving, topology } = await replied()
  await beat(t, 'behind', { revisions: { [topology.id]: 1 } })
  await pauseB(false)
  await eventually('nothing is on its way', async () => {
    const { queues } = await t.queues.control.readings(topology.id, () => true)
    return queues.every(({ next }) => next === null)
  })
  for (let i = 0; i < 3; i++) await look()
  expect(await leaving()).toContain('drain')
  await beat(t, 'behind', { revisions: { [topology.id]: topology.revision } })
  await eventually('c is dropped', () => look().then(async () => (await leaving()).length === 3))
})
