import { expect, test } from 'vitest'
import { Pauses } from '../../runtime/limiter/pauses.ts'
import type { LimitKey } from '../../runtime/queue/limits/told.ts'

const key: LimitKey = { kind: 'service', service: 'geo', who: null, isOwn: false }

/** How long each 429 pauses, in milliseconds, when each comes right after the pause before. */
function pausesAfter(retryAfters: readonly (number | null)[]): number[] {
  let now = Date.parse('2026-03-01T10:00:00Z')
  const pauses = new Pauses(() => now)
  return retryAfters.map((retryAfterMs) => {
    const limited = pauses.asked('geo', key, retryAfterMs ?? 1_000, retryAfterMs)
    pauses.set('geo', limited)
    const ms = Date.parse(limited?.until ?? '') - now
    now += ms
    return ms
  })
}

test('a backoff without Retry-After doubles itself, not what the service asked for before', () => {
  expect(pausesAfter([null, null, null])).toEqual([1_000, 2_000, 4_000])
  expect(pausesAfter([60_000, null, null])).toEqual([60_000, 1_000, 2_000])
  expect(pausesAfter([null, null, 500, null])).toEqual([1_000, 2_000, 500, 1_000])
})
