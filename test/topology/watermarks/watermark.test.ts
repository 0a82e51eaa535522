import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  compareWatermarks,
  kindOf,
  leastWatermark,
  lessLookBack,
} from '../../../runtime/topology/watermarks/watermark.ts'

const none = { lookBackMs: null, lookBackBy: null }
const back = (lookBackMs: number) => ({ ...none, lookBackMs })

test.each([
  ['2026-03-01T10:00:00Z', 'time'],
  ['2026-03-01t10:00:00.123456789+02:00', 'time'],
  ['2026-03-01 10:00:00Z', 'time'],
  ['2026-02-30T10:00:00Z', 'text'],
  ['2026-03-01T24:00:00Z', 'text'],
  ['2026-03-01T10:00:60Z', 'text'],
  ['2026-03-01T10:00:00', 'text'],
  ['2026-03-01', 'text'],
  ['0', 'number'],
  ['-17', 'number'],
  ['1'.repeat(30), 'number'],
  ['1'.repeat(31), 'text'],
  ['1.5', 'text'],
  ['', 'text'],
  ['page-7', 'text'],
] as const)('%j is a %s', (text, kind) => {
  expect(kindOf(text)).toBe(kind)
})

test.each([
  ['2026-03-01T00:00:30Z', 60_000, '2026-02-28T23:59:30Z'],
  ['2026-03-01T00:00:30.123456+02:00', 60_000, '2026-02-28T23:59:30.123456+02:00'],
  ['2026-03-01T00:00:30Z', 500, '2026-03-01T00:00:29.500Z'],
  ['2026-03-01T00:00:30.000001Z', 500, '2026-03-01T00:00:29.500001Z'],
  ['1969-12-31T23:59:59.250Z', 500, '1969-12-31T23:59:58.750Z'],
  ['0000-01-01T00:00:00Z', 1000, '0000-01-01T00:00:00Z'],
])('%s less %i ms is %s', (text, ms, expected) => {
  expect(lessLookBack(text, back(ms))).toBe(expected)
})

test('whole numbers are lessened in their own unit, and what a look-back is not for stays as it is', () => {
  expect(lessLookBack('12345678901234567890', { ...none, lookBackBy: 90 })).toBe('12345678901234567800')
  expect(lessLookBack('5', { ...none, lookBackBy: 7 })).toBe('-2')
  expect(lessLookBack('5', back(7))).toBe('5')
  expect(lessLookBack('page-7', { ...none, lookBackBy: 7 })).toBe('page-7')
  expect(lessLookBack('2026-03-01T00:00:30Z', none)).toBe('2026-03-01T00:00:30Z')
})

test('times are compared as instants, numbers as numbers, and different kinds or texts not at all', () => {
  expect(compareWatermarks('2026-03-01T12:00:00+02:00', '2026-03-01T10:00:00.000Z')).toBe(0)
  expect(compareWatermarks('2026-03-01T12:00:00+02:00', '2026-03-01T10:00:00.000000001Z')).toBeLessThan(0)
  expect(compareWatermarks('9', '10')).toBeLessThan(0)
  expect(compareWatermarks('9', '2026-03-01T10:00:00Z')).toBeNull()
  expect(compareWatermarks('a', 'b')).toBeNull()
  expect(compareWatermarks('a', 'a')).toBe(0)
})

test('the least of some is what none is below, and there is none where two can not be compared', () => {
  expect(leastWatermark(['10', '9', '11'])).toBe('9')
  expect(leastWatermark(['a', 'a'])).toBe('a')
  expect(leastWatermark(['10', 'a'])).toBeNull()
  expect(leastWatermark([])).toBeNull()
})

test('a look-back goes exactly so far back, and keeps kind and offset, whatever the time', () => {
  const offsets = fc.constantFrom('Z', '+00:00', '+13:45', '-11:30')
  const times = fc.date({ min: new Date('0001-01-02'), max: new Date('9998-12-30'), noInvalidDate: true })
  fc.assert(
    fc.property(times, offsets, fc.integer({ min: 1, max: 86_400_000 }), (date, offset, ms) => {
      const text = date.toISOString().replace('Z', offset)
      const earlier = lessLookBack(text, back(ms))
      expect([kindOf(earlier), earlier.endsWith(offset)]).toEqual(['time', true])
      expect(Date.parse(earlier)).toBe(Date.parse(text) - ms)
    }),
  )
})
