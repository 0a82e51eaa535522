/** Whose time is shown: that of the place where the reader is, or UTC. */
export const zones = ['local', 'utc'] as const
export type Zone = (typeof zones)[number]

/** How a moment is told: all of it, by the clock to the second or the minute. */
export type Detail = 'whole' | 'second' | 'minute'

const minute = { hour: '2-digit', minute: '2-digit' } as const
const second = { ...minute, second: '2-digit' } as const
const day = { month: 'short', day: '2-digit' } as const
const date = { year: 'numeric', ...day } as const
const details: Readonly<Record<Detail, Intl.DateTimeFormatOptions>> = {
  whole: { ...date, ...second },
  second,
  minute,
}

const formats = new Map<string, Intl.DateTimeFormat>()

function format(zone: Zone, options: Intl.DateTimeFormatOptions, when: Date | number): string {
  const name = JSON.stringify([zone, options])
  const known =
    formats.get(name) ?? new Intl.DateTimeFormat(undefined, zone === 'utc' ? { ...options, timeZone: 'UTC' } : options)
  formats.set(name, known)
  return known.format(when)
}

/** `Nov 27, 2026, 13:05:09`, `13:05:09`; in UTC it says so. */
export function moment(when: Date | number, zone: Zone, detail: Detail): string {
  return `${format(zone, details[detail], when)}${zone === 'utc' ? ' UTC' : ''}`
}

/** By the clock, with the day unless that is today's. */
export function clockOn(when: Date, now: number, zone: Zone, detail: 'second' | 'minute'): string {
  const isToday = format(zone, date, when) === format(zone, date, now)
  return isToday ? moment(when, zone, detail) : `${format(zone, day, when)} ${moment(when, zone, 'minute')}`
}

/** What stands over an axis of times: ticks are too narrow to say that they are UTC. */
export function axisOf(title: string, zone: Zone): string {
  return zone === 'utc' ? `${title} (times in UTC)` : title
}

/** The minute on a narrow axis; whose it is, `axisOf` says over it. */
export function tickOf(when: number, zone: Zone): string {
  return format(zone, minute, when)
}
