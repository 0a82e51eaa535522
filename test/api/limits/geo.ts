import { expect } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import type { Answer } from '../../support/fake-worker.ts'
import { chain, nodeOf } from '../open.ts'
import type { TestApi } from '../open.ts'
import { bridgeOf, orders } from '../running.ts'

export interface Key {
  readonly who: string | null
  readonly waiting: number
  readonly inFlight: number | null
  readonly ratePerSecond: number
  readonly declaredPerSecond: number | null
  readonly pausedUntil: string | null
  readonly asked: { readonly at: string; readonly retryAfterMs: number | null; readonly times: number } | null
  readonly nextPermitAt: string
  readonly turnsEndAt: string | null
  readonly awayBridges: readonly string[]
}

/** What `GET /api/services/{name}/state` answers. */
export interface State {
  readonly shared: Key
  readonly items: readonly Key[]
  readonly next: string | null
  readonly backlog: number
  readonly doneAt: string | null
  readonly secondsLeft: number | null
  readonly by: string | null
  readonly reason: string | null
  readonly users: readonly { readonly topology: string; readonly node: string; readonly published: boolean }[]
}

/** Of the service `geo`. */
export async function stateOf(t: TestApi, query = ''): Promise<State> {
  const answer = await t.get(`/api/services/geo/state${query}`)
  expect(answer.status).toBe(200)
  return answer.body as unknown as State
}

export const untilState = (t: TestApi, expected: Record<string, unknown>): Promise<State> =>
  eventually('the state of the limits is as expected', async () => {
    const state = await stateOf(t)
    expect(state).toMatchObject(expected)
    return state
  })

/** A control whose `orders` call a worker that answers so, at nodes that use the service `geo`, which has these limits. */
export async function limited(
  service: Record<string, unknown>,
  more: Record<string, Record<string, unknown>>,
  answer: Answer | (() => Answer) = { status: 204 },
) {
  const running = await orders(() => (typeof answer === 'function' ? answer() : answer))
  const { t } = running
  await t.post('/api/services', { name: 'geo', ...service })
  await t.send('PUT', '/api/topologies/orders', { json: chain('orders', more) })
  const done = await t.post('/api/topologies/orders/publish')
  expect(done.status).toBe(200)
  await bridgeOf(t)
  return running
}

export const run = (t: TestApi, tenant?: string) =>
  t.post('/api/topologies/orders/run', { body: 1, ...(tenant !== undefined && { tenant }) })

/** Why the node `a` waits. */
export const waitsOf = async (t: TestApi) => {
  const { id } = await nodeOf(t, 'orders', 'a')
  const { blockers, estimate } = (await t.get(`/api/nodes/${id}/why`)).body as unknown as {
    blockers: { kind: string; count: number; text: string; until: { last: string } | null }[]
    estimate: Pick<State, 'secondsLeft' | 'by'>
  }
  const { items } = (await t.get('/api/queues?topology=orders')).body as unknown as {
    items: { node: string; waiting: unknown }[]
  }
  return { blockers, estimate, waiting: items.find(({ node }) => node === 'a')?.waiting }
}
