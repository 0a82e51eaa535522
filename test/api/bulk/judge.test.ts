import { expect, test } from 'vitest'
import { judge } from '../../../runtime/api/actions/bulk/carry/judge.ts'
import type { Going } from '../../../runtime/api/actions/bulk/carry/judge.ts'

const canary = { first: 1, five: 5 }
const of = (more: Partial<Going>): Going => ({
  ...{ action: 'replay', canary, step: 'first', window: 0, stepBase: 0, baseDone: 0, baseFailed: 0, recent: '' },
  ...{ waiting: 1_000, underWay: 0, done: 0, failedAgain: 0, stopAtFailedPercent: 20, ratePerSecond: null },
  ...more,
})
const ramp = { step: 'ramp', window: 10, stepBase: 6, done: 6 } as const

const goesOn: readonly (readonly [string, Partial<Going>, { step: string; allowed: number }])[] = [
  ['a canary begins with one', {}, { step: 'first', allowed: 1 }],
  ['and waits for it', { underWay: 1 }, { step: 'first', allowed: 0 }],
  ['what was refused or cancelled makes room for another first one', { waiting: 7 }, { step: 'first', allowed: 1 }],
  ['five follow when it ended well', { done: 1 }, { step: 'five', allowed: 5 }],
  ['and no more until they ended', { step: 'five', stepBase: 1, done: 3, underWay: 3 }, { step: 'five', allowed: 0 }],
  ['then ten', { step: 'five', stepBase: 1, done: 6 }, { step: 'ramp', allowed: 10 }],
  ['the ramp is as wide as its window', { ...ramp, underWay: 4 }, { step: 'ramp', allowed: 6 }],
  ['and twice as wide when so many have settled', { ...ramp, done: 16 }, { step: 'ramp', allowed: 20 }],
  ['it ends below all', { ...ramp, window: 1_000, done: 1_006 }, { step: 'all', allowed: 2_000 }],
  ['without a canary all go at once', { canary: null, step: 'all' }, { step: 'all', allowed: 2_000 }],
  [
    'a discard knows no limits of these',
    { action: 'discard', canary: null, step: 'all' },
    { step: 'all', allowed: 5_000 },
  ],
  [
    'a few failures of four say nothing',
    { ...ramp, done: 3, failedAgain: 1, stepBase: 0 },
    { step: 'ramp', allowed: 10 },
  ],
  [
    'failures before it was resumed count no more',
    { ...ramp, baseFailed: 6, failedAgain: 6 },
    { step: 'ramp', allowed: 10 },
  ],
  ['when all is sent there is nothing to stop', { ...ramp, waiting: 0, failedAgain: 50 }, { step: 'ramp', allowed: 0 }],
]

test.each(goesOn)('%s', (_, more, { step, allowed }) => {
  expect(judge(of(more))).toMatchObject({ kind: 'go', stage: { step }, allowed })
})

const stops: readonly (readonly [string, Partial<Going>, object])[] = [
  ['the first one failed', { failedAgain: 1 }, { isFirst: true, failed: 1, settled: 1 }],
  ['too many of all failed', { ...ramp, done: 7, failedAgain: 2 }, { isFirst: false, failed: 2, settled: 9 }],
  [
    'too many of the last ones failed',
    { ...ramp, done: 990, failedAgain: 11, recent: `${'d'.repeat(39)}${'f'.repeat(11)}` },
    { isFirst: false, failed: 11, settled: 50 },
  ],
]

test.each(stops)('it stops when %s', (_, more, stop) => {
  expect(judge(of(more))).toMatchObject({ kind: 'stop', ...stop })
})
