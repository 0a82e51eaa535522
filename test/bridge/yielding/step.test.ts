import fc from 'fast-check'
import { expect, test } from 'vitest'
import { beginning, isAsking, isTaking, step, times } from '../../../runtime/bridge/yielding/step.ts'
import type { Looked, Standing } from '../../../runtime/bridge/yielding/step.ts'
import { can, outlookOf, reaches } from '../../../runtime/call/reach.ts'
import type { Outlook } from '../../../runtime/call/reach.ts'

const cannot: Outlook = { kind: 'cannot', lacks: 'answers', reason: 'refused' }
const may: Outlook = { kind: 'may', lacks: 'called', reason: 'time-out' }
const now = 1_000_000
const stuck = (phase: Standing['phase'], more: Partial<Standing> = {}): Standing => {
  return { ...beginning(0), phase, since: now - 500, stuckAt: now - 3_000, ...more }
}

test.each<[string, Standing, Omit<Looked, 'now'>, Partial<Standing>]>([
  ['Y1 nothing while calls get through', beginning(0), { outlook: can, shownAt: now }, beginning(0)],
  [
    'Y2 the time from the first look',
    beginning(0),
    { outlook: cannot, shownAt: null },
    { phase: 'taking', stuckAt: now },
  ],
  ['Y3 a yield when another one can', stuck('taking'), { outlook: cannot, shownAt: now - 100 }, { phase: 'yielding' }],
  ['Y3 none when none can', stuck('taking'), { outlook: cannot, shownAt: null }, stuck('taking')],
  ['Y3 none on an old answer', stuck('taking'), { outlook: cannot, shownAt: now - times.freshMs - 1 }, stuck('taking')],
  [
    'Y3 none before its time',
    stuck('taking', { stuckAt: now - 2_999 }),
    { outlook: cannot, shownAt: now },
    { phase: 'taking' },
  ],
  [
    'Y4 no change while another one can',
    stuck('yielding'),
    { outlook: cannot, shownAt: now - 6_000 },
    stuck('yielding'),
  ],
  ['Y5 an end when it can', stuck('yielding'), { outlook: can, shownAt: now }, beginning(now)],
  [
    'Y5 an end when no other one can, and more patience',
    stuck('yielding'),
    { outlook: cannot, shownAt: now - times.silentMs - 1 },
    { phase: 'taking', stuckAt: now, patienceMs: 6_000 },
  ],
  [
    'Y5 patience of a minute at most',
    stuck('yielding', { patienceMs: 40_000 }),
    { outlook: cannot, shownAt: null },
    { phase: 'taking', patienceMs: 60_000 },
  ],
  ['Y6 no message at once', stuck('yielding'), { outlook: may, shownAt: now }, stuck('yielding')],
  [
    'Y6 a message after a second',
    stuck('yielding', { since: now - 1_000 }),
    { outlook: may, shownAt: now },
    { phase: 'trying' },
  ],
  [
    'Y6 none before its time is over',
    stuck('yielding', { since: now - 3_999, failures: 2 }),
    { outlook: may, shownAt: now },
    { phase: 'yielding' },
  ],
  [
    'Y6 a message after 30 s however often it failed',
    stuck('yielding', { since: now - 30_000, failures: 50 }),
    { outlook: may, shownAt: now },
    { phase: 'trying' },
  ],
  ['Y6 patience until the message is called', stuck('trying'), { outlook: may, shownAt: now }, stuck('trying')],
  ['Y6 a yield when it failed', stuck('trying'), { outlook: cannot, shownAt: now }, { phase: 'yielding', failures: 1 }],
  ['Y6 an end when it was called', stuck('trying', { failures: 3 }), { outlook: can, shownAt: now }, beginning(now)],
])('%s', (_, standing, looked, expected) => {
  expect(step(standing, { now, ...looked })).toMatchObject(expected)
})

test('the others are asked after two seconds without a call that gets through', () => {
  expect(isAsking(beginning(0), now)).toBe(false)
  expect(isAsking(stuck('taking', { stuckAt: now - 1_999 }), now)).toBe(false)
  expect(isAsking(stuck('taking', { stuckAt: now - 2_000 }), now)).toBe(true)
  expect(isAsking(stuck('yielding'), now)).toBe(true)
})

const outlook = fc.oneof(
  fc.constant(can),
  fc.record({ kind: fc.constantFrom('may', 'cannot'), lacks: fc.constantFrom(...reaches), reason: fc.constant('x') }),
) as fc.Arbitrary<Outlook>
const looks = fc.array(fc.record({ afterMs: fc.nat(8_000), outlook, shownAgoMs: fc.option(fc.nat(20_000)) }), {
  maxLength: 40,
})

test('it never yields while it can call, nor when no other bridge has shown lately that it can', () => {
  fc.assert(
    fc.property(looks, (seen) => {
      let [at, standing] = [0, beginning(0)]
      for (const { afterMs, outlook: one, shownAgoMs } of seen) {
        at += afterMs
        const shownAt = shownAgoMs === null ? null : at - shownAgoMs
        standing = step(standing, { now: at, outlook: one, shownAt })
        if (one.kind === 'can' || shownAgoMs === null || shownAgoMs > times.silentMs)
          expect(standing.phase === 'trying' || isTaking(standing)).toBe(true)
      }
    }),
  )
})

test('a worker is as good as the best of its instances, and one without an address can not be called', () => {
  const unhealthy: Outlook = { kind: 'cannot', lacks: 'healthy', reason: 'status 500' }
  expect(outlookOf([cannot, may, can])).toBe(can)
  expect(outlookOf([unhealthy, may, cannot])).toBe(may)
  expect(outlookOf([unhealthy, cannot])).toBe(cannot)
  expect(outlookOf([])).toMatchObject({ kind: 'cannot', reason: expect.stringContaining('address') as string })
})
