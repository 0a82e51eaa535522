const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 })
const small = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 })
const short = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 })

/** With groups of digits. */
export function grouped(count: number): string {
  return whole.format(count)
}

/** `12.3k`, for places that are narrow; below 10 000 every digit. */
export function compact(count: number): string {
  return Math.abs(count) < 10_000 ? whole.format(count) : short.format(count)
}

/** As a worker tells it; `135233/135233` with groups of digits. */
export function progressText(progress: string | null): string | null {
  const numbers = /^(\d{1,15})\/(\d{1,15})$/.exec(progress ?? '')
  return numbers === null ? progress : `${grouped(Number(numbers[1]))}/${grouped(Number(numbers[2]))}`
}

/** What isn't known is no number. */
export function orDash(count: number | null, show: (count: number) => string): string {
  return count === null ? '–' : show(count)
}

/** A second: below ten with a tenth. */
export function rate(perSecond: number | null): string {
  if (perSecond === null) return '–'
  return `${perSecond < 10 ? small.format(perSecond) : compact(perSecond)}/s`
}

export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let rest = count
  let unit = 0
  while (rest >= 1_024 && unit < units.length - 1) {
    rest /= 1_024
    unit++
  }
  return `${unit === 0 || rest >= 100 ? whole.format(rest) : small.format(rest)} ${units[unit] ?? ''}`
}

const steps = [
  ['d', 86_400],
  ['h', 3_600],
  ['min', 60],
] as const

/** `340 ms`, `4.2 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${whole.format(ms)} ms`
  const seconds = ms / 1_000
  if (seconds < 60) return `${seconds < 10 ? small.format(seconds) : whole.format(seconds)} s`
  const at = steps.findIndex(([, of]) => seconds >= of)
  const [unit, of] = steps[at] ?? ['min', 60]
  const [nextUnit, nextOf] = steps[at + 1] ?? ['s', 1]
  const rest = Math.floor((seconds % of) / nextOf)
  return `${whole.format(Math.floor(seconds / of))} ${unit}${rest > 0 ? ` ${rest} ${nextUnit}` : ''}`
}

/** One step only: `3 min`. */
export function age(ms: number): string {
  const seconds = Math.max(0, ms) / 1_000
  if (seconds < 1) return 'now'
  const [unit, of] = steps.find(([, one]) => seconds >= one) ?? ['s', 1]
  return `${whole.format(Math.floor(seconds / of))} ${unit}`
}

/** `1 message`, `1,204 messages`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`
}
