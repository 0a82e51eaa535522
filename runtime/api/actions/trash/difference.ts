import { createHash } from 'node:crypto'
import { differences } from '../../../protocol/patch/difference.ts'
import { tokensOf } from '../../../protocol/patch/pointer.ts'
import type { Json } from '../../../protocol/patch/pointer.ts'
import { isDeep, isJson, utf8 } from '../../body.ts'

/** What differs between two forms of a message. Pure, and at most so much of it, however large they are. */
const changesMax = 1_000
/** So many pairs of lines are compared; what differs of more is told as one block. */
const pairsMax = 1_000_000

export interface Form {
  readonly headers: Readonly<Record<string, string>>
  readonly contentType: string
  readonly body: Uint8Array
}

/** A value that is there on one side only lacks the other key; null is a value. */
export interface ValueChange {
  /** JSON Pointer; of a header its name. */
  readonly path: string
  readonly before?: unknown
  readonly after?: unknown
}

/** A line that is on one side only, by its number there, from 1. */
export interface LineChange {
  readonly line: number
  readonly before?: string
  readonly after?: string
}

export interface FormDifference {
  readonly contentType: { readonly before: string; readonly after: string } | null
  readonly headers: readonly ValueChange[]
  /** How both bodies were read: as JSON, as text, or as bytes, of which only size and hash are told. */
  readonly bodyAs: 'json' | 'text' | 'bytes'
  readonly body: readonly ValueChange[]
  readonly lines: readonly LineChange[]
  /** False: there is more than is told. */
  readonly isComplete: boolean
}

export function formDifference(before: Form, after: Form): FormDifference {
  const { contentType: was } = before
  const contentType = was === after.contentType ? null : { before: was, after: after.contentType }
  const headers = differences(before.headers, after.headers, Infinity).map((change) => ({
    ...change,
    path: tokensOf(change.path)[0] ?? '',
  }))
  return { contentType, headers, ...bodyDifference(before, after) }
}

type BodyDifference = Pick<FormDifference, 'bodyAs' | 'body' | 'lines' | 'isComplete'>

function bodyDifference(before: Form, after: Form): BodyDifference {
  const [old, next] = [jsonOf(before), jsonOf(after)]
  if (old !== undefined && next !== undefined) {
    const { taken, isComplete } = take(differences(old, next, changesMax + 1))
    return { bodyAs: 'json', body: taken, lines: [], isComplete }
  }
  const [was, is] = [utf8(before.body), utf8(after.body)]
  if (was !== null && is !== null) {
    const { taken, isComplete } = take(lineChanges(was.split('\n'), is.split('\n')))
    return { bodyAs: 'text', body: [], lines: taken, isComplete }
  }
  const sides = { before: digestOf(before.body), after: digestOf(after.body) }
  const isSame = Buffer.compare(before.body, after.body) === 0
  return { bodyAs: 'bytes', body: isSame ? [] : [{ path: '', ...sides }], lines: [], isComplete: true }
}

function take<T>(changes: Iterable<T>): { taken: T[]; isComplete: boolean } {
  const taken: T[] = []
  for (const change of changes) {
    if (taken.length === changesMax) return { taken, isComplete: false }
    taken.push(change)
  }
  return { taken, isComplete: true }
}

/** Undefined: it is none, or nested too deep to be walked. */
function jsonOf({ contentType, body }: Form): Json | undefined {
  const text = isJson(contentType) ? utf8(body) : null
  if (text === null || isDeep(text)) return undefined
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

const digestOf = (body: Uint8Array) => ({
  bytes: body.byteLength,
  sha256: createHash('sha256').update(body).digest('hex'),
})

function* lineChanges(before: readonly string[], after: readonly string[]): Generator<LineChange> {
  const [from, ends] = [sameAtStart(before, after), sameAtEnd(before, after)]
  const start = Math.min(from, before.length - ends, after.length - ends)
  const old = before.slice(start, before.length - ends)
  const next = after.slice(start, after.length - ends)
  const kept = old.length * next.length <= pairsMax ? commonOf(old, next) : []
  let [i, j] = [0, 0]
  for (const [ofOld, ofNext] of [...kept, [old.length, next.length] as const]) {
    for (; i < ofOld; i++) yield { line: start + i + 1, before: old[i] ?? '' }
    for (; j < ofNext; j++) yield { line: start + j + 1, after: next[j] ?? '' }
    i++
    j++
  }
}

function sameAtStart(a: readonly string[], b: readonly string[]): number {
  let n = 0
  while (n < a.length && n < b.length && a[n] === b[n]) n++
  return n
}

function sameAtEnd(a: readonly string[], b: readonly string[]): number {
  const most = Math.min(a.length, b.length) - sameAtStart(a, b)
  let n = 0
  while (n < most && a.at(-1 - n) === b.at(-1 - n)) n++
  return n
}

/** Places of the longest row of lines that both have, in order. */
function commonOf(a: readonly string[], b: readonly string[]): (readonly [number, number])[] {
  const width = b.length + 1
  const lengths = new Uint32Array((a.length + 1) * width)
  const at = (i: number, j: number): number => lengths[i * width + j] ?? 0
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      lengths[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1))
  const common: (readonly [number, number])[] = []
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) common.push([i++, j++])
    else if (at(i + 1, j) >= at(i, j + 1)) i++
    else j++
  }
  return common
}
