import { recordMaxBytes, tooLarge } from './entry.ts'
import type { Entry, RecordReader } from './entry.ts'
import { jsonFault } from './json.ts'
import { Parts } from './parts.ts'
import type { Part } from './parts.ts'

/** NDJSON has a JSON text on each line; of `application/json-seq` (RFC 7464) each begins with a record separator. */
export const delimiters = { ndjson: 0x0a, jsonSeq: 0x1e } as const

/** JSON texts parted by one byte. What is no JSON is a fault, and the next one goes on; blank ones are nothing. */
export function openDelimited(delimiter: number): RecordReader {
  const parts = new Parts(delimiter, recordMaxBytes)
  return {
    *push(piece) {
      for (const part of parts.push(piece)) yield entryOf(part)
    },
    *end() {
      for (const part of parts.end()) yield entryOf(part)
    },
  }
}

function entryOf({ line, raw, isTooLarge }: Part): Entry {
  if (isTooLarge) return { kind: 'fault', line, detail: tooLarge(line), raw }
  const fault = jsonFault(raw)
  return fault === null ? { kind: 'record', body: raw } : { kind: 'fault', line, detail: `line ${line} ${fault}`, raw }
}
