import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { storableJson } from '../../store/text.ts'
import { isSecret, redact, redacted } from '../../telemetry/redact.ts'
import type { Fields } from './change.ts'

const sideMaxBytes = 256 * 1024
/** As deep as a body may be, and some. */
const depthMax = 250
const redactedChange = '[redacted, changed]'

/**
 * What differs, without secrets: of these just that they changed. Lists of named things, such as nodes, are compared and shown by
 * name. A side larger than 256 KiB is replaced by its size and hash.
 */
export function difference(
  before: Fields | null,
  after: Fields | null,
): { before: Fields | null; after: Fields | null } {
  const [one, other] = before === null || after === null ? [before, after].map(clean) : recordsBetween(before, after)
  return { before: ofGoodSize(one), after: ofGoodSize(other) }
}

type Sides = readonly [before: unknown, after: unknown]

function between(before: unknown, after: unknown): Sides {
  if (isRecord(before) && isRecord(after)) return recordsBetween(before, after)
  const [named, other] = [byName(before), byName(after)]
  return named && other ? recordsBetween(named, other) : [clean(before), clean(after)]
}

function recordsBetween(before: Fields, after: Fields): Sides {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  const differing = keys.filter((key) => !isDeepStrictEqual(before[key], after[key]))
  const sides = differing.map((key) => [key, ...valuesBetween(key, before[key], after[key])] as const)
  const side = (at: 1 | 2) =>
    sides.map((each) => [each[0], each[at]] as const).filter(([, value]) => value !== undefined)
  return [recordOf(side(1)), recordOf(side(2))]
}

function valuesBetween(key: string, before: unknown, after: unknown): Sides {
  const [was, is] = [isSecret(key, before), isSecret(key, after)]
  if (!was && !is) return between(before, after)
  return [was ? redacted : before, is ? (was ? redactedChange : redacted) : after]
}

function clean(value: unknown): unknown {
  return redact(value, depthMax)
}

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

/** Null when it isn't a list of things that each have a name of their own. */
function byName(value: unknown): Fields | null {
  if (!Array.isArray(value)) return null
  const names = value.map((item: unknown) => (isRecord(item) && typeof item.name === 'string' ? item.name : null))
  if (names.includes(null) || new Set(names).size < names.length) return null
  return recordOf(names.map((name, i) => [name ?? '', value[i] as unknown] as const))
}

function recordOf(entries: readonly (readonly [string, unknown])[]): Fields {
  return Object.fromEntries(entries)
}

function ofGoodSize(side: unknown): Fields | null {
  if (side === null) return null
  const json = storableJson(side)
  const bytes = Buffer.byteLength(json)
  if (bytes <= sideMaxBytes) return JSON.parse(json) as Fields
  return { omittedBytes: bytes, sha256: createHash('sha256').update(json).digest('hex') }
}
