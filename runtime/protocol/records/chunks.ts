import { comma } from '../bytes.ts'
import type { Entry, FaultEntry } from './entry.ts'

/**
 * How much of a body is stored as one message: so much that a message costs little, and so little that whoever splits it needs little
 * memory. Never changed: a body that is sent again has to give the same chunks, or it can't be taken up where it broke off.
 */
export const chunkMax = { entries: 1_000, bytes: 1024 * 1024 } as const

/**
 * Some records of a body, and what stood between them that is none. `body` is a JSON array of the records, then a JSON array that says
 * what is wrong with each fault, then the faults as they came.
 */
export interface Chunk extends ChunkLayout {
  readonly body: Uint8Array
}

/** Where things are in a chunk's body. */
export interface ChunkLayout {
  readonly records: number
  readonly faults: number
  /** Bytes of the first array, and of the second. */
  readonly recordBytes: number
  readonly indexBytes: number
}

/** Something in a chunk that is no record. */
export interface Fault {
  readonly line: number
  readonly detail: string
  readonly raw: Uint8Array
}

/** Puts what is read together to chunks, by what was read alone. */
export class Chunker {
  #bytes = Buffer.allocUnsafe(64 * 1024)
  #size = 0
  #records = 0
  #faults: (Omit<FaultEntry, 'kind'> & { readonly raw: Buffer })[] = []
  #faultBytes = 0

  /** The chunk that was full before this entry, or null. */
  add(entry: Entry): Chunk | null {
    const size = entry.kind === 'record' ? entry.body.length : entry.raw.length
    const count = this.#records + this.#faults.length
    const isFull = count >= chunkMax.entries || this.#size + this.#faultBytes + size > chunkMax.bytes
    const full = isFull ? this.end() : null
    if (entry.kind === 'record') this.#add(entry.body)
    else this.#fault(entry)
    return full
  }

  /** What is there; null: nothing is. */
  end(): Chunk | null {
    const records = this.#records
    const faults = this.#faults
    if (records + faults.length === 0) return null
    const array = Buffer.concat([Buffer.from('['), this.#bytes.subarray(0, this.#size), Buffer.from(']')])
    const index = Buffer.from(JSON.stringify(faults.map(({ line, detail, raw }) => [line, detail, raw.length])))
    const body = faults.length === 0 ? array : Buffer.concat([array, index, ...faults.map(({ raw }) => raw)])
    const indexBytes = faults.length === 0 ? 0 : index.length
    this.#size = this.#records = this.#faultBytes = 0
    this.#faults = []
    return { records, faults: faults.length, recordBytes: array.length, indexBytes, body }
  }

  #add(record: Uint8Array): void {
    const at = this.#records === 0 ? 0 : this.#size + 1
    this.#grow(at + record.length)
    if (at > 0) this.#bytes[at - 1] = comma
    this.#bytes.set(record, at)
    this.#size = at + record.length
    this.#records++
  }

  #fault({ line, detail, raw }: FaultEntry): void {
    this.#faults.push({ line, detail, raw: Buffer.from(raw) })
    this.#faultBytes += raw.length
  }

  #grow(size: number): void {
    if (size <= this.#bytes.length) return
    const grown = Buffer.allocUnsafe(Math.max(size, this.#bytes.length * 2))
    this.#bytes.copy(grown, 0, 0, this.#size)
    this.#bytes = grown
  }
}

/** The faults of a chunk, in order. */
export function* faultsOf(body: Uint8Array, { faults, recordBytes, indexBytes }: ChunkLayout): Generator<Fault> {
  if (faults === 0) return
  const index = Buffer.from(body.buffer, body.byteOffset + recordBytes, indexBytes).toString('utf8')
  let at = recordBytes + indexBytes
  for (const [line, detail, length] of JSON.parse(index) as [number, string, number][]) {
    yield { line, detail, raw: body.subarray(at, at + length) }
    at += length
  }
}
