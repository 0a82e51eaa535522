import { isUtf8 } from 'node:buffer'
import { cr, lf } from '../bytes.ts'
import { BrokenBody, headBytes, recordMaxBytes, tooLarge } from './entry.ts'
import type { Entry, RecordReader } from './entry.ts'
import { RowScan, fieldsOf } from './csv-rows.ts'
import { Window } from './window.ts'

/** So many columns, and a header line of so many bytes, are more than any table has. */
const headerMax = { columns: 10_000, bytes: headBytes } as const

/**
 * The rows of a CSV (RFC 4180) whose first line names the columns, each as a JSON object of strings in the order of the columns.
 * Lines end with LF, CRLF or CR; empty ones are nothing. A row that can't be read is a fault with the header before it, so that it can
 * be read by itself when it was mended. A quote that is never closed spoils one line: what follows it is read anew.
 */
export function openCsv(): RecordReader {
  return new CsvReader()
}

class CsvReader implements RecordReader {
  readonly #window = new Window()
  readonly #rows = new RowScan()
  #header: Header | null = null
  #scanned = 0
  #line = 1
  /** The row before ended with a CR, whose LF may be still to come. */
  #afterCr = false
  /** Line on which something too large began, of which the rest is let go. */
  #largeFrom: number | null = null;

  *push(piece: Uint8Array): Generator<Entry> {
    const window = this.#window
    this.#scanned -= window.append(piece)
    if (window.begin(false)) yield* this.#read(false)
  }

  *end(): Generator<Entry> {
    this.#window.begin(true)
    yield* this.#read(true)
    if (this.#header === null) throw this.#broken('the body is empty: expected a line with the names of the columns')
  }

  *#read(isEnd: boolean): Generator<Entry> {
    const window = this.#window
    this.#scanned = Math.max(this.#scanned, window.start)
    for (;;) {
      this.#skipLf()
      this.#scanned = this.#rows.scan(window.bytes, this.#scanned, window.end)
      if (this.#rows.isDone) yield* this.#row(this.#scanned)
      else if (this.#rows.isQuoted && (isEnd || this.#isLarge)) yield* this.#unclosed()
      else if (!isEnd) break
      else if (window.end > window.start) yield* this.#row(window.end)
      else return
    }
    if (this.#isLarge) this.#skip()
  }

  #skipLf(): void {
    const window = this.#window
    if (!this.#afterCr || window.start === window.end) return
    this.#afterCr = false
    if (window.bytes[window.start] !== lf) return
    window.take(window.start + 1)
    this.#scanned = window.start
  }

  get #isLarge(): boolean {
    return this.#window.end - this.#window.start > recordMaxBytes
  }

  #skip(): void {
    if (this.#header === null) throw this.#broken('the line with the names of the columns is too large')
    this.#largeFrom ??= this.#line
    this.#window.drop(this.#window.start + headBytes, this.#window.end)
    this.#scanned = this.#window.end
  }

  /** One row is whole; `to` is after its line end. */
  *#row(to: number): Generator<Entry> {
    const raw = withoutLineEnd(this.#window.slice(this.#window.start, to))
    const line = this.#line
    if (this.#header === null && raw.length > 0) this.#header = this.#headerOf(raw)
    else if (raw.length > 0) yield this.#entry(raw, line)
    this.#next(to)
  }

  #next(to: number): void {
    this.#line += this.#rows.lines
    this.#afterCr = this.#window.bytes[to - 1] === cr
    this.#window.take(to)
    this.#scanned = to
    this.#rows.begin()
  }

  /** A quote is opened and not closed: its line is the fault, and what comes after that is read anew. */
  *#unclosed(): Generator<Entry> {
    const window = this.#window
    const to = lineEndIn(window.bytes, window.start, window.end)
    if (to === -1 && window.end - window.start > recordMaxBytes) return this.#rows.giveUpQuote()
    const raw = withoutLineEnd(window.slice(window.start, to === -1 ? window.end : to))
    if (this.#header === null) throw this.#broken('a quote in the names of the columns is not closed')
    yield this.#fault(raw, this.#line, `a quote that is opened on line ${this.#line} is not closed`)
    this.#largeFrom = null
    this.#rows.lines = 1
    this.#next(to === -1 ? window.end : to)
  }

  #entry(raw: Buffer, line: number): Entry {
    if (this.#largeFrom !== null || raw.length > recordMaxBytes) {
      const from = this.#largeFrom ?? line
      this.#largeFrom = null
      return this.#fault(raw.subarray(0, headBytes), from, tooLarge(from))
    }
    if (!isUtf8(raw)) return this.#fault(raw, line, `line ${line} is not UTF-8`)
    if (this.#rows.hasStray) return this.#fault(raw, line, `line ${line} goes on after a closing quote`)
    const header = this.#header as Header
    const fields = fieldsOf(raw.toString('utf8'))
    if (fields.length !== header.prefixes.length) return this.#fault(raw, line, raggedDetail(line, fields, header))
    const body = Buffer.from(objectOf(header, fields))
    if (body.length > recordMaxBytes)
      return this.#fault(raw, line, `line ${line} is larger than ${recordMaxBytes} bytes as JSON`)
    return { kind: 'record', body }
  }

  #fault(raw: Uint8Array, line: number, detail: string): Entry {
    const header = this.#header as Header
    return { kind: 'fault', line, detail, raw: Buffer.concat([header.raw, raw]) }
  }

  #headerOf(raw: Buffer): Header {
    if (raw.length > headerMax.bytes) throw this.#broken('the line with the names of the columns is too large')
    if (!isUtf8(raw)) throw this.#broken('the line with the names of the columns is not UTF-8')
    if (this.#rows.hasStray) throw this.#broken('a name of a column goes on after a closing quote')
    const names = fieldsOf(raw.toString('utf8')).map((name) => name.trim())
    const fault = namesFault(names)
    if (fault !== null) throw this.#broken(fault)
    return { raw: Buffer.concat([raw, Buffer.from('\n')]), prefixes: names.map((name) => `${JSON.stringify(name)}:`) }
  }

  #broken(detail: string): BrokenBody {
    return new BrokenBody(detail, { byte: this.#window.place().byte, line: this.#line })
  }
}

interface Header {
  /** With a line end. */
  readonly raw: Buffer
  /** `"name":` of each column. */
  readonly prefixes: readonly string[]
}

function namesFault(names: readonly string[]): string | null {
  if (names.length > headerMax.columns) return `the first line names more than ${headerMax.columns} columns`
  const empty = names.indexOf('')
  if (empty !== -1) return `the first line has to name the columns, and column ${empty + 1} has no name`
  const seen = new Map<string, number>()
  for (const [index, name] of names.entries()) {
    const first = seen.get(name)
    if (first !== undefined) return `columns ${first + 1} and ${index + 1} have the same name`
    seen.set(name, index)
  }
  return null
}

function raggedDetail(line: number, fields: readonly string[], { prefixes }: Header): string {
  const count = fields.length === 1 ? 'one field' : `${fields.length} fields`
  return `line ${line} has ${count}, and the first line names ${prefixes.length}`
}

/** Written by hand, since an object would bring names that are numbers to the front. */
function objectOf({ prefixes }: Header, fields: readonly string[]): string {
  let text = '{'
  for (const [index, prefix] of prefixes.entries())
    text += `${index === 0 ? '' : ','}${prefix}${JSON.stringify(fields[index])}`
  return `${text}}`
}

function withoutLineEnd(raw: Buffer): Buffer {
  let end = raw.length
  if (end > 0 && raw[end - 1] === lf) end--
  if (end > 0 && raw[end - 1] === cr) end--
  return raw.subarray(0, end)
}

/** The place after the first line end; -1: there is none. */
function lineEndIn(bytes: Buffer, from: number, to: number): number {
  for (let at = from; at < to; at++) {
    if (bytes[at] === lf) return at + 1
    if (bytes[at] === cr) return at + (bytes[at + 1] === lf && at + 1 < to ? 2 : 1)
  }
  return -1
}
