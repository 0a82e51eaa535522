import { jsonFault } from '../../../parts/body/json-fault.ts'

/** A start as it is typed; empty: left out. */
export interface Given {
  /** Null: the topology has no entry that is known. */
  readonly node: string | null
  readonly body: string
  readonly tenant: string
  readonly key: string
}

/** Where to a start goes: to an entry with the body as it was typed, or without one to where the topology begins. */
type Way = { readonly node: string; readonly body: string } | { readonly node: string | null; readonly body: null }

export const noEntry = 'There is no entry that it could go to: leave it empty, or add an entry and publish'

/** Never leaves a body out that was typed. Throws where it has nowhere to go. */
export function wayOf({ node, body }: Given): Way {
  if (body.trim() === '') return { node, body: null }
  if (node === null) throw new Error(noEntry)
  return { node, body }
}

/** Why the body can't be sent. */
export function bodyFaultOf({ node, body }: Given): string | null {
  if (body.trim() === '') return null
  return node === null ? noEntry : jsonFault(body)
}

/** Beside a body the key goes as a header, which takes nothing else. */
export function keyFaultOf({ body, key }: Given): string | null {
  const isFit = body.trim() === '' || (/^[\x20-\x7e]*$/.test(key) && key === key.trim())
  return isFit ? null : 'expected printable ASCII without spaces around it'
}
