import { isUtf8 } from 'node:buffer'
import { isBlank } from '../bytes.ts'

/** Why the bytes are no JSON text; null when they are. Not the parser's words: they hold
 * parts of the text, which not everybody may see who may see errors, and they change with its version. */
export function jsonFault(bytes: Buffer): string | null {
  if (!isUtf8(bytes)) return 'is not UTF-8'
  try {
    JSON.parse(bytes.toString('utf8'))
    return null
  } catch {
    return 'is not JSON'
  }
}

/** The same without blanks at both ends: its places. */
export function trimmed(bytes: Uint8Array, from: number, to: number): { start: number; end: number } {
  let [start, end] = [from, to]
  while (start < end && isBlank(bytes[start])) start++
  while (end > start && isBlank(bytes[end - 1])) end--
  return { start, end }
}
