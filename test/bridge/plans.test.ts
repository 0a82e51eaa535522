import { expect, test } from 'vitest'
import type { Plan, WorkerNode } from '../../runtime/topology/plan.ts'
import { isDrained, startEngine } from '../support/engine.ts'
import type { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { fakeWorker } from '../support/fake-worker.ts'
import { closing, echo, fast, flow, records } from './flow.ts'

/** Puts the same graph as a new revision in force, with some values of its worker nodes changed. */
async function putRevision(engine: TestEngine, revision: number, change: Partial<WorkerNode>): Promise<void> {
  const nodes = engine.plan.nodes.map((node) => (node.type === 'start' ? node : { ...node, ...change }))
  const plan = { ...engine.plan, revision, nodes } as Plan
  await engine.queues.control.ensure(plan)
  await engine.queues.control.putPlan(plan)
  const { missing } = await engine.queues.control.awaitApplied(plan.topologyId, revision, 5_000)
  expect(missing).toEqual([])
}

test('a message that was held while its node was paused goes by the plan that is in force when it is resumed', async () => {
  const { engine, worker } = await flow([{ name: 'a' }], () => ({ status: 410, headers: { 'sluice-retired': '1' } }))
  const other = await fakeWorker(() => ({ status: 204 }))
  closing.push(other)
  await engine.queues.control.putWorker({
    name: 'other',
    urls: [other.url],
    dialect: 'native',
    version: 1,
    secret: null,
    timeoutMs: null,
  })
  await engine.start('1')
  await eventually('the node is paused', async () => (await engine.queues.control.paused()).has(engine.id('a')))
  await putRevision(engine, 2, { worker: 'other' })
  await engine.queues.control.setPaused(engine.id('a'), null)
  await engine.outcomesUntil(isDrained)
  expect([worker.seen.length, other.seen.length]).toEqual([1, 1])
})

test('prefetch changes while messages flow, up and down, and none is called twice', async () => {
  const { engine, worker } = await flow([{ name: 'list', type: 'batch' }, { name: 'store' }], (request) =>
    request.node === 'list' ? records(Array.from({ length: 200 }, (_, n) => n)) : { status: 204, afterMs: 2 },
  )
  await engine.start('{}')
  const stored = (): number => worker.seen.filter(({ node }) => node === 'store').length
  await eventually('some are stored in order', () => stored() >= 20)
  await putRevision(engine, 2, { prefetch: 10 })
  await eventually('more are stored side by side', () => stored() >= 80 && worker.mostOpen > 3)
  await putRevision(engine, 3, { prefetch: 2 })
  await engine.outcomesUntil(isDrained)
  expect(stored()).toBe(200)
})

test('a stopped topology keeps its messages, and goes on with them when it is published again', async () => {
  const { engine, worker } = await flow([{ name: 'a' }], echo)
  await engine.queues.control.stopPlan(engine.plan.topologyId)
  await engine.queues.control.awaitApplied(engine.plan.topologyId, 0, 5_000)
  await engine.start('1')
  const depths = async () => (await engine.queues.control.depths(engine.plan)).map(({ pending }) => pending)
  await eventually('the start waits', async () => (await depths())[0] === 1)
  expect(worker.seen).toHaveLength(0)
  await putRevision(engine, 2, {})
  await engine.outcomesUntil(isDrained)
  expect(worker.seen).toHaveLength(1)
})

test('a message with the longest history that workers can cause ends in Trash', async () => {
  const problem = JSON.stringify({ type: 'https://example.com/x', title: 'ř'.repeat(256), detail: 'ž'.repeat(4_096) })
  const { engine } = await flow([{ name: 'a', retry: { ...fast, attempts: 100 } }], () => ({
    status: 500,
    headers: { 'content-type': 'application/problem+json' },
    body: problem,
  }))
  await engine.start('1')
  const outcomes = await engine.outcomesUntil(isDrained)
  const trashed = outcomes.find((outcome) => outcome.kind === 'trashed')
  expect(trashed?.attempts.at(-1)).toMatchObject({ attempt: 100, status: 500 })
  expect(trashed?.error.detail).toHaveLength(4_096)
})

test('a page whose worker fails with as much text as there can be, in as many headers, ends in Trash', async () => {
  const control = '\u0001'
  const problem = JSON.stringify({
    type: control.repeat(300),
    title: control.repeat(300),
    detail: control.repeat(5_000),
  })
  const failing = { status: 500, headers: { 'content-type': 'application/problem+json' }, body: problem }
  const quotes = '"'.repeat(4_000)
  const first = {
    headers: { 'content-type': 'application/json', 'sluice-emit': 'records', 'sluice-cursor': quotes, 'x-a': quotes },
    body: '[]',
  }
  const { engine } = await flow([{ name: 'list', type: 'batch', retry: { ...fast, attempts: 20 } }], (_, nth) =>
    nth === 1 ? first : failing,
  )
  await engine.start('1', { headers: { 'x-a': quotes } })
  const outcomes = await engine.outcomesUntil(isDrained)
  const trashed = outcomes.find((outcome) => outcome.kind === 'trashed')
  expect(trashed?.attempts.at(-1)).toMatchObject({ attempt: 20, status: 500 })
})

test('an ordered node with onFail block is paused before its message is in Trash, and the next one waits', async () => {
  const { engine, worker } = await flow(
    [
      { name: 'list', type: 'batch' },
      { name: 'a', onFail: 'block' },
    ],
    (request) => {
      if (request.node === 'list') return records([1, 2, 3])
      return { status: request.body === '2' ? 422 : 204 }
    },
  )
  await engine.start('{}')
  await engine.outcomesUntil((all) => all.some(({ kind }) => kind === 'trashed'))
  expect(await engine.queues.control.paused()).toEqual(
    new Map([[engine.id('a'), expect.stringContaining('onFail: block')]]),
  )
  expect(worker.seen.map(({ body }) => body)).not.toContain('3')
  await engine.queues.control.setPaused(engine.id('a'), null)
  await engine.outcomesUntil(isDrained)
  expect(worker.seen.map(({ body }) => body)).toContain('3')
})

test('starts of a node that a later plan adds are outcomes for a reader that knew nothing of it', async () => {
  const engine = await startEngine([{ name: 'a' }])
  closing.push(engine)
  const other = {
    id: 'another-start',
    name: 'other',
    type: 'start',
    followers: [engine.id('a')],
    enabled: true,
  } as const
  const outcomes = engine.outcomesUntil((all) => all.length === 2)
  await engine.start('1')
  await engine.queues.control.ensure({ ...engine.plan, revision: 2, nodes: [...engine.plan.nodes, other] })
  await engine.queues.control.start({
    topologyId: engine.plan.topologyId,
    nodeId: other.id,
    key: 'k',
    run: 'second',
    tenant: null,
    contentType: 'text/plain',
    headers: {},
    trace: null,
    body: Buffer.from('2'),
  })
  expect(await outcomes).toMatchObject([{ kind: 'started' }, { kind: 'started', run: 'second', nodeId: other.id }])
})
