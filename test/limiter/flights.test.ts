import { setMaxListeners } from 'node:events'
import { describe, expect, test, vi } from 'vitest'
import type { FlightState } from '../../runtime/limiter/flights/claim.ts'
import type { Flights } from '../../runtime/limiter/flights/flights.ts'
import { memoryCells } from './cells.ts'
import { bridgesOf, clocked, epoch, pause, serverNow } from './clocked.ts'

const waiting = { turn: 'n', cost: 1, mayLeave: false, timesAway: 0, mustLeave: false }
const stay = new AbortController().signal
setMaxListeners(0, stay)

/** What bridges do with their calls in flight in some seconds. */
class Calls {
  readonly of: number[] = []
  open = 0
  mostOpen = 0
  #isOver = false

  /** Messages come one after the other to each place of the bridge, and take so long between two calls. */
  async make(flights: Flights, place: number, { callMs, betweenMs }: { callMs: number; betweenMs: number }) {
    while (!this.#isOver) {
      if (!flights.take('n')) await flights.wait(waiting, stay)
      this.mostOpen = Math.max(this.mostOpen, ++this.open)
      await pause(callMs)
      this.open--
      this.of[place] = (this.of[place] ?? 0) + 1
      flights.end('n', callMs)
      await pause(betweenMs)
    }
  }

  end(): void {
    this.#isOver = true
  }
}

/** So many calls of each of three bridges, a second. */
function callsOf(max: number, places: number): Promise<{ perSecond: number[]; mostOpen: number }> {
  return clocked(async () => {
    const cells = memoryCells()
    cells.hold = () => pause(1)
    const bridges = bridgesOf(3, max, cells)
    const calls = new Calls()
    for (const [n, one] of bridges.entries())
      for (let place = 0; place < places; place++) void calls.make(one, n, { callMs: 1, betweenMs: 3 })
    await vi.advanceTimersByTimeAsync(4_000)
    calls.end()
    return { perSecond: calls.of.map((count) => count / 4), mostOpen: calls.mostOpen }
  })
}

describe('a place among calls in flight that bridges have one after the other', () => {
  test.each([
    { places: 1, max: 1, least: 30 },
    { places: 6, max: 1, least: 60 },
    { places: 6, max: 4, least: 200 },
  ])('changes hands at once, and each has as many of them: $max of $places', async ({ places, max, least }) => {
    const { perSecond, mostOpen } = await callsOf(max, places)
    expect(mostOpen).toBe(max)
    for (const one of perSecond) expect(one).toBeGreaterThan(least)
    expect(Math.max(...perSecond)).toBeLessThan(1.5 * Math.min(...perSecond))
  })

  test('is taken by another when the bridge whose turn it would be is gone', async () => {
    await clocked(async () => {
      const dead = { have: 0, want: 1, until: epoch + 10_000, since: 0 }
      const [one] = bridgesOf(1, 1, memoryCells({ k: { holders: { dead } } }))
      const left = one?.wait(waiting, stay)
      await vi.advanceTimersByTimeAsync(100)
      expect(await Promise.race([left, pause(0)])).toMatchObject({ kind: 'permit' })
    })
  })
})

test('a bridge that is cut off begins no call by a lease that is over, and goes on when it is there again', async () => {
  await clocked(async () => {
    const cells = memoryCells()
    const [one] = bridgesOf(1, 2, cells)
    if (one === undefined) throw new Error('no bridge')
    await one.wait(waiting, stay)
    await one.wait(waiting, stay)
    cells.hold = () => Promise.reject(new Error('no answer'))
    one.end('n', 1)
    expect(one.take('n')).toBe(true)
    await vi.advanceTimersByTimeAsync(9_500)
    expect(one.isAway).toBe(true)
    one.end('n', 1)
    expect(one.take('n')).toBe(false)
    const left = one.wait(waiting, stay)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(one.waiting).toBe(1)
    cells.hold = () => Promise.resolve()
    await vi.advanceTimersByTimeAsync(1_100)
    expect(await left).toMatchObject({ kind: 'permit' })
    expect(one.isAway).toBe(false)
  })
})

const holdersOf = (cells: ReturnType<typeof memoryCells>): string[] =>
  Object.keys((cells.state('k') as FlightState | null)?.holders ?? {})

test('a bridge that closes holds nothing any more, also while it asks for some', async () => {
  await clocked(async () => {
    const cells = memoryCells()
    cells.hold = () => pause(5)
    const [one, other] = bridgesOf(2, 1, cells)
    void one?.wait(waiting, AbortSignal.timeout(1_000)).catch(() => undefined)
    await vi.advanceTimersByTimeAsync(1)
    const closed = one?.close()
    await vi.advanceTimersByTimeAsync(20)
    await closed
    expect(holdersOf(cells)).toEqual([])
    const begun = serverNow()
    const left = other?.wait(waiting, stay)
    await vi.advanceTimersByTimeAsync(20)
    await left
    expect(serverNow() - begun).toBeLessThan(30)
  })
})
