import { expect, test } from 'vitest'
import { Pauses } from '../../runtime/limiter/pauses.ts'
import type { ServiceLimits } from '../../runtime/topology/limits/limits.ts'
import { withoutBridge } from '../bridge/flow.ts'
import { isDrained } from '../support/engine.ts'
import type { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import type { Answer } from '../support/fake-worker.ts'

const service = 'shop'

function declare({ queues }: TestEngine, limits: Partial<ServiceLimits>): Promise<void> {
  return queues.control.putService({ name: service, limits: [], maxInFlight: null, inFlightScope: 'global', ...limits })
}

const ended = (count: number) => (outcomes: readonly { readonly kind: string }[]) =>
  outcomes.filter(({ kind }) => kind === 'ended').length >= count

async function waitingAt({ queues }: TestEngine): Promise<number> {
  const { looks } = await queues.control.look({ topologyId: null, nodeId: null, limits: true })
  return looks.flatMap(({ limits = [] }) => limits).reduce((sum, { waiting }) => sum + waiting, 0)
}

async function delayedAt({ queues, plan, id }: TestEngine): Promise<number> {
  return (await queues.control.delays(plan.topologyId)).nodes.get(id('a'))?.length ?? 0
}

test('a tenant whose calls in flight take long keeps no place in the node from another, and all of its messages are called', async () => {
  const open: ((answer: Answer) => void)[] = []
  const { engine, worker } = await withoutBridge([{ name: 'a', service, prefetch: 4 }], ({ headers }) =>
    headers['sluice-tenant'] === 'few' || open.length > 1
      ? { status: 204 }
      : new Promise<Answer>((resolve) => open.push(resolve)),
  )
  await declare(engine, { maxInFlight: 1, inFlightScope: 'tenant' })
  await engine.openBridge()
  for (let n = 0; n < 5; n++) await engine.start(String(n), { tenant: 'many' })
  await eventually('the first call is open', () => open.length === 1)
  await eventually('those that take places are put off', async () => (await delayedAt(engine)) === 2)
  for (let n = 0; n < 3; n++) await engine.start(String(n), { tenant: 'few' })
  await engine.outcomesUntil(ended(3))
  expect(worker.seen.filter(({ headers }) => headers['sluice-tenant'] === 'many')).toHaveLength(1)
  open[0]?.({ status: 204 })
  await eventually('the next call is open', () => open.length === 2)
  open[1]?.({ status: 204 })
  const outcomes = await engine.outcomesUntil((all) => isDrained(all) && ended(8)(all))
  expect(outcomes.filter(({ kind }) => kind === 'trashed')).toEqual([])
})

test('a run that is cancelled while its messages wait at a limit is over at once, and keeps nobody from it', async () => {
  const { engine, worker } = await withoutBridge([{ name: 'a', service, prefetch: 5, limitCost: 3 }], () => ({
    status: 204,
  }))
  await declare(engine, { limits: [{ rate: 4, per: 'day' }], maxInFlight: 5 })
  await engine.openBridge()
  await engine.start('1')
  await engine.outcomesUntil(ended(1))
  const run = await engine.start('2')
  await eventually('it waits', async () => (await waitingAt(engine)) === 1)
  await engine.queues.control.cancel(engine.plan.topologyId, run)
  await engine.outcomesUntil((all) => ended(2)(all) && isDrained(all))
  expect(worker.seen).toHaveLength(1)
  expect(await waitingAt(engine)).toBe(0)
})

test('what is used up is known after all bridges have gone', async () => {
  const { engine, worker } = await withoutBridge([{ name: 'a', service, prefetch: 5 }], () => ({ status: 204 }))
  await declare(engine, { limits: [{ rate: 3, per: 'day' }] })
  const first = await engine.openBridge()
  for (let n = 0; n < 3; n++) await engine.start(String(n))
  await engine.outcomesUntil(ended(3))
  await first.close()
  await engine.openBridge()
  await engine.start('4')
  await eventually('it waits', async () => (await waitingAt(engine)) === 1)
  expect(worker.seen).toHaveLength(3)
})

test('while a service does not say for how long, each request to wait that follows a pause is twice as long', () => {
  let now = 1_795_000_000_000
  const pauses = new Pauses(() => now)
  const key = { kind: 'node', nodeId: 'n' } as const
  const asked: number[] = []
  for (let n = 0; n < 12; n++) {
    const limited = pauses.asked('id', key, 1_000, null)
    if (limited === null) throw new Error('it was known')
    pauses.set('id', limited)
    asked.push(Date.parse(limited.until) - now)
    // Who was called at the same time is told the same.
    expect(pauses.asked('id', key, 1_000, null)).toBeNull()
    now = Date.parse(limited.until) + 5
  }
  expect(asked.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000])
  expect(asked.at(-1)).toBe(300_000)
  now += 400_000
  expect(Date.parse(pauses.asked('id', key, 1_000, null)?.until ?? '') - now).toBe(1_000)
})
