import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Limit } from '../../../runtime/topology/limits/limits.ts'
import { eventually } from '../../support/eventually.ts'
import { limitedFlow, startAll } from './flow.ts'
import type { Limited } from './flow.ts'
import { instant } from './strict.ts'
import type { Ask } from './strict.ts'

/** All bridges know it by then. */
const knownMs = 50

/** The service asks to wait while all call it; which calls came nevertheless. */
async function askWhileCalled({ api, engines }: Limited, ask: Ask) {
  const control = engines[0]?.queues.control
  const before = [...((await control?.limited()) ?? [])].map(([, { times }]) => times)[0] ?? 0
  const askedAt = await api.ask(ask)
  let until = 0
  await eventually('the pause is known', async () => {
    const [one] = [...((await control?.limited()) ?? [])].map(([, limited]) => limited)
    until = one !== undefined && one.times > before ? Date.parse(one.until) : 0
    return until > 0
  })
  await wait(until - instant() + 500)
  const during = api.instants().filter((at) => at > askedAt && at < until)
  const late = during.filter((at) => at > askedAt + knownMs)
  const lastMs = Math.max(0, ...during.map((at) => at - askedAt))
  const after = api.between(until, until + 500)
  return { pausedMs: until - askedAt, during: during.length, late: late.length, lastMs, after }
}

/** An HTTP date that lies so far ahead. */
const dateIn = (seconds: number): string => new Date(Date.now() + seconds * 1_000).toUTCString()

const asks: readonly [name: string, ask: () => Ask, leastMs: number][] = [
  ['seconds', () => ({ retryAfter: '2' }), 1_990],
  ['a date', () => ({ retryAfter: dateIn(3) }), 1_990],
  ['nothing of how long', () => ({ retryAfter: null }), 240],
]

test.each<[string, readonly Limit[]]>([
  ['without a rate', []],
  ['at 100 a second', [{ rate: 100, per: 'second' }]],
])('when a service that four bridges call %s asks to wait, none calls it 50 ms later', async (_name, limits) => {
  const flow = await limitedFlow({
    topologies: [
      [5, 20],
      [5, 20],
    ],
    limits: { limits },
    strict: limits.map(({ rate }) => ({ rate, periodMs: 1_000 })),
    bridges: 4,
    // Without a rate prefetch alone says how many calls there are: not so many that all cores are busy.
    delayMs: limits.length === 0 ? 150 : 10,
  })
  await startAll(flow, limits.length === 0 ? 3_000 : 500)
  await flow.openBridges()
  // Bridges that have just started are busy with other things.
  await flow.api.until(limits.length === 0 ? 1_500 : 200)
  for (const [name, ask, leastMs] of asks) {
    const seen = await askWhileCalled(flow, ask())
    console.log(JSON.stringify({ asked: name, limits, ...seen, rejected: flow.api.rejected }))
    expect(seen.late).toBe(0)
    expect(seen.pausedMs).toBeGreaterThanOrEqual(leastMs)
    expect(seen.after).toBeGreaterThan(5)
  }
  expect(flow.api.rejected).toBe(0)
})
