import { backslash, closeBrace, closeBracket, comma, isBlank, openBrace, openBracket, quote } from '../bytes.ts'
import { BrokenBody, headBytes, recordMaxBytes, tooLarge } from './entry.ts'
import type { Entry, RecordReader } from './entry.ts'
import { jsonFault } from './json.ts'
import { Window } from './window.ts'

/**
 * The elements of a JSON array, byte for byte as they came: numbers over 2^53, `1.0` and the order of keys survive.
 *
 *   begin ─[─▶ first ─▶ value ─▶ after ─,─▶ next ─▶ value …
 *                └──────]──────────┴──]──▶ done
 *
 * Where the text is no JSON array nothing after it can be trusted: `BrokenBody`. Only an element that is too large is a fault.
 */
export function openArray(): RecordReader {
  return new ArrayReader()
}

type State = 'begin' | 'first' | 'next' | 'value' | 'after' | 'done'

class ArrayReader implements RecordReader {
  readonly #window = new Window()
  readonly #value = new ValueScan()
  #state: State = 'begin'
  #scanned = 0
  /** Line on which something too large began, of which the rest is let go. */
  #largeFrom: number | null = null;

  *push(piece: Uint8Array): Generator<Entry> {
    const window = this.#window
    this.#scanned -= window.append(piece)
    if (!window.begin(false)) return
    this.#scanned = Math.max(this.#scanned, window.start)
    yield* this.#read()
    if (this.#state !== 'value') window.take(this.#scanned)
    else if (window.end - window.start > recordMaxBytes) this.#skip()
  }

  *end(): Generator<Entry> {
    const window = this.#window
    if (window.begin(true)) this.#scanned = Math.max(this.#scanned, window.start)
    yield* this.#read()
    if (this.#state === 'done') return
    const what = this.#state === 'begin' ? 'the body is empty: expected a JSON array' : 'the array is not closed'
    throw new BrokenBody(what, window.place(window.end))
  }

  *#read(): Generator<Entry> {
    const window = this.#window
    while (this.#scanned < window.end) {
      if (this.#state !== 'value') {
        this.#step(window.bytes[this.#scanned])
        continue
      }
      this.#scanned = this.#value.end(window.bytes, this.#scanned, window.end)
      if (!this.#value.isDone) return
      yield this.#entry()
      window.take(this.#scanned)
      this.#state = 'after'
    }
  }

  /** One byte between values. */
  #step(byte: number | undefined): void {
    const state = this.#state
    if (isBlank(byte)) this.#scanned++
    else if (state === 'begin' && byte === openBracket) this.#move('first')
    else if (state === 'after' && byte === comma) this.#move('next')
    else if ((state === 'after' || state === 'first') && byte === closeBracket) this.#move('done')
    else if ((state === 'first' || state === 'next') && byte !== comma && byte !== closeBracket) {
      this.#window.take(this.#scanned)
      this.#value.begin()
      this.#state = 'value'
    } else throw new BrokenBody(expected[state], this.#window.place(this.#scanned))
  }

  #move(state: State): void {
    this.#state = state
    this.#scanned++
  }

  #skip(): void {
    this.#largeFrom ??= this.#window.line
    this.#window.drop(this.#window.start + headBytes, this.#window.end)
    this.#scanned = this.#window.end
  }

  #entry(): Entry {
    const window = this.#window
    const raw = window.slice(window.start, this.#scanned)
    if (this.#largeFrom !== null || raw.length > recordMaxBytes) {
      const line = this.#largeFrom ?? window.line
      this.#largeFrom = null
      return { kind: 'fault', line, detail: tooLarge(line), raw: raw.subarray(0, headBytes) }
    }
    const fault = jsonFault(raw)
    if (fault !== null) throw new BrokenBody(`an element of the array ${fault}`, window.place())
    return { kind: 'record', body: raw }
  }
}

const expected: Readonly<Record<State, string>> = {
  begin: 'the body is no JSON array: expected [',
  first: 'expected an element or ]',
  next: 'expected an element after the comma',
  value: 'expected an element',
  after: 'expected a comma or ]',
  done: 'the body goes on after the end of the array',
}

/** Finds the end of a JSON value, piece by piece, by brackets and quotes alone: whether it is JSON is for the parser to say. */
class ValueScan {
  isDone = false
  #depth = 0
  #isQuoted = false
  #isEscaped = false
  #isScalar = false
  #isBegun = false

  begin(): void {
    this.isDone = this.#isQuoted = this.#isEscaped = this.#isScalar = this.#isBegun = false
    this.#depth = 0
  }

  /** The place after the value, or `to` when it goes on. */
  end(bytes: Uint8Array, from: number, to: number): number {
    let at = from
    while (at < to && !this.isDone) {
      const byte = bytes[at]
      if (this.#isQuoted) at = this.#inQuotes(bytes, at, to)
      else if (this.#isScalar && endsScalar(byte)) this.isDone = true
      else {
        this.#outside(byte)
        at++
      }
    }
    return at
  }

  #inQuotes(bytes: Uint8Array, from: number, to: number): number {
    for (let at = from; at < to; at++) {
      if (this.#isEscaped) this.#isEscaped = false
      else if (bytes[at] === backslash) this.#isEscaped = true
      else if (bytes[at] === quote) {
        this.#isQuoted = false
        this.isDone = this.#depth === 0
        return at + 1
      }
    }
    return to
  }

  #outside(byte: number | undefined): void {
    if (byte === quote && !this.#isScalar) this.#isQuoted = true
    else if (byte === openBrace || byte === openBracket) this.#depth++
    else if (byte === closeBrace || byte === closeBracket) this.isDone = --this.#depth <= 0
    else if (!this.#isBegun) this.#isScalar = true
    this.#isBegun = true
  }
}

function endsScalar(byte: number | undefined): boolean {
  return byte === comma || byte === closeBracket || byte === closeBrace || isBlank(byte)
}
