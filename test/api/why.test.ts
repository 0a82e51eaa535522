import { expect, onTestFinished, test } from 'vitest'
import { openBridge } from '../../runtime/bridge/bridge.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { eventually } from '../support/eventually.ts'
import type { Answer } from '../support/fake-worker.ts'
import { beat, chain, nodeOf, secretKey } from './open.ts'
import type { TestApi } from './open.ts'
import { bridgeOf, orders, start } from './running.ts'

interface Why {
  readonly pending: number
  readonly inFlight: number
  readonly delayed: number
  readonly calls: { readonly made: number; readonly overloaded: number } | null
  readonly blockers: readonly {
    readonly kind: string
    readonly of: string
    readonly count: number
    readonly text: string
    readonly since: string | null
    readonly until: { readonly first: string; readonly last: string } | null
  }[]
  readonly estimate: {
    readonly secondsLeft: number | null
    readonly ratePerSecond: number | null
    readonly reason: string | null
  }
  readonly bridges: { readonly live: readonly string[]; readonly silent: readonly string[] }
  readonly notes: readonly string[]
}

async function whyOf(t: TestApi, node: string): Promise<Why> {
  const { id } = await nodeOf(t, 'orders', node)
  const answer = await t.get(`/api/nodes/${id}/why`)
  expect(answer.status).toBe(200)
  return answer.body as unknown as Why
}

/** Kind → count of a node's blockers, when they are as expected; each message is in one of them. */
const untilBlocked = (t: TestApi, node: string, expected: Readonly<Record<string, number>>): Promise<Why> =>
  eventually(`${node} is blocked as expected`, async () => {
    const why = await whyOf(t, node)
    expect(Object.fromEntries(why.blockers.map(({ kind, count }) => [kind, count]))).toEqual(expected)
    return why
  })

async function queueOf(t: TestApi, node: string): Promise<unknown> {
  const { items } = (await t.get('/api/queues?topology=orders')).body
  return (items as unknown as { node: string }[]).find((queue) => queue.node === node)
}

const never: Answer = { fail: 'never' }

test('without a bridge that is the reason, and nobody knows how long it takes', async () => {
  const { t } = await orders(() => ({ status: 204 }))
  await start(t)
  const why = await untilBlocked(t, 'start', { 'no-bridge': 1 })
  expect(why.estimate).toMatchObject({ secondsLeft: null, reason: expect.stringContaining('sluice bridge') as string })
  expect((await whyOf(t, 'a')).estimate).toMatchObject({ secondsLeft: 0 })
})

test('while the worker is busy, its calls are open and the rest waits for a place', async () => {
  const { t } = await orders(() => never)
  await bridgeOf(t)
  for (let n = 0; n < 3; n++) await start(t)
  const why = await untilBlocked(t, 'a', { prefetch: 2, calling: 1 })
  expect(why).toMatchObject({ pending: 2, inFlight: 1, bridges: { silent: [] } })
  expect(why.blockers[0]?.text).toBe(
    'waiting behind the one that is held: prefetch lets 1 through; 1 of them at the worker',
  )
  expect(Date.parse(why.blockers[1]?.since ?? '')).toBeGreaterThan(Date.now() - 10_000)
})

test('an ordered message that failed waits in place until a time, with the reason; the queue behind it is counted', async () => {
  const retry = { attempts: 5, backoff: 'fixed', baseMs: 60_000, maxMs: 60_000 }
  const { t } = await orders(() => ({ status: 500 }), { a: { retry, inPlaceMaxMs: 600_000 } })
  await bridgeOf(t)
  await start(t)
  await start(t)
  const why = await untilBlocked(t, 'a', { retry: 1, prefetch: 1 })
  const blocked = why.blockers.find(({ kind }) => kind === 'retry')
  expect(blocked?.text).toContain('500 Internal Server Error')
  expect(Date.parse(blocked?.until?.last ?? '')).toBeGreaterThan(Date.now())
})

test('messages of a parallel node are delayed until a time', async () => {
  const retry = { attempts: 5, backoff: 'fixed', baseMs: 3_600_000, maxMs: 3_600_000 }
  const { t } = await orders(() => ({ status: 500 }), { a: { retry, prefetch: 5 } })
  await bridgeOf(t)
  await start(t)
  await start(t)
  const why = await untilBlocked(t, 'a', { retry: 2 })
  expect(why.delayed).toBe(2)
  const { first = '', last = '' } = why.blockers[0]?.until ?? {}
  expect(first <= last && Date.parse(first) > Date.now()).toBe(true)
  expect(await queueOf(t, 'a')).toMatchObject({
    delayed: 2,
    waiting: { retry: 2, limit: 0, paused: 0, breaker: 0 },
    oldestMs: null,
  })
})

test('429 holds the node until Retry-After, under the key of the node', async () => {
  const { t } = await orders(() => ({ status: 429, headers: { 'retry-after': '60' } }))
  await bridgeOf(t)
  await start(t)
  const why = await untilBlocked(t, 'a', { limit: 1 })
  expect(Date.parse(why.blockers[0]?.until?.last ?? '') - Date.now()).toBeGreaterThan(50_000)
})

test('calls of the last minute are told with those of them that were too much', async () => {
  let calls = 0
  const { t } = await orders(() =>
    ++calls === 1 ? { status: 200 } : { status: 503, headers: { 'retry-after': '60' } },
  )
  await bridgeOf(t)
  await start(t)
  await start(t)
  await untilBlocked(t, 'a', { busy: 1 })
  expect(await whyOf(t, 'a')).toMatchObject({ calls: { made: 2, overloaded: 1 } })
})

test('a paused node says who paused it, also of what it held before', async () => {
  const { t } = await orders(() => ({ status: 429, headers: { 'retry-after': '1' } }))
  await bridgeOf(t)
  await start(t)
  await start(t)
  const { id } = await nodeOf(t, 'orders', 'a')
  await t.send('PATCH', `/api/nodes/${id}`, { json: { paused: true } })
  const why = await untilBlocked(t, 'a', { paused: 2 })
  expect(why.blockers[0]?.text).toBe('paused by admin')
  expect(why.estimate.secondsLeft).toBeNull()
  expect(await queueOf(t, 'a')).toMatchObject({
    waiting: { paused: 2 },
    oldestMs: expect.any(Number) as number,
    ratePerSecond: 0,
  })
})

test('a reply that finds the queue of a follower full waits for room there, and is named with it', async () => {
  const { t } = await orders(() => ({
    headers: { 'content-type': 'application/json', 'sluice-emit': 'records' },
    body: '[1,2,3,4]',
  }))
  await t.send('PATCH', `/api/nodes/${(await nodeOf(t, 'orders', 'b')).id}`, { json: { paused: true } })
  const bridge = await openBridge({ queues: t.queues, secretKey, graceMs: 1_000, highWater: 2, log: silentLog })
  onTestFinished(() => bridge.close())
  await start(t)
  await untilBlocked(t, 'b', { paused: 4 })
  await start(t)
  // The message whose reply it is has gone, but the next one waits until that is split.
  const why = await untilBlocked(t, 'a', { follower: 1, split: 1 })
  const blocked = why.blockers.find(({ kind }) => kind === 'follower')
  expect(blocked).toMatchObject({ of: 'replies', text: 'waiting for room: more than 2 messages are before "b"' })
})

test('a worker that takes no connections is named with its breaker', async () => {
  const { t } = await orders(() => ({ status: 204 }))
  await t.send('PUT', '/api/workers/w', { json: { urls: ['http://127.0.0.1:1'] } })
  await bridgeOf(t)
  await start(t)
  const why = await eventually('it is held back', async () => {
    const found = await whyOf(t, 'a')
    return /http:\/\/127\.0\.0\.1:1: (open|probing)/.test(found.blockers[0]?.text ?? '') && found
  })
  expect(why.blockers).toMatchObject([{ kind: 'breaker', count: 1 }])
})

test('what is settled is measured, and an estimate made of it', async () => {
  const { t } = await orders(async () => {
    await new Promise((resolve) => setTimeout(resolve, 20))
    return { status: 204 }
  })
  await bridgeOf(t)
  const many = JSON.stringify([])
  for (let n = 0; n < 100; n++) await t.post('/api/topologies/orders/run', { body: many })
  const why = await eventually('a rate is known', async () => {
    const found = await whyOf(t, 'a')
    return (found.estimate.ratePerSecond ?? 0) > 5 && found
  })
  if (why.pending > 0) expect(why.estimate.secondsLeft).toBeGreaterThan(0)
})

test('a bridge that does not answer is named, and its rate is not made up', async () => {
  const { t } = await orders(() => ({ status: 204 }))
  await beat(t, 'silent-one', { revisions: {} })
  const why = await whyOf(t, 'a')
  expect(why.bridges).toEqual({ live: ['silent-one'], silent: ['silent-one'] })
  expect(why.notes).toEqual(['bridge silent-one did not answer: what it holds is not known'])
  expect(why.estimate.ratePerSecond).toBeNull()
})

test('a draft that was unpublished keeps its messages and says so; a node that was never published has none', async () => {
  const { t } = await orders(() => ({ status: 204 }))
  await start(t)
  await t.post('/api/topologies/orders/unpublish')
  await untilBlocked(t, 'start', { unpublished: 1 })
  await t.post('/api/topologies', chain('fresh'))
  const { id } = await nodeOf(t, 'fresh', 'a')
  const { body } = await t.get(`/api/nodes/${id}/why`)
  expect(body).toMatchObject({ blockers: [], notes: [expect.stringContaining('not in a published plan')] })
})

test('unknown nodes are 404, and a token needs the scope read', async () => {
  const { t } = await orders(() => ({ status: 204 }))
  const { id } = await nodeOf(t, 'orders', 'a')
  for (const what of ['why', 'peek', 'tail']) {
    expect((await t.get(`/api/nodes/nobody/${what}`)).status).toBe(404)
    expect((await t.send('GET', `/api/nodes/${id}/${what}`, { token: null })).status).toBe(401)
    expect((await t.get(`/api/nodes/${encodeURIComponent('../%00')}/${what}`)).status).toBe(404)
  }
  const { token } = (await t.post('/api/tokens', { name: 'runner', scopes: ['run'] })).body
  expect((await t.send('GET', `/api/nodes/${id}/why`, { token })).status).toBe(403)
})
