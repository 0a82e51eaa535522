import { headBytes, recordMaxBytes, tooLarge } from './entry.ts'
import type { Entry, RecordReader } from './entry.ts'
import { jsonFault, trimmed } from './json.ts'
import { Window } from './window.ts'

/** NDJSON has a JSON text on each line; of `application/json-seq` (RFC 7464) each begins with a record separator. */
export const delimiters = { ndjson: 0x0a, jsonSeq: 0x1e } as const

/** JSON texts parted by one byte. What is no JSON is a fault, and the next one goes on; blank ones are nothing. */
export function openDelimited(delimiter: number): RecordReader {
  return new Delimited(delimiter)
}

class Delimited implements RecordReader {
  readonly #window = new Window()
  readonly #delimiter: number
  /** Up to here there is no delimiter. */
  #scanned = 0
  /** Line on which something too large began, of which the rest is let go. */
  #largeFrom: number | null = null

  constructor(delimiter: number) {
    this.#delimiter = delimiter
  }

  *push(piece: Uint8Array): Generator<Entry> {
    const window = this.#window
    this.#scanned -= window.append(piece)
    if (!window.begin(false)) return
    this.#scanned = Math.max(this.#scanned, window.start)
    for (;;) {
      const found = window.slice(this.#scanned, window.end).indexOf(this.#delimiter)
      if (found === -1) break
      const at = this.#scanned + found
      yield* this.#entry(at)
      window.take(at + 1)
      this.#scanned = at + 1
    }
    this.#scanned = window.end
    if (window.end - window.start > recordMaxBytes) this.#skip()
  }

  *end(): Generator<Entry> {
    this.#window.begin(true)
    yield* this.#entry(this.#window.end)
  }

  #skip(): void {
    this.#largeFrom ??= this.#window.line
    this.#window.drop(this.#window.start + headBytes, this.#window.end)
    this.#scanned = this.#window.end
  }

  *#entry(to: number): Generator<Entry> {
    const window = this.#window
    const { start, end } = trimmed(window.bytes, window.start, to)
    const { line } = window.place(start)
    const raw = window.slice(start, end)
    if (this.#largeFrom !== null || raw.length > recordMaxBytes) {
      const from = this.#largeFrom ?? line
      this.#largeFrom = null
      yield { kind: 'fault', line: from, detail: tooLarge(from), raw: raw.subarray(0, headBytes) }
    } else if (raw.length > 0) {
      const fault = jsonFault(raw)
      if (fault === null) yield { kind: 'record', body: raw }
      else yield { kind: 'fault', line, detail: `line ${line} ${fault}`, raw }
    }
  }
}
