import { expect, test } from 'vitest'
import { mendTold } from '../../runtime/api/actions/leaving/told.ts'
import { eventually } from '../support/eventually.ts'
import { openApi, published } from './open.ts'
import type { TestApi } from './open.ts'

const deps = ({ store, queues }: TestApi) => ({ store, queues: queues.control })
const told = async ({ queues }: TestApi) => {
  const { pausedTopologies, workers } = await queues.control.told()
  return {
    paused: Object.fromEntries(pausedTopologies),
    urls: workers.get('w')?.urls,
    version: workers.get('w')?.version,
  }
}

/** Does it in a transaction that is rolled back at its end, as one whose commit fails. */
async function uncommitted(t: TestApi, work: (inside: TestApi['store']) => Promise<void>): Promise<void> {
  const failed = t.store.transaction(async (inside) => {
    await work(inside)
    throw new Error('the connection broke')
  })
  await expect(failed).rejects.toThrow('the connection broke')
}

test('a pause that was told and never committed is ended, and one that was committed and never told is told', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const { id } = (await t.get('/api/topologies/orders')).body
  await uncommitted(t, () => t.queues.control.setTopologyPaused(id, 'paused by nobody'))
  expect((await told(t)).paused).toEqual({ [id]: 'paused by nobody' })
  await mendTold(deps(t))
  expect((await told(t)).paused).toEqual({})

  await t.send('PATCH', '/api/topologies/orders', { json: { paused: true } })
  const stands = (await told(t)).paused
  await t.queues.control.setTopologyPaused(id, null)
  await mendTold(deps(t))
  expect((await told(t)).paused).toEqual(stands)
})

test('an address that was told and never committed is replaced by the one that is stored, for good', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const before = await told(t)
  await t.queues.control.putWorker({
    name: 'w',
    urls: ['http://127.0.0.1:9'],
    dialect: 'native',
    version: 7,
    secret: null,
    timeoutMs: null,
  })
  await mendTold(deps(t))
  expect(await told(t)).toEqual({ ...before, version: 8 })
  await t.queues.control.removeWorker('w')
  await mendTold(deps(t))
  expect(await told(t)).toEqual({ ...before, version: 8 })
})

test('a pause that is under way is waited for, not undone', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const { id } = (await t.get('/api/topologies/orders')).body
  let commit = (): void => undefined
  const mayCommit = new Promise<void>((resolve) => (commit = resolve))
  const setPaused = t.queues.control.setTopologyPaused
  const slow = async (topologyId: string, reason: string | null): Promise<void> => {
    await setPaused(topologyId, reason)
    await mayCommit
  }
  t.queues.control.setTopologyPaused = slow
  const patched = t.send('PATCH', '/api/topologies/orders', { json: { paused: true } })
  await eventually('it is told', async () => id in (await told(t)).paused)
  t.queues.control.setTopologyPaused = setPaused
  const mended = mendTold(deps(t))
  commit()
  expect((await patched).status).toBe(200)
  await mended
  expect((await told(t)).paused).toHaveProperty(id)
})

test('what agrees costs no transaction', async () => {
  const t = await openApi()
  await published(t, 'orders')
  await t.send('PATCH', '/api/topologies/orders', { json: { paused: true } })
  const { transaction: _, ...store } = t.store
  const refusing = { ...store, transaction: () => Promise.reject(new Error('a transaction')) } as TestApi['store']
  await mendTold({ ...deps(t), store: { ...refusing, query: t.store.query.bind(t.store) } })
})
