/** What a watermark is: a text of the worker's, of which the engine understands times and whole numbers. Pure. */

import type { LookBack } from '../plan.ts'

export type WatermarkKind = 'time' | 'number' | 'text'

/** Longest watermark as a header carries it, in bytes. */
export const watermarkMaxBytes = 1024

const nsPerMs = 1_000_000n
const nsPerSecond = 1_000_000_000n

/** An RFC 3339 time, or a whole number of up to 30 digits, or any other text. */
export function kindOf(watermark: string): WatermarkKind {
  if (/^-?\d{1,30}$/.test(watermark)) return 'number'
  return readTime(watermark) === null ? 'text' : 'time'
}

/** Negative, zero or positive as `a` is before, at or after `b`; null when they can't be compared: texts that differ, or two kinds. */
export function compareWatermarks(a: string, b: string): number | null {
  if (a === b) return 0
  const [one, other] = [valueOf(a), valueOf(b)]
  if (one === null || other === null || one.kind !== other.kind) return null
  return one.value < other.value ? -1 : one.value > other.value ? 1 : 0
}

/** The least of them; null when there is none, or some can't be compared. */
export function leastWatermark(watermarks: readonly string[]): string | null {
  let least = watermarks[0] ?? null
  for (const each of watermarks) {
    const order = least === null ? null : compareWatermarks(each, least)
    if (order === null) return null
    if (order < 0) least = each
  }
  return least
}

/** What a run is handed: of another kind than the look-back is for, it stays as it is. */
export function lessLookBack(watermark: string, { lookBackMs, lookBackBy }: LookBack): string {
  const kind = kindOf(watermark)
  if (kind === 'number' && lookBackBy !== null) return String(BigInt(watermark) - BigInt(lookBackBy))
  const time = kind === 'time' && lookBackMs !== null ? readTime(watermark) : null
  return time === null ? watermark : earlier(time, BigInt(lookBackMs ?? 0))
}

/** Which kind the look-back asks of every watermark; null: any. */
export function kindAsked({ lookBackMs, lookBackBy }: LookBack): Exclude<WatermarkKind, 'text'> | null {
  if (lookBackMs !== null) return 'time'
  return lookBackBy === null ? null : 'number'
}

/** For messages to people. */
export const kindNames: Readonly<Record<Exclude<WatermarkKind, 'text'>, string>> = {
  time: 'an RFC 3339 time such as 2026-03-01T10:00:00Z',
  number: 'a whole number',
}

interface Time {
  /** Of the clock that it shows, as if that were UTC: nanoseconds since 1970. */
  readonly shownNs: bigint
  readonly utcNs: bigint
  /** As written: `Z` or `+02:00`. */
  readonly offset: string
  readonly fractionDigits: number
}

/** RFC 3339, section 5.6; up to nine digits of a second. Null for anything else, and for leap seconds. */
function readTime(text: string): Time | null {
  const [, day, time, fraction = '', offset = ''] =
    /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/.exec(text) ?? []
  if (day === undefined || time === undefined) return null
  const shownMs = Date.parse(`${day}T${time}Z`)
  const utcMs = Date.parse(`${day}T${time}${offset.toUpperCase()}`)
  // A day that isn't, such as the 30th of February, would be read as one of the next month.
  if (Number.isNaN(utcMs) || !new Date(shownMs).toISOString().startsWith(`${day}T${time}`)) return null
  const ns = BigInt(fraction.padEnd(9, '0'))
  return {
    shownNs: BigInt(shownMs) * nsPerMs + ns,
    utcNs: BigInt(utcMs) * nsPerMs + ns,
    offset,
    fractionDigits: fraction.length,
  }
}

function valueOf(watermark: string): { readonly kind: WatermarkKind; readonly value: bigint } | null {
  const kind = kindOf(watermark)
  if (kind === 'number') return { kind, value: BigInt(watermark) }
  const time = readTime(watermark)
  return time && { kind, value: time.utcNs }
}

const yearZeroNs = BigInt(Date.parse('0000-01-01T00:00:00Z')) * nsPerMs

/** With the same offset, and no fewer digits of a second. */
function earlier({ shownNs, offset, fractionDigits }: Time, byMs: bigint): string {
  const wanted = shownNs - byMs * nsPerMs
  const ns = wanted < yearZeroNs ? yearZeroNs : wanted
  const fractionNs = ((ns % nsPerSecond) + nsPerSecond) % nsPerSecond
  const seconds = new Date(Number((ns - fractionNs) / nsPerMs)).toISOString().slice(0, 19)
  const digits = byMs % 1000n === 0n ? fractionDigits : Math.max(fractionDigits, 3)
  const fraction = digits === 0 ? '' : `.${String(fractionNs).padStart(9, '0').slice(0, digits)}`
  return `${seconds}${fraction}${offset}`
}
