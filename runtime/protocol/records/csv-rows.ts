import { comma, cr, lf, quote } from '../bytes.ts'

/**
 * Finds where a row of CSV ends (RFC 4180): a line end within quotes is part of a field. A quote within a field that isn't quoted is a
 * character like any other.
 *
 *   start ─"─▶ quoted ─"─▶ closed ─"─▶ quoted
 *     └──▶ plain   closed ─,─▶ start   closed ─▶ plain, and the row has a stray
 */
export class RowScan {
  isDone = false
  /** Lines that the row takes. */
  lines = 1
  /** Something stands after a closing quote. */
  hasStray = false
  #state: 'start' | 'plain' | 'quoted' | 'closed' = 'start'
  #afterCr = false

  begin(): void {
    this.isDone = this.hasStray = this.#afterCr = false
    this.lines = 1
    this.#state = 'start'
  }

  get isQuoted(): boolean {
    return this.#state === 'quoted'
  }

  /** The row is too large to be looked at as a whole: it ends with its line. */
  giveUpQuote(): void {
    this.#state = 'plain'
  }

  /** The place after the row's line end, or `to` when the row goes on. */
  scan(bytes: Uint8Array, from: number, to: number): number {
    let at = from
    while (at < to && !this.isDone) {
      at = this.#state === 'quoted' ? this.#quoted(bytes, at, to) : this.#outside(bytes, at, to)
    }
    return at
  }

  #quoted(bytes: Uint8Array, from: number, to: number): number {
    for (let at = from; at < to; at++) {
      const byte = bytes[at]
      // A CR and its LF are one line end.
      if (byte === lf ? !this.#afterCr : byte === cr) this.lines++
      this.#afterCr = byte === cr
      if (byte !== quote) continue
      this.#state = 'closed'
      return at + 1
    }
    return to
  }

  #outside(bytes: Uint8Array, from: number, to: number): number {
    for (let at = from; at < to; at++) {
      const byte = bytes[at]
      if (byte === comma) this.#state = 'start'
      else if (byte === quote && this.#state !== 'plain') {
        this.#state = 'quoted'
        return at + 1
      } else if (byte === lf || byte === cr) {
        this.isDone = true
        return at + 1
      } else if (this.#state !== 'plain') {
        if (this.#state === 'closed') this.hasStray = true
        this.#state = 'plain'
      }
    }
    return to
  }
}

/** The fields of a whole row without stray quotes. */
export function fieldsOf(row: string): string[] {
  if (!row.includes('"')) return row.split(',')
  const fields: string[] = []
  let at = 0
  for (;;) {
    const { field, next } = row[at] === '"' ? quotedField(row, at) : plainField(row, at)
    fields.push(field)
    if (next >= row.length) return fields
    at = next + 1
  }
}

function plainField(row: string, from: number): { field: string; next: number } {
  const end = row.indexOf(',', from)
  const next = end === -1 ? row.length : end
  return { field: row.slice(from, next), next }
}

function quotedField(row: string, from: number): { field: string; next: number } {
  let end = row.indexOf('"', from + 1)
  while (end !== -1 && row[end + 1] === '"') end = row.indexOf('"', end + 2)
  const close = end === -1 ? row.length : end
  return { field: row.slice(from + 1, close).replaceAll('""', '"'), next: close + 1 }
}
