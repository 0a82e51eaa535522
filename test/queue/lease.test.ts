import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Connection } from '../../runtime/queue/connection.ts'
import { openLeaseClock } from '../../runtime/queue/deliver/lease.ts'
import type { LeaseClock } from '../../runtime/queue/deliver/lease.ts'

let change: (connected: boolean) => void
let clock: LeaseClock
beforeEach(() => {
  vi.useFakeTimers()
  const connection = {
    onChange(listener: (connected: boolean) => void) {
      change = listener
      return () => undefined
    },
  }
  clock = openLeaseClock(connection as unknown as Connection)
})
afterEach(() => {
  clock.close()
  vi.useRealTimers()
})

test('a lease is valid for less than the ack wait', () => {
  const lease = clock.take(false)
  vi.advanceTimersByTime(3_900)
  expect(lease.valid()).toBe(true)
  vi.advanceTimersByTime(200)
  expect(lease.valid()).toBe(false)
})

test('a confirmed beat makes it longer, counted from when it was sent', () => {
  const lease = clock.take(false)
  vi.advanceTimersByTime(3_000)
  lease.confirm(performance.now() - 500)
  vi.advanceTimersByTime(3_300)
  expect(lease.valid()).toBe(true)
  vi.advanceTimersByTime(300)
  expect(lease.valid()).toBe(false)
})

test('a lease that ran out stays void, whatever is confirmed afterwards', () => {
  const lease = clock.take(false)
  vi.advanceTimersByTime(4_100)
  lease.confirm(performance.now())
  expect(lease.valid()).toBe(false)
})

test.each([false, true])(
  'a change of the connection to connected=%s voids every lease taken before it',
  (connected) => {
    const lease = clock.take(false)
    change(connected)
    expect(lease.valid()).toBe(false)
    expect(clock.take(false).valid()).toBe(true)
  },
)

test('a stall of the event loop over a second voids every lease, before the timer has noticed', () => {
  const lease = clock.take(false)
  vi.setSystemTime(Date.now() + 1_100)
  const stalledAt = performance.now() + 1_100
  vi.spyOn(performance, 'now').mockReturnValue(stalledAt)
  expect(lease.valid()).toBe(false)
  vi.restoreAllMocks()
})

test('the lease of a delivery in doubt is void from the beginning: somebody else may hold the message still', () => {
  const lease = clock.take(true)
  lease.confirm(performance.now())
  expect(lease.valid()).toBe(false)
})

test('a lease ends after five minutes, however well it is beaten', () => {
  const lease = clock.take(false)
  for (let ms = 0; ms < 299_000; ms += 1_000) {
    expect(lease.valid()).toBe(true)
    vi.advanceTimersByTime(1_000)
    lease.confirm(performance.now())
  }
  vi.advanceTimersByTime(2_000)
  expect(lease.valid()).toBe(false)
})
