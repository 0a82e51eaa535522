import { Invalid } from '../../errors.ts'

const unitsMs: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** For commander: reads until when something is good, as a time or as how long from now, such as `30d`; RFC 3339. */
export function expiry(flag: string): (text: string) => string {
  return (text) => {
    const [, count, unit = ''] = /^(\d{1,5})([hdw])$/.exec(text) ?? []
    if (count !== undefined) return new Date(Date.now() + Number(count) * (unitsMs[unit] ?? 0)).toISOString()
    if (!/^\d{4}-\d\d-\d\d([T ]|$)/.test(text) || Number.isNaN(Date.parse(text)))
      throw new Invalid(
        `${flag} takes a time such as 2027-01-01T00:00:00Z, or how long, such as 12h, 30d, 4w; found "${text}"`,
      )
    const time = new Date(text)
    if (time.getTime() <= Date.now()) throw new Invalid(`${flag} takes a time to come; ${text} is over`)
    return time.toISOString()
  }
}
