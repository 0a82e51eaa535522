/** Checks cron texts and time zones. Pure. */
import { cronTimes, everyMs } from './next.ts'

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

interface Field {
  readonly name: string
  readonly min: number
  readonly max: number
  /** Names that stand for `min`, `min` + 1, …. */
  readonly words: readonly string[]
}

const fields: readonly Field[] = [
  { name: 'second', min: 0, max: 59, words: [] },
  { name: 'minute', min: 0, max: 59, words: [] },
  { name: 'hour', min: 0, max: 23, words: [] },
  { name: 'day of month', min: 1, max: 31, words: [] },
  { name: 'month', min: 1, max: 12, words: months },
  { name: 'day of week', min: 0, max: 7, words: days },
]

const form = 'expected 5 or 6 cron fields such as "0 6 * * mon", a word such as @hourly, or "@every 15m"'
const everyForm = '@every takes hours, minutes, seconds and ms, such as "@every 15m", "@every 1h30m" or "@every 24h"'
const cronWords = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']
const everyLeastMs = 1_000
const everyMostMs = 366 * 86_400_000

/** What is wrong with a cron text, for a person; null when it is right. */
export function cronFault(text: string): string | null {
  const trimmed = text.trim()
  if (cronWords.includes(trimmed.toLowerCase())) return null
  if (trimmed.startsWith('@')) return everyFault(trimmed)
  const parts = trimmed.split(/\s+/)
  if (parts.length !== 5 && parts.length !== 6) return `${form}; found ${trimmed === '' ? 'nothing' : `"${trimmed}"`}`
  const used = fields.slice(fields.length - parts.length)
  for (const [index, field] of used.entries()) {
    const part = parts[index] ?? ''
    if (!part.split(',').every((item) => isItem(item, field))) return rangeFault(field, part)
  }
  return firesEver(parts) ? null : `"${trimmed}" names a day that no month has, so it would never fire`
}

/** Whether some year has such a day; the time of the day doesn't matter. */
function firesEver(parts: readonly string[]): boolean {
  const [day = '*', month = '*', weekday = '*'] = parts.slice(-3)
  const isAny = (part: string): boolean => part === '*' || part === '?'
  if (isAny(day) || !isAny(weekday)) return true
  return cronTimes(`0 0 ${day} ${month} *`, 'UTC').nextRun(new Date(0)) !== null
}

/** What is wrong with the name of a time zone, for a person; null when it is right. */
export function timezoneFault(timezone: string): string | null {
  const fault = `"${timezone}" is not a time zone; expected a name such as Europe/Prague or UTC`
  // Some versions of Node take offsets, too, which have no daylight saving.
  if (!/^[A-Za-z]/.test(timezone)) return fault
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone })
    return null
  } catch {
    return fault
  }
}

function everyFault(text: string): string | null {
  const ms = everyMs(text)
  if (ms === null) return `${/^@every\b/i.test(text) ? everyForm : form}; found "${text.slice(0, 200)}"`
  if (ms > everyMostMs) return '@every takes at most 8784h (366 days)'
  return ms >= everyLeastMs ? null : '@every needs at least 1s'
}

function rangeFault({ name, min, max, words }: Field, part: string): string {
  const named = words.length === 0 ? '' : ` or ${words[0]}–${words.at(-1)}`
  return `the ${name} is "${part}"; expected ${min}–${max}${named}, *, lists (1,2), ranges (1-5) or steps (*/5)`
}

function isItem(item: string, field: Field): boolean {
  const [range = '', step, ...rest] = item.split('/')
  if (rest.length > 0 || (step !== undefined && !isStep(step, field))) return false
  if (range === '*' || (range === '?' && step === undefined && field.name.startsWith('day'))) return true
  const [low, high, ...more] = range.split('-').map((text) => numberOf(text, field))
  if (more.length > 0 || low === null || low === undefined || high === null) return false
  return high === undefined || low <= high
}

function isStep(step: string, { max }: Field): boolean {
  return /^\d{1,2}$/.test(step) && Number(step) >= 1 && Number(step) <= max
}

function numberOf(text: string, { min, max, words }: Field): number | null {
  const word = words.indexOf(text.toLowerCase())
  if (word >= 0) return min + word
  if (!/^\d{1,2}$/.test(text)) return null
  const number = Number(text)
  return number >= min && number <= max ? number : null
}
