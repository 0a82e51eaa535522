/** A line of a body that comes piece by piece. */
export interface Line {
  /** From 1. */
  readonly line: number
  /** Without its end; null: it is longer than one may be, and was left out. */
  readonly bytes: Uint8Array | null
}

const newline = 0x0a

/** Splits a body into lines without keeping more than one of them; blank ones are left out. */
export async function* linesOf(next: () => Promise<Uint8Array | null>, maxBytes: number): AsyncGenerator<Line> {
  const kept = { pieces: [] as Uint8Array[], bytes: 0, isTooLong: false }
  const keep = (piece: Uint8Array): void => {
    kept.bytes += piece.byteLength
    if (kept.bytes > maxBytes) kept.isTooLong = true
    if (kept.isTooLong) kept.pieces = []
    else kept.pieces.push(piece)
  }
  const take = (): Uint8Array | null => {
    const bytes = kept.isTooLong ? null : Buffer.concat(kept.pieces)
    Object.assign(kept, { pieces: [], bytes: 0, isTooLong: false })
    return bytes
  }
  let line = 1
  for (let piece = await next(); piece !== null; piece = await next()) {
    let from = 0
    for (let end = piece.indexOf(newline); end >= 0; end = piece.indexOf(newline, from)) {
      keep(piece.subarray(from, end))
      const bytes = take()
      if (bytes === null || !isBlank(bytes)) yield { line, bytes }
      line += 1
      from = end + 1
    }
    keep(piece.subarray(from))
  }
  const bytes = take()
  if (bytes === null || !isBlank(bytes)) yield { line, bytes }
}

const isBlank = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09)
