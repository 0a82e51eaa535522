import { expect, test } from 'vitest'
import type { Why } from '../../runtime/client/openapi.d.ts'
import { signalOf } from '../../console/src/pages/topology/prefetch/signals.ts'

type Kind = Why['blockers'][number]['kind']

function why(blockers: Partial<Record<Kind, number>>, calls: Why['calls'] = null, inFlight = 5): Why {
  const listed = Object.entries(blockers).map(([kind, count]) => {
    return { kind: kind as Kind, of: 'messages' as const, count, text: '', since: null, until: null }
  })
  return { blockers: listed, calls, inFlight } as unknown as Why
}

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
  ['a node that is paused', why({ paused: 90 }, null, 0), 5, null],
  ['bridges that tell nothing of calls', why({ calling: 5 }, null), 5, null],
] as const)('what the figures say of prefetch: %s', (_, figures, prefetch, advice) => {
  expect(signalOf(figures, prefetch)?.advice ?? null).toBe(advice)
})

test('a signal names its figures', () => {
  expect(signalOf(why({}, calls(50, 10)), 2)?.text).toMatch(/^10 of its 50 calls of the last minute/)
  expect(signalOf(why({ prefetch: 10 }, null, 1), 1)?.text).toContain(
    '10 messages wait for a place, and the only one is taken',
  )
})
