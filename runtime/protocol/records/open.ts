import { mediaType } from '../outputs.ts'
import { openArray } from './array.ts'
import { openCsv } from './csv.ts'
import { delimiters, openDelimited } from './delimited.ts'
import { BrokenBody } from './entry.ts'
import type { Entry, RecordReader } from './entry.ts'

const ndjson = (): RecordReader => openDelimited(delimiters.ndjson)

const readers: Readonly<Record<string, () => RecordReader>> = {
  'application/json': openArray,
  'application/x-ndjson': ndjson,
  'application/ndjson': ndjson,
  'application/jsonl': ndjson,
  'application/json-seq': () => openDelimited(delimiters.jsonSeq),
  'text/csv': openCsv,
}

/** Media types of bodies that can be split into records. */
export const recordTypes = Object.keys(readers)

/** Null for a type whose records nobody can read, be it for its charset: what is sent has to be UTF-8. */
export function openRecords(contentType: string): RecordReader | null {
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(contentType)?.[1]?.toLowerCase() ?? 'utf-8'
  const isUtf8 = ['utf-8', 'utf8', 'us-ascii'].includes(charset)
  const type = mediaType(contentType)
  const open = isUtf8 && Object.hasOwn(readers, type) ? readers[type] : undefined
  return open?.() ?? null
}

export const isCsv = (contentType: string): boolean => mediaType(contentType) === 'text/csv'

/** The same for what is to be one record: of JSON one text, of CSV one row below the names of its columns. */
export function openRecord(contentType: string): RecordReader | null {
  return mediaType(contentType) === 'application/json' ? openDelimited(delimiters.jsonSeq) : openRecords(contentType)
}

/** The record that a body holds; a fault when it holds none, or more than one. Its bytes are its own. */
export function onlyRecord(
  reader: RecordReader,
  body: Uint8Array,
): { kind: 'record'; body: Buffer } | { kind: 'fault'; detail: string } {
  let only: Buffer | null = null
  try {
    for (const entry of [...copies(reader.push(body)), ...copies(reader.end())]) {
      if (entry.kind === 'fault') return entry
      if (only !== null) return { kind: 'fault', detail: 'there is more than one record' }
      only = entry.body
    }
  } catch (error) {
    if (!(error instanceof BrokenBody)) throw error
    return { kind: 'fault', detail: error.message }
  }
  return only === null ? { kind: 'fault', detail: 'there is no record' } : { kind: 'record', body: only }
}

type Copy = { readonly kind: 'record'; readonly body: Buffer } | { readonly kind: 'fault'; readonly detail: string }

function* copies(entries: Iterable<Entry>): Generator<Copy> {
  for (const entry of entries) yield entry.kind === 'fault' ? entry : { kind: 'record', body: Buffer.from(entry.body) }
}
