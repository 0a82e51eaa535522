import { backslash, closeBrace, closeBracket, colon, comma, isBlank, openBrace, openBracket, quote } from './bytes.ts'

/**
 * Cuts a JSON text into pieces without re-serialising them, so that a record leaves byte for byte as it came:
 * numbers over 2^53, `1.0` and the order of keys survive. The text must have been parsed without error before.
 */

/** Start (inclusive) and end (exclusive) of a JSON value in its bytes. */
export interface Range {
  readonly start: number
  readonly end: number
}

/** The elements of the array that `json` is, in order. */
export function* elementRanges(json: Uint8Array): Generator<Range> {
  let at = skipBlanks(json, json.indexOf(openBracket) + 1)
  while (at < json.length && json[at] !== closeBracket) {
    const end = endOfValue(json, at)
    yield { start: at, end }
    at = skipSeparator(json, end)
  }
}

/** The value of the member `name` of the object that starts at `start`; of several, the last, as `JSON.parse` takes it. */
export function memberRange(json: Uint8Array, start: number, name: string): Range | null {
  let found: Range | null = null
  let at = skipBlanks(json, start + 1)
  while (at < json.length && json[at] !== closeBrace) {
    const nameEnd = endOfString(json, at)
    const value = skipBlanks(json, skipBlanks(json, nameEnd) + 1)
    const end = endOfValue(json, value)
    if (nameOf(json, at, nameEnd) === name) found = { start: value, end }
    at = skipSeparator(json, end)
  }
  return found
}

function nameOf(json: Uint8Array, start: number, end: number): unknown {
  return JSON.parse(Buffer.from(json.buffer, json.byteOffset + start, end - start).toString('utf8'))
}

function endOfValue(json: Uint8Array, start: number): number {
  const first = json[start]
  if (first === quote) return endOfString(json, start)
  if (first === openBrace || first === openBracket) return endOfNested(json, start)
  let at = start
  while (at < json.length && !endsScalar(json[at])) at += 1
  return at
}

function endOfNested(json: Uint8Array, start: number): number {
  let depth = 0
  for (let at = start; at < json.length; at += 1) {
    const byte = json[at]
    if (byte === quote) at = endOfString(json, at) - 1
    else if (byte === openBrace || byte === openBracket) depth += 1
    else if (byte === closeBrace || byte === closeBracket) {
      depth -= 1
      if (depth === 0) return at + 1
    }
  }
  return json.length
}

function endOfString(json: Uint8Array, start: number): number {
  for (let at = start + 1; at < json.length; at += 1) {
    if (json[at] === backslash) at += 1
    else if (json[at] === quote) return at + 1
  }
  return json.length
}

function skipSeparator(json: Uint8Array, from: number): number {
  const at = skipBlanks(json, from)
  return json[at] === comma ? skipBlanks(json, at + 1) : at
}

function skipBlanks(json: Uint8Array, from: number): number {
  let at = from
  while (at < json.length && isBlank(json[at])) at += 1
  return at
}

function endsScalar(byte: number | undefined): boolean {
  return byte === comma || byte === closeBracket || byte === closeBrace || byte === colon || isBlank(byte)
}
