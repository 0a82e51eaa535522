import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cronFault } from '../../../runtime/topology/schedule/cron.ts'
import { cronTimes, instantsAfter, newestUpTo, nextAfter } from '../../../runtime/topology/schedule/next.ts'

const anchor = new Date('2026-01-01T00:00:00Z')

/** The next firings by the clock of the zone, and in UTC. */
function firings(cron: string, timezone: string, from: string, count: number): string[] {
  return instantsAfter({ cron, timezone, anchor }, new Date(from), count).map((at) => {
    const local = at.toLocaleString('sv-SE', { timeZone: timezone }).slice(5, 16)
    return `${local} (${at.toISOString().slice(11, 16)})`
  })
}

describe('on a day that skips an hour', () => {
  test.each([
    ['30 2 * * *', 'Europe/Prague', '2026-03-28T12:00Z', ['03-29 03:00 (01:00)', '03-30 02:30 (00:30)']],
    ['0 2 * * *', 'America/New_York', '2026-03-07T12:00Z', ['03-08 03:00 (07:00)', '03-09 02:00 (06:00)']],
    // Its clock goes on by half an hour.
    ['15 2 * * *', 'Australia/Lord_Howe', '2026-10-03T12:00Z', ['10-04 02:30 (15:30)', '10-05 02:15 (15:15)']],
    ['30 2 * * *', 'Australia/Sydney', '2026-10-03T12:00Z', ['10-04 03:00 (16:00)', '10-05 02:30 (15:30)']],
    ['0 0 * * *', 'America/Sao_Paulo', '2018-11-03T12:00Z', ['11-04 01:00 (03:00)', '11-05 00:00 (02:00)']],
    ['0,30 2 * * *', 'Europe/Prague', '2026-03-28T12:00Z', ['03-29 03:00 (01:00)', '03-30 02:00 (00:00)']],
    ['0 1,2,3 * * *', 'Europe/Prague', '2026-03-28T23:30Z', ['03-29 01:00 (00:00)', '03-29 03:00 (01:00)']],
  ])('the named time %s in %s comes once, right after the gap if it lies in it', (cron, zone, from, expected) => {
    expect(firings(cron, zone, from, 2)).toEqual(expected)
  })

  test.each([
    ['*/30 * * * *', 'Europe/Prague', '2026-03-29T00:15Z', ['03-29 01:30 (00:30)', '03-29 03:00 (01:00)']],
    ['*/15 * * * *', 'Australia/Lord_Howe', '2026-10-03T15:10Z', ['10-04 01:45 (15:15)', '10-04 02:30 (15:30)']],
    ['*/30 2 * * *', 'Europe/Prague', '2026-03-28T12:00Z', ['03-30 02:00 (00:00)', '03-30 02:30 (00:30)']],
  ])('%s in %s goes by the time that passes', (cron, zone, from, expected) => {
    expect(firings(cron, zone, from, 2)).toEqual(expected)
  })
})

describe('on a day with an hour that comes twice', () => {
  test.each([
    ['30 2 * * *', 'Europe/Prague', '2026-10-24T12:00Z', ['10-25 02:30 (00:30)', '10-26 02:30 (01:30)']],
    ['30 1 * * *', 'America/New_York', '2026-10-31T12:00Z', ['11-01 01:30 (05:30)', '11-02 01:30 (06:30)']],
    ['45 1 * * *', 'Australia/Lord_Howe', '2026-04-04T12:00Z', ['04-05 01:45 (14:45)', '04-06 01:45 (15:15)']],
    ['30 2 * * *', 'Australia/Sydney', '2026-04-04T12:00Z', ['04-05 02:30 (15:30)', '04-06 02:30 (16:30)']],
    ['0 2,3 * * *', 'Europe/Prague', '2026-10-24T12:00Z', ['10-25 02:00 (00:00)', '10-25 03:00 (02:00)']],
  ])('the named time %s in %s comes once, the first time', (cron, zone, from, expected) => {
    expect(firings(cron, zone, from, 2)).toEqual(expected)
  })

  test.each([
    ['30 * * * *', 'Europe/Prague', '2026-10-25T00:00Z', ['10-25 02:30 (00:30)', '10-25 02:30 (01:30)']],
    ['*/15 * * * *', 'Australia/Lord_Howe', '2026-04-04T14:40Z', ['04-05 01:45 (14:45)', '04-05 01:30 (15:00)']],
    ['0 * * * *', 'America/New_York', '2026-11-01T04:30Z', ['11-01 01:00 (05:00)', '11-01 01:00 (06:00)']],
  ])('%s in %s goes by the time that passes, and comes in both', (cron, zone, from, expected) => {
    expect(firings(cron, zone, from, 2)).toEqual(expected)
  })
})

test('@every counts from its anchor, whatever the clock does', () => {
  const every = { cron: '@every 90m', timezone: 'Europe/Prague', anchor }
  expect(nextAfter(every, anchor)?.toISOString()).toBe('2026-01-01T01:30:00.000Z')
  expect(nextAfter(every, new Date('2026-01-01T01:30:00Z'))?.toISOString()).toBe('2026-01-01T03:00:00.000Z')
  expect(nextAfter(every, new Date('2025-12-31T00:00:00Z'))?.toISOString()).toBe('2026-01-01T01:30:00.000Z')
})

test('a day that is named in both ways is either of them', () => {
  expect(firings('0 0 13 * fri', 'UTC', '2026-10-03T15:00Z', 3)).toEqual([
    '10-09 00:00 (00:00)',
    '10-13 00:00 (00:00)',
    '10-16 00:00 (00:00)',
  ])
})

const seldom = { cron: '0 0 29 2 *', timezone: 'UTC', anchor }
test('the newest instant that was missed is found after any outage', () => {
  const secondly = { cron: '* * * * * *', timezone: 'Europe/Prague', anchor }
  const [from, now] = [new Date('2020-01-01T00:00:00Z'), new Date('2026-01-01T00:00:00Z')]
  expect(newestUpTo(secondly, from, now)).toEqual(now)
  expect(newestUpTo(seldom, from, now)?.toISOString()).toBe('2024-02-29T00:00:00.000Z')
  expect(newestUpTo(seldom, new Date('2025-01-01T00:00:00Z'), now)).toBeNull()
})

const range = (min: number, max: number) =>
  fc.tuple(fc.integer({ min, max }), fc.integer({ min, max })).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`)
const item = (min: number, max: number) =>
  fc
    .tuple(
      fc.oneof(fc.constant('*'), fc.integer({ min, max }).map(String), range(min, max)),
      fc.option(fc.integer({ min: 1, max })),
    )
    .map(([of, step]) => (step === null ? of : `${of}/${step}`))
const field = (min: number, max: number) =>
  fc.array(item(min, max), { minLength: 1, maxLength: 3 }).map((items) => items.join(','))
const cronText = fc
  .tuple(field(0, 59), field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 7))
  .map((fields) => fields.join(' '))

test.each(['0 0 * * 7/1', '0 0 * * 07/3', '0 0 * * 7/2,7'])('%s is Sunday', (cron) => {
  const [sunday] = instantsAfter({ cron, timezone: 'UTC', anchor }, new Date('2026-03-01T12:00:00Z'), 1)
  expect(sunday?.toISOString()).toBe('2026-03-08T00:00:00.000Z')
})

test('every text without faults has firings, each at an instant that its fields name, in order', () => {
  fc.assert(
    fc.property(cronText, fc.integer({ min: 0, max: 4_000_000_000 }), (cron, seconds) => {
      fc.pre(cronFault(cron) === null)
      const from = new Date(seconds * 1000)
      const all = instantsAfter({ cron, timezone: 'UTC', anchor }, from, 3)
      expect(all).toHaveLength(3)
      expect(all.every((at, index) => at > (all[index - 1] ?? from))).toBe(true)
      expect(all.every((at) => cronTimes(cron, 'UTC').match(at))).toBe(true)
    }),
    { numRuns: 100 },
  )
})
