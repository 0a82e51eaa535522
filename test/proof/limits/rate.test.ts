import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { limitedFlow, startAll } from './flow.ts'
import type { Limited } from './flow.ts'
import { instant } from './strict.ts'

/** Calls a second while `ms` pass, as a part of the rate. */
async function utilisation({ api }: Limited, rate: number, ms: number): Promise<number> {
  const from = instant()
  await wait(ms)
  const to = instant()
  return api.between(from, to) / (rate * ((to - from) / 1000))
}

/** Three bridges, four nodes of each of two topologies and one key, when the first second of it is over. */
async function fiftyASecond(): Promise<Limited> {
  const flow = await limitedFlow({
    topologies: [
      [1, 2, 5, 20],
      [1, 2, 5, 20],
    ],
    limits: { limits: [{ rate: 50, per: 'second', burst: 1 }] },
    strict: [{ rate: 50, periodMs: 1_000 }],
    bridges: 3,
  })
  await startAll(flow, 200)
  await flow.openBridges()
  await flow.api.until(50)
  return flow
}

test('three bridges, four nodes and two topologies keep 50 a second for one key, and use nearly all of it', async () => {
  const flow = await fiftyASecond()
  const used = await utilisation(flow, 50, 20_000)
  console.log(JSON.stringify({ used, rejected: flow.api.rejected }))
  expect(flow.api.rejected).toBe(0)
  expect(used).toBeGreaterThanOrEqual(0.94)
})

test('while one of three bridges is killed nothing is rejected, and the others use what is left', async () => {
  const flow = await fiftyASecond()
  const measured = utilisation(flow, 50, 20_000)
  await wait(5_000)
  await flow.bridges[0]?.end('SIGKILL')
  const used = await measured
  console.log(JSON.stringify({ used, rejected: flow.api.rejected }))
  expect(flow.api.rejected).toBe(0)
  expect(used).toBeGreaterThanOrEqual(0.9)
})

test('a tenant without permits takes nothing from another, which runs at its own rate', async () => {
  const flow = await limitedFlow({
    topologies: [[20]],
    limits: { limits: [{ rate: 20, per: 'second', burst: 1, scope: 'tenant' }] },
    strict: [{ rate: 20, periodMs: 1_000, by: 'sluice-tenant' }],
    bridges: 2,
  })
  await startAll(flow, 1_500, 'many')
  await startAll(flow, 400, 'few')
  await flow.openBridges()
  await flow.api.until(20, 'few')
  const from = instant()
  await wait(10_000)
  const to = instant()
  const used = (tenant: string): number => flow.api.between(from, to, tenant) / (20 * ((to - from) / 1000))
  console.log(JSON.stringify({ few: used('few'), many: used('many'), rejected: flow.api.rejected }))
  expect(flow.api.rejected).toBe(0)
  expect(used('few')).toBeGreaterThanOrEqual(0.94)
  // Its own permits are for who comes back by schedules, which the server fires in flocks.
  expect(used('many')).toBeGreaterThanOrEqual(0.75)
})

test('of two tiers neither is ever over, and a limit per tenant holds beside one for all', async () => {
  const flow = await limitedFlow({
    topologies: [[10, 10]],
    limits: {
      limits: [
        { rate: 40, per: 'second' },
        { rate: 300, per: 'minute' },
        { rate: 15, per: 'second', scope: 'tenant' },
      ],
    },
    strict: [
      { rate: 40, periodMs: 1_000 },
      { rate: 300, periodMs: 60_000 },
      { rate: 15, periodMs: 1_000, by: 'sluice-tenant' },
    ],
    bridges: 2,
  })
  for (const tenant of ['a', 'b', 'c', 'd']) await startAll(flow, 50, tenant)
  await flow.openBridges()
  const from = performance.now()
  await flow.api.until(270)
  const seconds = (performance.now() - from) / 1000
  await wait(4_000)
  const { calls, rejected } = flow.api
  const all = [...calls.values()].reduce((sum, list) => sum + list.length, 0)
  console.log(JSON.stringify({ calls: all, seconds, rejected }))
  expect(rejected).toBe(0)
  // A permit that was lost between two limits is not made up for.
  expect(all).toBeGreaterThanOrEqual(270)
  expect(all).toBeLessThanOrEqual(300)
})

test('a thousand keys are limited at once, each by itself', async () => {
  const flow = await limitedFlow({
    topologies: [[20, 20]],
    limits: { limits: [{ rate: 1, per: 'second', burst: 1, scope: 'tenant' }] },
    strict: [{ rate: 1, periodMs: 1_000, by: 'sluice-tenant' }],
    bridges: 2,
    delayMs: 1,
  })
  for (let round = 0; round < 3; round++)
    for (let n = 0; n < 1_000; n++) await flow.engines[0]?.start('1', { tenant: `tenant ${n}` })
  await flow.openBridges()
  const begun = performance.now()
  await flow.api.until(6_000)
  const seconds = (performance.now() - begun) / 1000
  console.log(JSON.stringify({ keys: flow.api.calls.size, calls: 6_000, seconds, rejected: flow.api.rejected }))
  // With all cores busy a few calls take longer on their way than head-room has for that.
  expect(flow.api.rejected).toBeLessThanOrEqual(60)
  expect(flow.api.calls.size).toBe(1_000)
})

test('a worker that closes its connections, and takes 30 ms to open one, is called at nearly all of the rate', async () => {
  const flow = await limitedFlow({
    topologies: [[5, 20]],
    limits: { limits: [{ rate: 50, per: 'second', burst: 1 }] },
    strict: [{ rate: 50, periodMs: 1_000 }],
    bridges: 2,
    connectMs: 30,
  })
  await startAll(flow, 400)
  await flow.openBridges()
  await flow.api.until(50)
  const used = await utilisation(flow, 50, 10_000)
  console.log(JSON.stringify({ used, rejected: flow.api.rejected }))
  expect(flow.api.rejected).toBe(0)
  expect(used).toBeGreaterThanOrEqual(0.9)
})
