import { expect, test } from 'vitest'
import type { ServiceLimits } from '../../runtime/topology/limits/limits.ts'
import { closing, flow, withoutBridge } from '../bridge/flow.ts'
import { isDrained } from '../support/engine.ts'
import type { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import type { Seen } from '../support/fake-worker.ts'

const service = 'shop'

function declare({ queues }: TestEngine, limits: Partial<ServiceLimits>): Promise<void> {
  return queues.control.putService({ name: service, limits: [], maxInFlight: null, inFlightScope: 'global', ...limits })
}

/** Answers 204, and notes when it was called. */
function timed() {
  const times: number[] = []
  const script = (_request: Seen) => {
    times.push(performance.now())
    return { status: 204 }
  }
  return { times, script }
}

const ended = (count: number) => (outcomes: readonly { readonly kind: string }[]) =>
  outcomes.filter(({ kind }) => kind === 'ended').length >= count

test('calls of two bridges for one service come evenly at its rate, and nothing of it is an attempt', async () => {
  const { times, script } = timed()
  const { engine, worker } = await withoutBridge([{ name: 'a', service, prefetch: 5 }], script)
  await declare(engine, { limits: [{ rate: 20, per: 'second' }] })
  await engine.openBridge()
  await engine.openBridge()
  for (let n = 0; n < 30; n++) await engine.start(String(n))
  await engine.outcomesUntil(ended(30))
  expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(29 * 50)
  expect(new Set(worker.seen.map(({ headers }) => headers['sluice-attempt']))).toEqual(new Set(['1;max=10']))
})

test('a limit that is changed acts on what waits already', async () => {
  const { times, script } = timed()
  const { engine } = await withoutBridge([{ name: 'a', service, prefetch: 5 }], script)
  await declare(engine, { limits: [{ rate: 1, per: 'minute', burst: 1 }] })
  await engine.openBridge()
  for (let n = 0; n < 4; n++) await engine.start(String(n))
  await eventually('the first call is made', () => times.length === 1)
  await declare(engine, { limits: [{ rate: 100, per: 'second' }] })
  await engine.outcomesUntil(ended(4))
  expect(times).toHaveLength(4)
})

test('a service that is not limited any more lets through who waits', async () => {
  const { times, script } = timed()
  const { engine } = await withoutBridge([{ name: 'a', service, prefetch: 3 }], script)
  await declare(engine, { limits: [{ rate: 1, per: 'hour' }], maxInFlight: 1 })
  await engine.openBridge()
  for (let n = 0; n < 3; n++) await engine.start(String(n))
  await eventually('the first call is made', () => times.length === 1)
  await engine.queues.control.removeService(service)
  await engine.outcomesUntil(ended(3))
})

test('one tenant without permits is put off, and keeps no place in the node from another', async () => {
  const { engine, worker } = await withoutBridge([{ name: 'a', service, prefetch: 2 }], () => ({ status: 204 }))
  await declare(engine, { limits: [{ rate: 2, per: 'hour', scope: 'tenant' }] })
  await engine.openBridge()
  for (let n = 0; n < 12; n++) await engine.start(String(n), { tenant: 'many' })
  for (let n = 0; n < 2; n++) await engine.start(String(n), { tenant: 'few' })
  const done = await engine.outcomesUntil(ended(4))
  expect(done.filter(({ kind }) => kind === 'trashed')).toEqual([])
  const tenants = worker.seen.map(({ headers }) => headers['sluice-tenant'])
  expect(tenants.sort()).toEqual(['few', 'few', 'many', 'many'])
  await eventually('the rest waits for its turn in schedules', async () => {
    const { nodes } = await engine.queues.control.delays(engine.plan.topologyId)
    return nodes.get(engine.id('a'))?.length === 10
  })
  const { nodes } = await engine.queues.control.delays(engine.plan.topologyId)
  const waits = (nodes.get(engine.id('a')) ?? []).map(({ at }) => Date.parse(at) - Date.now())
  // Half an hour apart, a little faster; none before the hour in which the first two were called is over.
  expect(Math.min(...waits)).toBeGreaterThan(59 * 60_000)
  expect(Math.max(...waits)).toBeGreaterThan(4 * 3_600_000)
})

test('who was put off by a tenant that waits for its service is called when that is over, and burns no attempt', async () => {
  const { engine, worker } = await flow([{ name: 'a', service, prefetch: 2, retry: { attempts: 1 } }], (_seen, nth) =>
    nth === 1 && worker.seen.length === 1 ? { status: 429, headers: { 'retry-after': '3' } } : { status: 204 },
  )
  await declare(engine, { limits: [{ rate: 1_000, per: 'second', scope: 'tenant' }] })
  await engine.start('1', { tenant: 'many' })
  await eventually('it is put off', async () => (await engine.queues.control.limited()).size === 1)
  await engine.start('2', { tenant: 'few' })
  const outcomes = await engine.outcomesUntil((all) => isDrained(all) && ended(2)(all))
  expect(outcomes.filter(({ kind }) => kind === 'trashed')).toEqual([])
  expect(worker.seen.map(({ headers }) => headers['sluice-tenant'])).toEqual(['many', 'few', 'many'])
})

test('a worker names whose limits the next calls count against', async () => {
  const { engine, worker } = await withoutBridge(
    [{ name: 'first' }, { name: 'second', service, prefetch: 4 }],
    ({ node, body }) =>
      node === 'first'
        ? {
            headers: {
              'content-type': 'application/json',
              'sluice-limit-key': body === '1' ? 'account 1' : 'account 2',
            },
            body,
          }
        : { status: 204 },
  )
  await declare(engine, { limits: [{ rate: 1, per: 'hour', scope: 'tenant' }] })
  await engine.openBridge()
  for (const body of ['1', '1', '2', '2']) await engine.start(body, { tenant: 'same' })
  await engine.outcomesUntil(ended(2))
  const keys = worker.seen.filter(({ node }) => node === 'second').map(({ headers }) => headers['sluice-limit-key'])
  expect(keys.sort()).toEqual(['account%201', 'account%202'])
})

test('429 stops the calls of all bridges and nodes of the service, as long as Retry-After says', async () => {
  const calls: { at: number; rejected: boolean }[] = []
  const { engine } = await flow(
    [
      { name: 'a', service, prefetch: 5 },
      { name: 'b', service, prefetch: 5 },
    ],
    () => {
      const rejected = calls.length === 60
      calls.push({ at: performance.now(), rejected })
      return rejected ? { status: 429, headers: { 'retry-after': '1' } } : { status: 204, afterMs: 2 }
    },
    [
      { from: 'start', to: 'a' },
      { from: 'start', to: 'b' },
    ],
  )
  await engine.openBridge()
  for (let n = 0; n < 200; n++) await engine.start(String(n))
  await engine.outcomesUntil(ended(400))
  const at = calls.find(({ rejected }) => rejected)?.at ?? 0
  const within = calls.filter((call) => call.at > at + 300 && call.at < at + 990)
  expect(within).toEqual([])
  expect(calls).toHaveLength(401)
  const [limited] = (await engine.queues.control.limited()).values()
  expect(limited).toMatchObject({ key: { kind: 'service', service }, retryAfterMs: 1_000, times: 1 })
})

test('no more calls are open than may be, over all bridges', async () => {
  const answer = () => ({ status: 204, afterMs: 20 })
  const { engine, worker } = await withoutBridge([{ name: 'a', service, prefetch: 20 }], answer)
  await declare(engine, { maxInFlight: 3 })
  await engine.openBridge()
  await engine.openBridge()
  for (let n = 0; n < 60; n++) await engine.start(String(n))
  await engine.outcomesUntil(ended(60))
  expect(worker.mostOpen).toBe(3)
})

test('a quota is used to its end, however few calls may be open at once', async () => {
  const answer = () => ({ status: 204, afterMs: 40 })
  const { engine, worker } = await withoutBridge([{ name: 'a', service, prefetch: 10 }], answer)
  await declare(engine, { limits: [{ rate: 12, per: 'day' }], maxInFlight: 1 })
  await engine.openBridge()
  await engine.openBridge()
  for (let n = 0; n < 12; n++) await engine.start(String(n))
  await engine.outcomesUntil(ended(12))
  expect(worker.mostOpen).toBe(1)
})

test('429 holds for those who wait for another call to end, too', async () => {
  const { engine, worker } = await withoutBridge([{ name: 'a', service, prefetch: 10 }], () =>
    worker.seen.length === 1 ? { status: 429, headers: { 'retry-after': '2' } } : { status: 204 },
  )
  await declare(engine, { maxInFlight: 1 })
  await engine.openBridge()
  for (let n = 0; n < 5; n++) await engine.start(String(n))
  await eventually('it is told', async () => (await engine.queues.control.limited()).size === 1)
  expect(worker.seen).toHaveLength(1)
  await engine.outcomesUntil(ended(5))
})

test('one call at a time goes round among three bridges, many times a second', async () => {
  const { times, script } = timed()
  const { engine, worker } = await withoutBridge([{ name: 'a', service, prefetch: 1 }], script)
  await declare(engine, { maxInFlight: 1 })
  for (let n = 0; n < 3; n++) await engine.openBridge()
  for (let n = 0; n < 100; n++) await engine.start(String(n))
  await engine.outcomesUntil(ended(100))
  expect(worker.mostOpen).toBe(1)
  const perSecond = 99_000 / ((times.at(-1) ?? 0) - (times[0] ?? 0))
  expect(perSecond).toBeGreaterThan(15)
})

test('pages of a batch node and calls that are tried again take permits like any other', async () => {
  const { times, script } = timed()
  const { engine, worker } = await withoutBridge(
    [{ name: 'pages', type: 'batch', service, retry: { attempts: 3, backoff: 'fixed', baseMs: 1, maxMs: 1 } }],
    (request) => {
      script(request)
      const page = Number(request.headers['sluice-page'])
      if (times.length === 2) return { status: 500 }
      return { headers: page < 4 ? { 'sluice-cursor': String(page + 1) } : {}, body: '[]' }
    },
  )
  await declare(engine, { limits: [{ rate: 10, per: 'second' }] })
  await engine.openBridge()
  await engine.start('1')
  await engine.outcomesUntil(isDrained)
  expect(worker.seen).toHaveLength(6)
  expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(5 * 90)
})

test('calls count as many requests as their node, or the reply, says', async () => {
  const { times, script } = timed()
  const { engine } = await withoutBridge([{ name: 'a', service, prefetch: 5, limitCost: 10 }], (request) => {
    script(request)
    return { status: 204, ...(request.body === '0' && { headers: { 'sluice-limit-cost': '30' } }) }
  })
  await declare(engine, { limits: [{ rate: 40, per: 'minute' }] })
  await engine.openBridge()
  await engine.start('0')
  await eventually('the first call is made', () => times.length === 1)
  await engine.outcomesUntil(ended(1))
  for (let n = 1; n < 3; n++) await engine.start(String(n))
  await engine.outcomesUntil(ended(2))
  await eventually('the third waits', async () => {
    const { looks } = await engine.queues.control.look({ topologyId: null, nodeId: null, limits: true })
    return looks.some(({ limits = [] }) => limits.some(({ waiting }) => waiting === 1))
  })
  expect(times).toHaveLength(2)
})

test('while what is reserved cannot be kept, bridges go on with their share, and share again when it can', async () => {
  const { times, script } = timed()
  const { engine } = await flow([{ name: 'a', service, prefetch: 5 }], script)
  await engine.openBridge()
  await declare(engine, { limits: [{ rate: 40, per: 'second' }] })
  for (let n = 0; n < 20; n++) await engine.start(String(n))
  await eventually('it flows', () => times.length > 5)
  const { connection, config } = engine.queues
  await connection.jsm.streams.delete(`KV_${config.limitsName}`)
  for (let n = 0; n < 40; n++) await engine.start(String(n))
  const away = async (): Promise<boolean[]> => {
    const { looks } = await engine.queues.control.look({ topologyId: null, nodeId: null, limits: true })
    return looks.flatMap(({ limits = [] }) => limits.map(({ isAway }) => isAway))
  }
  await eventually('both are away', async () => (await away()).filter((one) => one).length === 2)
  await engine.outcomesUntil(ended(60))
  await connection.jsm.streams.add(await bucketLike(engine))
  for (let n = 0; n < 20; n++) await engine.start(String(n))
  await engine.outcomesUntil(ended(80))
  await eventually('they share again', async () => (await away()).every((one) => !one))
})

/** The bucket as it was, empty. */
async function bucketLike({ queues: { connection, config } }: TestEngine) {
  const { config: like } = await connection.jsm.streams.info(`KV_${config.bridgesName}`)
  return { ...like, name: `KV_${config.limitsName}`, subjects: [`$KV.${config.limitsName}.>`], max_age: 0 }
}

test('a bridge that closes gives back the calls that it holds', async () => {
  const answer = () => ({ status: 204, afterMs: 5 })
  const { engine, worker } = await withoutBridge([{ name: 'a', service, prefetch: 4 }], answer)
  await declare(engine, { maxInFlight: 2 })
  await engine.openBridge()
  for (let n = 0; n < 10; n++) await engine.start(String(n))
  await engine.outcomesUntil(ended(10))
  const second = await engine.openBridge()
  closing.push(second)
  for (let n = 0; n < 10; n++) await engine.start(String(n))
  await engine.outcomesUntil(ended(20))
  expect(worker.mostOpen).toBeLessThanOrEqual(2)
})
