import { headBytes } from './entry.ts'
import { trimmed } from './json.ts'
import { Window } from './window.ts'

/** What stands between two delimiters of a body. */
export interface Part {
  /** 1-based line of the body where it begins. */
  readonly line: number
  /** Without blanks at both ends. Good until the next one is asked for. */
  readonly raw: Buffer
  /** Then `raw` is the beginning of it. */
  readonly isTooLarge: boolean
}

/** Parts a body that comes piece by piece, of which it keeps one part at most. Blank ones are nothing. Throws `BrokenBody` for UTF-16. */
export class Parts {
  readonly #window = new Window()
  readonly #delimiter: number
  readonly #maxBytes: number
  /** Up to here there is no delimiter. */
  #scanned = 0
  /** Line on which something too large began, of which the rest is let go. */
  #largeFrom: number | null = null

  constructor(delimiter: number, maxBytes: number) {
    this.#delimiter = delimiter
    this.#maxBytes = maxBytes
  }

  *push(piece: Uint8Array): Generator<Part> {
    const window = this.#window
    this.#scanned -= window.append(piece)
    if (!window.begin(false)) return
    this.#scanned = Math.max(this.#scanned, window.start)
    for (;;) {
      const found = window.slice(this.#scanned, window.end).indexOf(this.#delimiter)
      if (found === -1) break
      const at = this.#scanned + found
      yield* this.#part(at)
      window.take(at + 1)
      this.#scanned = at + 1
    }
    this.#scanned = window.end
    if (window.end - window.start > this.#maxBytes) this.#skip()
  }

  *end(): Generator<Part> {
    this.#window.begin(true)
    yield* this.#part(this.#window.end)
  }

  #skip(): void {
    this.#largeFrom ??= this.#window.line
    this.#window.drop(this.#window.start + headBytes, this.#window.end)
    this.#scanned = this.#window.end
  }

  *#part(to: number): Generator<Part> {
    const window = this.#window
    const { start, end } = trimmed(window.bytes, window.start, to)
    const { line } = window.place(start)
    const raw = window.slice(start, end)
    const isTooLarge = this.#largeFrom !== null || raw.length > this.#maxBytes
    const from = this.#largeFrom ?? line
    this.#largeFrom = null
    if (isTooLarge) yield { line: from, raw: raw.subarray(0, headBytes), isTooLarge }
    else if (raw.length > 0) yield { line, raw, isTooLarge }
  }
}
