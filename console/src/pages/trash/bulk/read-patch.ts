import type { BulkPatch } from '../../../../../runtime/client/openapi.d.ts'
import { exactJsonFault } from '../../../parts/body/json-fault.ts'

export type Kind = 'none' | 'merge-patch' | 'json-patch'

/** What is typed as a patch, or what is wrong with it; null and null: bodies stay as they are. Pure. */
export function readPatch(kind: Kind, text: string): { value: BulkPatch | null; fault: string | null } {
  if (kind === 'none') return { value: null, fault: null }
  if (text.trim() === '') return { value: null, fault: 'Say what is to be changed' }
  // The engine reads a patch, and writes bodies anew with it.
  const fault = exactJsonFault(text)
  if (fault !== null) return { value: null, fault }
  const parsed = JSON.parse(text) as unknown
  if (kind === 'merge-patch') return { value: { type: kind, value: parsed }, fault: null }
  if (!Array.isArray(parsed)) return { value: null, fault: 'A JSON Patch is a list of operations: [{"op": …}]' }
  // The engine checks each of them, and says which is none.
  return {
    value: { type: kind, operations: parsed as Extract<BulkPatch, { type: 'json-patch' }>['operations'] },
    fault: null,
  }
}
