/** When a schedule fires. Pure; the texts must be without faults by cron.ts. */
import { Cron } from 'croner'

/** A schedule as the engine goes by it. */
export interface Timetable {
  readonly cron: string
  /** IANA name. Cron fields are read by its clock; `@every` has none. */
  readonly timezone: string
  /** From when `@every` counts. */
  readonly anchor: Date
}

const known = new Map<string, Cron>()
const knownMax = 5_000

/**
 * The parsed text. Days of daylight saving, as cron has them since Vixie: a time that is named (no `*` and no `/` in seconds, minutes
 * and hours) fires once on each of its days, right after the gap when the clock skips it, and the first time when the clock shows it
 * twice. Others go by the time that passes: each quarter of an hour has its firing, also in the hour that comes twice.
 */
export function cronTimes(cron: string, timezone: string): Cron {
  const key = `${timezone}\n${cron}`
  const found =
    known.get(key) ??
    new Cron(withSunday(cron.trim()), {
      timezone,
      paused: true,
      mode: '5-or-6-parts',
      sloppyRanges: true,
      fixedTimeRule: 'no-wildcard',
    })
  if (known.size >= knownMax) known.clear()
  known.set(key, found)
  return found
}

/** Steps from the seventh day on are that Sunday alone; croner's week ends with the sixth, and it would never fire. */
const withSunday = (cron: string): string => cron.replace(/\S+$/, (days) => days.replace(/(?<![\d-])0?7\/\d+/g, '7'))

/** Nodes that share a schedule fire at the same instant: then it is computed once (115 µs). */
let newest = { key: '', next: null as Date | null }

function nextTime(cron: string, timezone: string, after: Date): Date | null {
  const key = `${timezone}\n${cron}\n${after.getTime()}`
  if (newest.key !== key) newest = { key, next: cronTimes(cron, timezone).nextRun(after) }
  return newest.next
}

/** The first instant after `after`; null: there is none any more. */
export function nextAfter({ cron, timezone, anchor }: Timetable, after: Date): Date | null {
  const every = everyMs(cron.trim())
  if (every === null) return nextTime(cron, timezone, after)
  const passed = Math.floor((after.getTime() - anchor.getTime()) / every)
  return new Date(anchor.getTime() + Math.max(1, passed + 1) * every)
}

/** The first `count` instants after `after`. */
export function instantsAfter(timetable: Timetable, after: Date, count: number): Date[] {
  const instants: Date[] = []
  let next = nextAfter(timetable, after)
  while (next !== null && instants.length < count) {
    instants.push(next)
    next = nextAfter(timetable, next)
  }
  return instants
}

const secondMs = 1_000
/** How far back the newest instant is looked for: the first of these spans that has one. */
const spansMs = [60 * secondMs, 3_600 * secondMs, 86_400 * secondMs, 32 * 86_400 * secondMs, 367 * 86_400 * secondMs]

/** The newest instant after `after` and not after `now`; null: there is none. */
export function newestUpTo(timetable: Timetable, after: Date, now: Date): Date | null {
  for (const span of [...spansMs, Infinity]) {
    const from = new Date(Math.max(after.getTime(), now.getTime() - span))
    let newest: Date | null = null
    let next = nextAfter(timetable, from)
    while (next !== null && next <= now) {
      newest = next
      next = nextAfter(timetable, next)
    }
    if (newest !== null || from.getTime() === after.getTime()) return newest
  }
  return null
}

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const

/** The interval of an `@every`; null: the text is something else. */
export function everyMs(text: string): number | null {
  const duration = /^@every\s+((?:\d{1,9}(?:\.\d{1,9})?(?:ms|s|m|h)){1,20})$/i.exec(text)?.[1]
  if (duration === undefined) return null
  const parts = duration.toLowerCase().matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)
  return Math.round([...parts].reduce((sum, [, n, unit]) => sum + Number(n) * unitMs[unit as keyof typeof unitMs], 0))
}
