/** Checks cron texts and time zones. Pure. */

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

const form = 'expected 5 or 6 cron fields such as "0 6 * * mon", or "@every 15m"'

/** What is wrong with a cron text, for a person; null when it is right. */
export function cronFault(text: string): string | null {
  const trimmed = text.trim()
  if (trimmed.startsWith('@')) return everyFault(trimmed)
  const parts = trimmed.split(/\s+/)
  if (parts.length !== 5 && parts.length !== 6) return `${form}; found ${trimmed === '' ? 'nothing' : `"${trimmed}"`}`
  const used = fields.slice(fields.length - parts.length)
  for (const [index, field] of used.entries()) {
    const part = parts[index] ?? ''
    if (!part.split(',').every((item) => isItem(item, field))) return rangeFault(field, part)
  }
  return null
}

/** What is wrong with the name of a time zone, for a person; null when it is right. */
export function timezoneFault(timezone: string): string | null {
  try {
    new Intl.DateTimeFormat('en', { timeZone: timezone })
    return null
  } catch {
    return `"${timezone}" is not a time zone; expected a name such as Europe/Prague or UTC`
  }
}

function everyFault(text: string): string | null {
  const duration = /^@every\s+((?:\d+(?:\.\d+)?(?:ms|s|m|h))+)$/.exec(text)?.[1]
  if (duration === undefined) return `${form}; found "${text}"`
  const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const
  const parts = duration.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)
  const ms = [...parts].reduce((sum, [, n, unit]) => sum + Number(n) * unitMs[unit as keyof typeof unitMs], 0)
  return ms >= 1000 ? null : '@every needs at least 1s'
}

function rangeFault({ name, min, max, words }: Field, part: string): string {
  const named = words.length === 0 ? '' : ` or ${words[0]}–${words.at(-1)}`
  return `the ${name} is "${part}"; expected ${min}–${max}${named}, *, lists (1,2), ranges (1-5) or steps (*/5)`
}

function isItem(item: string, field: Field): boolean {
  const [range = '', step, ...rest] = item.split('/')
  if (rest.length > 0 || (step !== undefined && !isStep(step, field))) return false
  if (range === '*') return true
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
