import { openRecords } from '../../../runtime/protocol/records/open.ts'
import { BrokenBody } from '../../../runtime/protocol/records/entry.ts'

/** What a body holds, as text: each record as it is, each fault as `line: detail: raw`, and what breaks it. */
export function read(type: string, body: string | Uint8Array, pieceBytes = Infinity): string[] {
  const reader = openRecords(type)
  if (reader === null) throw new Error(`no reader for ${type}`)
  const found: string[] = []
  const take = (entries: Iterable<ReturnType<typeof reader.push> extends Iterable<infer E> ? E : never>): void => {
    for (const entry of entries) {
      if (entry.kind === 'record') found.push(Buffer.from(entry.body).toString())
      else found.push(`${entry.line}: ${entry.detail}: ${Buffer.from(entry.raw).toString('latin1')}`)
    }
  }
  try {
    const bytes = Buffer.from(body)
    for (let at = 0; at < bytes.length; at += pieceBytes) take(reader.push(bytes.subarray(at, at + pieceBytes)))
    take(reader.end())
  } catch (error) {
    if (!(error instanceof BrokenBody)) throw error
    found.push(`broken: ${error.message}`)
  }
  return found
}
