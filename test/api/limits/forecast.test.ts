import fc from 'fast-check'
import { expect, test } from 'vitest'
import { instantOfLast } from '../../../runtime/api/actions/limits/forecast.ts'
import { forecastOf, sharedWith } from '../../../runtime/api/actions/limits/backlog.ts'
import type { Forecast } from '../../../runtime/api/actions/limits/backlog.ts'
import { estimateOf } from '../../../runtime/api/actions/look/estimate.ts'
import type { NodeFacts } from '../../../runtime/api/actions/look/facts.ts'
import type { Blocker } from '../../../runtime/api/actions/look/why.ts'
import { noPermits, reserve } from '../../../runtime/limiter/permits.ts'
import type { PermitState } from '../../../runtime/limiter/permits.ts'
import { tiersOf } from '../../../runtime/limiter/rules.ts'
import type { Limit } from '../../../runtime/topology/limits/limits.ts'

const now = Date.parse('2026-03-01T10:00:00Z')

const limit = fc.record({
  rate: fc.integer({ min: 1, max: 500 }),
  per: fc.constantFrom('second', 'minute', 'hour', 'day' as const),
  burst: fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined }),
})

/** The instant of the last of so many calls, each reserved. */
function reserved(state: PermitState, limits: readonly Limit[], calls: number, cost: number): number {
  const costs = Array.from({ length: calls }, () => cost)
  const { permits } = reserve(state, tiersOf({ limits }, 'global'), { now, from: now, aheadMs: Infinity, costs })
  return permits.at(-1)?.at ?? now
}

test('of one limit the end that is told is that of the calls one by one, but for a bucket of each period', () => {
  fc.assert(
    fc.property(limit, fc.nat(60), fc.integer({ min: 1, max: 300 }), (one, used, calls) => {
      const tiers = tiersOf({ limits: [one] }, 'global')
      const [{ periodMs } = { periodMs: 0 }] = tiers
      const before = now - periodMs
      const costs = Array.from({ length: used }, () => 1)
      const { state } = reserve(noPermits, tiers, { now: before, from: before, aheadMs: periodMs, costs })
      const slack = 0.04 * Math.max(1_000, reserved(state, [one], calls, 1) - now) + periodMs / 30
      const told = instantOfLast(state, tiers, { from: now, calls, cost: 1 })
      expect(Math.abs(told - reserved(state, [one], calls, 1))).toBeLessThan(slack)
    }),
    { numRuns: 200 },
  )
})

test('it is known at once, however many there are', () => {
  const tiers = tiersOf(
    {
      limits: [
        { rate: 40, per: 'second' },
        { rate: 10_000, per: 'day' },
      ],
    },
    'global',
  )
  const at = instantOfLast(noPermits, tiers, { from: now, calls: 1_000_000, cost: 1 })
  const days = (at - now) / 86_400_000
  expect(days).toBeGreaterThan(99)
  expect(days).toBeLessThan(102)
})

const limiting = {
  ...{ now, pausedUntil: 0, state: noPermits, isPerTenant: false, isBinding: true, callsPerSecond: 0 },
  tiers: tiersOf({ limits: [{ rate: 10, per: 'second' }] }, 'global'),
}
const waits = { topology: 't', node: 'a', cost: 1, messages: 100, lastDelay: null, stop: null, isComplete: true }

test.each([
  ['nothing waits', [], {}, { secondsLeft: 0, by: 'nothing-waits' }],
  ['the limit is what it waits for', [waits], { callsPerSecond: 3 }, { secondsLeft: 11, by: 'declared' }],
  ['each call counts for five', [{ ...waits, cost: 5 }], {}, { secondsLeft: 52, by: 'declared' }],
  ['two nodes share it', [waits, { ...waits, node: 'b' }], {}, { secondsLeft: 21, by: 'declared' }],
  ['the service asked to wait', [waits], { pausedUntil: now + 60_000 }, { secondsLeft: 71, by: 'declared' }],
  [
    'workers are slower than the limit',
    [waits],
    { isBinding: false, callsPerSecond: 2 },
    { secondsLeft: 50, by: 'observed' },
  ],
  ['nothing was called yet', [waits], { isBinding: false }, { secondsLeft: 11, by: 'declared' }],
  ['limits are per tenant', [waits], { isPerTenant: true, callsPerSecond: 20 }, { secondsLeft: 5, by: 'observed' }],
  [
    'turns of a tenant are far ahead',
    [{ ...waits, lastDelay: new Date(now + 90_000).toISOString() }],
    { isPerTenant: true, callsPerSecond: 20 },
    { secondsLeft: 90, by: 'observed' },
  ],
  ['nobody knows whose they are', [waits], { isPerTenant: true }, { secondsLeft: null, by: null }],
  ['a node rests', [{ ...waits, stop: 't/a is paused' }], {}, { secondsLeft: null, reason: /t\/a is paused/ }],
  ['there are too many to count', [{ ...waits, isComplete: false }], {}, { secondsLeft: null, reason: /more delayed/ }],
  ['no rate is declared', [waits], { tiers: [] }, { secondsLeft: null, reason: /no rate is declared/ }],
])('when %s, the end is told by that', (_, backlogs, more, { reason, ...expected }: Record<string, unknown>) => {
  const told = forecastOf(backlogs, { ...limiting, ...more })
  expect(told).toMatchObject(expected)
  if (reason instanceof RegExp) expect(told.reason).toMatch(reason)
  else expect(told.reason === null).toBe(expected['by'] !== null)
})

test('before the last message of a node others that share its service are called as often as it, or are done', () => {
  const backlogs = [
    waits,
    { ...waits, node: 'more', messages: 5_000, isComplete: false },
    { ...waits, node: 'fewer', messages: 7, lastDelay: new Date(now).toISOString() },
    { ...waits, node: 'rests', stop: 'it is paused' },
  ]
  expect(sharedWith({ topology: 't', node: 'a', messages: 40 }, backlogs)).toMatchObject([
    { node: 'a', messages: 40 },
    { node: 'more', messages: 40, isComplete: true },
    { node: 'fewer', messages: 7, lastDelay: null },
  ])
})

const declared: Forecast = {
  doneAt: new Date(now + 500_000).toISOString(),
  secondsLeft: 500,
  by: 'declared',
  reason: null,
}
const unsure: Forecast = { doneAt: null, secondsLeft: null, by: null, reason: 'nobody knows whose they are' }
const atLimit: Blocker = { kind: 'limit', of: 'messages', count: 1, text: '', since: null, until: null }

test.each([
  ['messages wait for a limit', 20, [atLimit], declared, { secondsLeft: 500, by: 'declared' }],
  ['nothing was called in the last seconds', 0, [atLimit], declared, { secondsLeft: 500, by: 'declared' }],
  ['a bridge is silent', null, [atLimit], declared, { secondsLeft: 500, by: 'declared' }],
  ['a quota ends before the backlog', 20, [], declared, { secondsLeft: 500, by: 'declared' }],
  ['the worker is slower than the limit', 0.1, [], declared, { secondsLeft: 1_000, by: 'observed' }],
  ['nothing is declared', 20, [], null, { secondsLeft: 5, by: 'observed' }],
  ['limits are per tenant, and nothing was called', 0, [atLimit], unsure, { by: null, reason: unsure.reason }],
  ['limits are per tenant, and some was settled', 20, [atLimit], unsure, { secondsLeft: 5, by: 'observed' }],
])('when %s, the end of a node is told by that', (_, ratePerSecond, blockers, limits, expected) => {
  const depth = { pending: 98, inFlight: 2 }
  const facts = { depth, delays: [], ratePerSecond } as unknown as NodeFacts
  expect(estimateOf(facts, blockers, limits, now)).toMatchObject(expected)
})
