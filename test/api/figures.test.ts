import { expect, test } from 'vitest'
import { lookOnce } from '../../runtime/api/actions/figures/figures.ts'
import type { Seen } from '../../runtime/api/actions/figures/figures.ts'
import { applyOutcomes, position } from '../../runtime/store/outcomes.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { started, split, trashed } from '../store/outcome-samples.ts'
import { nodeOf, openApi, published } from './open.ts'
import type { TestApi } from './open.ts'

interface History {
  readonly stepSeconds: number
  readonly points: readonly {
    readonly at: string
    readonly waiting: number
    readonly failed: number
    readonly ratePerSecond: number
  }[]
}

const historyOf = async (t: TestApi, id: string, range = '15m'): Promise<History> =>
  (await t.get(`/api/nodes/${id}/history?range=${range}`)).body as unknown as History

const deps = ({ store, queues }: TestApi) => ({ store, queues: queues.control, log: silentLog })
/** The last whole minute, so that all looks of a test are of the past. */
const minute = (): number => Math.floor(Date.now() / 60_000) * 60_000 - 120_000
const after = (from: number, seconds: number): Date => new Date(from + seconds * 1_000)

test('each look is kept, a node that does nothing has zeros, and what nobody looked at is missing', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const [start, b] = [await nodeOf(t, 'orders', 'start'), await nodeOf(t, 'orders', 'b')]
  const from = minute()
  const seen: Seen = new Map()
  await lookOnce(deps(t), after(from, 10), seen)
  await t.post('/api/topologies/orders/run', { body: 1 })
  await lookOnce(deps(t), after(from, 20), seen)
  await lookOnce(deps(t), after(from, 40), seen)
  const { points, stepSeconds } = await historyOf(t, start.id)
  expect(stepSeconds).toBe(10)
  expect(points.map(({ at, waiting }) => [at, waiting])).toEqual([
    [after(from, 10).toISOString(), 0],
    [after(from, 20).toISOString(), 1],
    [after(from, 40).toISOString(), 1],
  ])
  expect((await historyOf(t, b.id)).points.map(({ waiting }) => waiting)).toEqual([0, 0, 0])
})

test('of several controls one looks', async () => {
  const t = await openApi()
  await published(t, 'orders')
  await t.post('/api/topologies/orders/run', { body: 1 })
  const start = await nodeOf(t, 'orders', 'start')
  const at = after(minute(), 10)
  await Promise.all([lookOnce(deps(t), at), lookOnce(deps(t), at), lookOnce(deps(t), at)])
  expect((await historyOf(t, start.id)).points).toHaveLength(1)
})

test('a minute has the most that waited, also after its looks are forgotten', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const start = await nodeOf(t, 'orders', 'start')
  const from = minute() - 30 * 60_000
  for (const seconds of [0, 10]) {
    await t.post('/api/topologies/orders/run', { body: seconds })
    await lookOnce(deps(t), after(from, seconds))
  }
  await lookOnce(deps(t), after(from, 60))
  expect((await historyOf(t, start.id, '24h')).points).toMatchObject([{ at: after(from, 0).toISOString(), waiting: 2 }])
  await lookOnce(deps(t), after(from, 30 * 60))
  const left = await t.store.query((db) =>
    db.execute<{ n: number }>('select count(*)::int as n from node_figures where step_seconds = 10'),
  )
  expect(left[0]?.n).toBe(2)
  expect((await historyOf(t, start.id, '24h')).points[0]).toMatchObject({ waiting: 2 })
})

test('failures are counted in the step in which they came into Trash', async () => {
  const t = await openApi()
  const { id } = await published(t, 'orders')
  const node = await nodeOf(t, 'orders', 'a')
  const from = minute()
  for (const seconds of [0, 10, 20]) await lookOnce(deps(t), after(from, seconds))
  const failed = (name: string, seconds: number) =>
    trashed('r', name, { nodeId: node.id, at: after(from, seconds).toISOString() })
  const outcomes = [started('r', { nodeId: node.id }), split('r', 2), failed('x', 10), failed('y', 19), failed('z', 20)]
  await applyOutcomes(
    t.store,
    id,
    { epoch: 'e', from: await position(t.store, id, 'e'), to: outcomes.length },
    outcomes,
  )
  expect((await historyOf(t, node.id)).points.map(({ failed }) => failed)).toEqual([0, 2, 1])
})
