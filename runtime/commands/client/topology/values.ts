/** Reads `key=value` of `sluice set`. */
import type { NodePatch } from '../../../client/openapi.d.ts'
import { Invalid } from '../../../errors.ts'
import type { Fault } from '../../../errors.ts'
import { didYouMean } from '../../../topology/suggest.ts'

type Read = (text: string) => unknown

const whole: Read = (text) => (/^-?\d{1,15}$/.test(text) ? Number(text) : expected('a whole number'))
const yesNo: Read = (text) => (['true', 'false'].includes(text) ? text === 'true' : expected('true or false'))
const word: Read = (text) => text
const words: Read = (text) => text.split(',').map((each) => each.trim())

function expected(what: string): never {
  throw new Invalid(`expected ${what}`)
}

const nodeKeys: Readonly<Record<string, Read>> = {
  prefetch: whole,
  timeoutMs: whole,
  inPlaceMaxMs: whole,
  onFail: word,
  cron: word,
  timezone: word,
  overlap: word,
  missed: word,
  enabled: yesNo,
  'retry.attempts': whole,
  'retry.backoff': word,
  'retry.baseMs': whole,
  'retry.maxMs': whole,
  'retry.on': words,
  'retry.maxAgeMs': whole,
}

/** What can't be taken back to what the document says. */
const alwaysThere: ReadonlySet<string> = new Set(['prefetch', 'cron', 'enabled'])

/** Null takes a value back to what the document says. Throws one `Invalid` with every fault. */
export function nodePatchOf(assignments: readonly string[]): NodePatch {
  const read = readAll(assignments, (key) => nodeKeys[key], Object.keys(nodeKeys))
  const retry = [...read]
    .filter(([key]) => key.startsWith('retry.'))
    .map(([key, value]) => [key.slice('retry.'.length), value])
  const plain = [...read].filter(([key]) => !key.startsWith('retry.'))
  const patch: NodePatch = Object.fromEntries(plain)
  return retry.length === 0 ? patch : { ...patch, retry: Object.fromEntries(retry) as NonNullable<NodePatch['retry']> }
}

export interface TopologyValues {
  readonly enabled?: boolean
  readonly description?: string | null
  readonly runsKeepDays?: number | null
  readonly trashKeepDays?: number | null
  readonly trashOpenDays?: number | null
  /** Null takes a label away. */
  readonly labels: ReadonlyMap<string, string | null>
}

export function topologyValuesOf(assignments: readonly string[]): TopologyValues {
  const days = { runsKeepDays: whole, trashKeepDays: whole, trashOpenDays: whole }
  const known: Readonly<Record<string, Read>> = { enabled: yesNo, description: word, ...days }
  const readerOf = (key: string) => (/^labels\../.test(key) ? word : known[key])
  const read = readAll(assignments, readerOf, [...Object.keys(known), 'labels.NAME'])
  const isLabel = ([key]: [string, unknown]): boolean => key.startsWith('labels.')
  const labels = [...read]
    .filter(isLabel)
    .map(([key, value]): [string, string | null] => [key.slice('labels.'.length), value as string | null])
  return { ...Object.fromEntries([...read].filter((entry) => !isLabel(entry))), labels: new Map(labels) }
}

function readAll(
  assignments: readonly string[],
  readerOf: (key: string) => Read | undefined,
  known: readonly string[],
): Map<string, unknown> {
  const read = new Map<string, unknown>()
  const faults = assignments.flatMap((text): Fault[] => {
    const at = text.indexOf('=')
    const [key, value] = [text.slice(0, at), text.slice(at + 1)]
    if (at < 1) return [{ path: text, message: 'say KEY=VALUE; KEY= takes it back' }]
    const reader = readerOf(key)
    if (reader === undefined)
      return [{ path: key, message: `there is no such value${didYouMean(key, known)}; there are ${known.join(', ')}` }]
    if (value === '' && alwaysThere.has(key)) return [{ path: key, message: 'it always has a value, so say one' }]
    try {
      read.set(key, value === '' || value === 'null' ? null : reader(value))
      return []
    } catch (error) {
      if (error instanceof Invalid) return [{ path: key, message: `${error.message}; found "${value}"` }]
      throw error
    }
  })
  if (faults.length > 0) throw new Invalid('the values are wrong', faults)
  return read
}
