import { expect, test } from 'vitest'
import { seriesOf } from '../../console/src/pages/topology/panel/series.ts'
import { orDash, progressText, grouped } from '../../console/src/parts/show/format.ts'
import { axisOf, clockOn, moment } from '../../console/src/parts/zone/moment.ts'

const now = Date.parse('2026-03-01T10:00:00Z')

const historyOf = (stepSeconds: number, ...secondsAgo: readonly number[]) => ({
  nodeId: 'n',
  stepSeconds,
  points: secondsAgo.map((ago) => ({
    at: new Date(now - ago * 1_000).toISOString(),
    ...{ waiting: ago, inFlight: 0, ratePerSecond: 0, failed: 0 },
  })),
})

test.each([
  ['15m', 10, 900],
  ['24h', 60, 86_400],
] as const)('a chart of %s begins that long ago, however much was seen', (range, step, seconds) => {
  for (const seen of [[], [step], [seconds + 5, step]])
    expect(seriesOf(historyOf(step, ...seen), range, now).span).toEqual([now / 1_000 - seconds, now / 1_000])
})

test('a chart ends with what was seen last, also by an engine whose clock is ahead', () => {
  expect(seriesOf(historyOf(10, -30), '15m', now).span).toEqual([now / 1_000 - 870, now / 1_000 + 30])
})

test('where nobody looked a chart has a gap', () => {
  const { times, columns } = seriesOf(historyOf(10, 60, 50, 20), '15m', now)
  expect(times.map((time) => now / 1_000 - time)).toEqual([60, 50, 40, 20])
  expect(columns.waiting).toEqual([60, 50, null, 20])
})

test.each([
  ['135233/135233', `${grouped(135_233)}/${grouped(135_233)}`],
  ['7/12', '7/12'],
  ['page 135233 of many', 'page 135233 of many'],
  ['1234567890123456/1', '1234567890123456/1'],
  [null, null],
])('progress %j is shown as %j', (progress, shown) => {
  expect(progressText(progress)).toBe(shown)
})

test('a number that isn’t known is a dash', () => {
  expect([orDash(null, grouped), orDash(0, grouped), orDash(1, grouped)]).toEqual(['–', '0', '1'])
})

test('times in UTC say so, and have their day unless it is today’s', () => {
  expect(moment(now, 'utc', 'whole')).toMatch(/2026.*10:00:00.*UTC$/)
  expect(moment(now, 'local', 'second')).not.toContain('UTC')
  expect(clockOn(new Date(now - 3_600_000), now, 'utc', 'second')).toMatch(/^0?9:00:00.* UTC$/)
  expect(clockOn(new Date(now - 11 * 3_600_000), now, 'utc', 'second')).toMatch(/28.*11:00.* UTC$/)
})

test('an axis of times says that they are UTC, since its ticks don’t', () => {
  expect([axisOf('Waiting', 'utc'), axisOf('Waiting', 'local')]).toEqual(['Waiting (times in UTC)', 'Waiting'])
})
