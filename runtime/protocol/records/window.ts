import { lf } from '../bytes.ts'
import { BrokenBody } from './entry.ts'

const firstBytes = 64 * 1024
const bom = Uint8Array.of(0xef, 0xbb, 0xbf)

/**
 * What has come of a body and isn't read yet: one buffer that grows to the largest record and is used again. Takes off a byte order
 * mark at the beginning.
 */
export class Window {
  bytes = Buffer.allocUnsafe(firstBytes)
  /** Where what isn't read begins in `bytes`, and ends. */
  start = 0
  end = 0
  /** 1-based line of `start`. */
  line = 1
  /** Of `bytes[0]` in the body. */
  #base = 0
  #isBegun = false

  /** Moves what isn't read to the front: places in `bytes` mean something else afterwards; returns by how much they are less. */
  append(piece: Uint8Array): number {
    const moved = this.start
    if (moved > 0) {
      this.bytes.copyWithin(0, moved, this.end)
      this.#base += moved
      this.end -= moved
      this.start = 0
    }
    this.#grow(this.end + piece.length)
    this.bytes.set(piece, this.end)
    this.end += piece.length
    return moved
  }

  /** False while too little has come to say whether the body begins with a byte order mark. Throws `BrokenBody` for one of UTF-16. */
  begin(isEnd: boolean): boolean {
    if (this.#isBegun) return true
    if (this.end < bom.length && !isEnd) return false
    const [first, second] = this.bytes.subarray(0, this.end)
    if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff))
      throw new BrokenBody('the body is UTF-16: send it as UTF-8', { byte: 0, line: 1 })
    if (this.end >= bom.length && bom.every((byte, at) => this.bytes[at] === byte)) this.start = bom.length
    this.#isBegun = true
    return true
  }

  /** Place in the body. */
  place(at: number = this.start): { byte: number; line: number } {
    return { byte: this.#base + at, line: this.line + this.#lines(this.start, at) }
  }

  /** What stands before `at` is read. */
  take(at: number): void {
    this.line += this.#lines(this.start, at)
    this.start = at
  }

  /** Lets go of what stands between, whose beginning is kept: of a record that is too large. */
  drop(from: number, to: number): void {
    this.line += this.#lines(from, to)
    this.bytes.copyWithin(from, to, this.end)
    this.#base += to - from
    this.end -= to - from
  }

  slice(from: number, to: number): Buffer {
    return this.bytes.subarray(from, to)
  }

  #grow(size: number): void {
    if (size <= this.bytes.length) return
    const grown = Buffer.allocUnsafe(Math.max(size, this.bytes.length * 2))
    this.bytes.copy(grown, 0, 0, this.end)
    this.bytes = grown
  }

  #lines(from: number, to: number): number {
    const part = this.bytes.subarray(from, to)
    let count = 0
    for (let at = part.indexOf(lf); at !== -1; at = part.indexOf(lf, at + 1)) count++
    return count
  }
}
