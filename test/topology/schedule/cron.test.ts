import { expect, test } from 'vitest'
import { cronFault, timezoneFault } from '../../../runtime/topology/schedule/cron.ts'

test.each([
  '* * * * *', '*/15 9-17 * * mon-fri', '0 0 1,15 JAN *', '30 0 6 * * 7', '0-30/5 * * * *', '@every 1h30m', '@every 1.5s', ' 5 4 * * * ',
  '@hourly', '@Daily', '@yearly', '0 0 ? * mon', '5/15 * * * *', '0 0 29 2 *', '0 0 31 2 mon',
])('the cron text "%s" is right', (text) => {
  expect(cronFault(text)).toBeNull()
}) // prettier-ignore

test.each([
  ['', 'found nothing'],
  ['* * * *', '5 or 6 cron fields'],
  ['* * * * * * *', '5 or 6 cron fields'],
  ['60 * * * *', 'the minute is "60"; expected 0–59'],
  ['* 24 * * *', 'the hour is "24"'],
  ['* * 0 * *', 'the day of month is "0"'],
  ['* * * foo *', 'expected 1–12 or jan–dec'],
  ['60 * * * * *', 'the second is "60"'],
  ['5-1 * * * *', 'the minute is "5-1"'],
  ['*/0 * * * *', 'the minute is "*/0"'],
  ['1,,2 * * * *', 'the minute is "1,,2"'],
  ['1-2-3 * * * *', 'the minute'],
  ['@every soon', '@every 15m'],
  ['@every 1d', 'hours, minutes, seconds and ms'],
  ['@every 10ms', 'at least 1s'],
  ['@reboot', 'found "@reboot"'],
  ['@every 9000h', 'at most 8784h'],
  [`@every ${'9'.repeat(150)}h`, 'found'],
  ['0 0 31 2 *', 'would never fire'],
  ['0 0 30-31 feb *', 'would never fire'],
  ['? * * * *', 'the minute is "?"'],
  ['0 0 L * *', 'the day of month is "L"'],
  ['*/5 * * * *\u0000', 'the day of week'],
])('the cron text "%s" is refused with what is wrong', (text, why) => {
  expect(cronFault(text)).toContain(why)
})

test('time zones are those of the tz database', () => {
  expect([timezoneFault('Europe/Prague'), timezoneFault('UTC')]).toEqual([null, null])
  expect(timezoneFault('+02:00')).toContain('is not a time zone')
  expect(timezoneFault('')).toContain('is not a time zone')
  expect(timezoneFault('Mars/Base')).toContain('"Mars/Base" is not a time zone')
})
