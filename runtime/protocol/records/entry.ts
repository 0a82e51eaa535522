/** What a body of records holds, one thing after the other. */
export type Entry = RecordEntry | FaultEntry

export interface RecordEntry {
  readonly kind: 'record'
  /** JSON. Good until the next entry is asked for. */
  readonly body: Uint8Array
}

/** Something that is no record, while what comes after it can be read. */
export interface FaultEntry {
  readonly kind: 'fault'
  /** 1-based line of the body where it begins. */
  readonly line: number
  readonly detail: string
  /** As it came, so that a person can mend it; of one that is too large the beginning. Good until the next entry is asked for. */
  readonly raw: Uint8Array
}

/**
 * Reads records from the pieces of a body. What it gives depends on the bytes alone, never on where the pieces begin and end.
 * Keeps one record at most, so a body may be of any size. Throws `BrokenBody` where nothing after it can be read.
 */
export interface RecordReader {
  /** What is whole with this piece. */
  push(piece: Uint8Array): Generator<Entry>
  /** What is left. */
  end(): Generator<Entry>
}

/** The body as a whole isn't what it should be. */
export class BrokenBody extends Error {
  override readonly name = 'BrokenBody'
  /** 0-based, from the beginning of the body. */
  readonly byte: number
  /** 1-based. */
  readonly line: number
  constructor(detail: string, { byte, line }: { readonly byte: number; readonly line: number }) {
    super(`${detail} (byte ${byte}, line ${line})`)
    this.byte = byte
    this.line = line
  }
}

/** Of one record, as of every message. */
export const recordMaxBytes = 8 * 1024 * 1024
/** What is kept of something that is larger. */
export const headBytes = 64 * 1024

export const tooLarge = (line: number): string =>
  `what begins on line ${line} is larger than ${recordMaxBytes} bytes; this is its beginning`
