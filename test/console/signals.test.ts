import { expect, test } from 'vitest'
import type { Why } from '../../runtime/client/openapi.d.ts'
import { seriesOf } from '../../console/src/pages/topology/panel/series.ts'
import { signalOf } from '../../console/src/pages/topology/prefetch/signals.ts'

type Kind = Why['blockers'][number]['kind']

function why(blockers: Partial<Record<Kind, number>>, calls: Why['calls'] = null, inFlight = 5): Why {
  const listed = Object.entries(blockers).map(([kind, count]) => {
    return { kind: kind as Kind, of: 'messages' as const, count, text: '', since: null, until: null }
  })
  return { blockers: listed, calls, inFlight } as unknown as Why
}

const now = Date.parse('2026-03-01T10:15:00Z')

/** A look every ten seconds, the newest last. */
function seenAs(waiting: readonly number[]) {
  const points = waiting.map((one, index) => {
    const at = new Date(now - (waiting.length - index) * 10_000).toISOString()
    return { at, waiting: one, inFlight: 0, ratePerSecond: 0, failed: 0 }
  })
  return seriesOf({ nodeId: 'n', stepSeconds: 10, points }, '15m', now)
}
const often = (count: number, waiting: number) => new Array<number>(count).fill(waiting)
const long = seenAs(often(30, 50))

const calls = (made: number, overloaded: number) => ({ made, overloaded })

test.each([
  ['a queue of ten rounds with all places taken', why({ prefetch: 50, calling: 5 }), 5, 'raise'],
  ['a shorter one', why({ prefetch: 49, calling: 5 }), 5, null],
  ['a long one with places free', why({ prefetch: 50, calling: 4 }, null, 4), 5, null],
  ['a long one of which few calls fail', why({ prefetch: 50, calling: 5 }, calls(100, 19)), 5, 'raise'],
  ['a fifth of enough calls that are too much', why({ prefetch: 50 }, calls(100, 20)), 5, 'lower'],
  ['the same without a queue', why({}, calls(20, 4)), 5, 'lower'],
  ['the same of too few calls', why({}, calls(19, 19)), 5, null],
  ['the same with one at a time', why({ prefetch: 50 }, calls(100, 100), 1), 1, 'keep'],
  ['one message that a worker which is off refused', why({ refused: 1 }, null, 1), 5, 'keep'],
  [
    'a worker that is off, after calls that were too much',
    why({ refused: 5, prefetch: 90 }, calls(100, 90)),
    5,
    'keep',
  ],
  ['a breaker that is open', why({ breaker: 5, prefetch: 90 }, calls(100, 90)), 5, 'keep'],
  ['a worker without an address', why({ 'no-instance': 3 }, null, 3), 5, 'keep'],
  [
    'one refused among many that are called',
    why({ refused: 1, calling: 9, prefetch: 900 }, calls(100, 90), 10),
    10,
    null,
  ],
  ['a worker that asked for a wait, once', why({ busy: 1 }, calls(1, 1), 1), 5, null],
  ['calls that wait for a limit', why({ limit: 5, prefetch: 50 }), 5, 'keep'],
  ['a few of them before a long queue', why({ limit: 1, prefetch: 90, calling: 4 }), 5, 'raise'],
  [
    'calls that wait for a limit, of which half are too much',
    why({ limit: 5, prefetch: 50 }, calls(100, 50)),
    5,
    'keep',
  ],
  ['a limit that holds a full place of a very long queue', why({ limit: 5, prefetch: 900 }, calls(100, 50)), 5, 'keep'],
  ['calls that are too much, of which few wait for a limit', why({ limit: 1, calling: 4 }, calls(100, 50)), 5, 'lower'],
  ['a node that is paused', why({ paused: 90 }, null, 0), 5, null],
  ['bridges that tell nothing of calls', why({ calling: 5 }, null), 5, null],
] as const)('what the figures say of prefetch: %s', (_, figures, prefetch, advice) => {
  expect(signalOf(figures, prefetch, long)?.advice ?? null).toBe(advice)
})

test('a signal names its figures', () => {
  expect(signalOf(why({}, calls(50, 10)), 2, long)?.text).toMatch(/^10 of its 50 calls of the last minute/)
  expect(signalOf(why({ prefetch: 10 }, null, 1), 1, long)?.text).toContain(
    '10 messages wait for a place, and the only one is taken',
  )
})

test.each([
  ['long all the time', [...often(30, 50)], 'raise'],
  ['long most of the last five minutes', [...often(60, 0), ...often(14, 0), ...often(16, 50)], 'raise'],
  ['long half of them', [...often(15, 0), ...often(15, 50)], null],
  ['long before them', [...often(60, 50), ...often(30, 0)], null],
  ['long once', often(1, 50), null],
  ['never seen', [], null],
] as const)('a queue that is long now, and was %s', (_, waiting, advice) => {
  const figures = why({ prefetch: 50, calling: 5 })
  expect(signalOf(figures, 5, seenAs(waiting))?.advice ?? null).toBe(advice)
})

test('nothing is said of a queue whose history isn’t read yet', () => {
  expect(signalOf(why({ prefetch: 50, calling: 5 }), 5, undefined)).toBe(null)
})

test('where calls are too much, it is told what to do of 429, and of the others', () => {
  for (const [blockers, prefetch] of [
    [{}, 5],
    [{}, 1],
    [{ limit: 5 }, 5],
  ] as const)
    expect(signalOf(why(blockers, calls(50, 10)), prefetch, long)?.text).toContain(
      'If they were 429, declare a limit of the service',
    )
})

test('a single message waits, several wait', () => {
  expect(signalOf(why({ refused: 1 }, null, 1), 5, long)?.text).toMatch(/^1 message waits since/)
  expect(signalOf(why({ refused: 2 }, null, 1), 5, long)?.text).toMatch(/^2 messages wait since/)
})
