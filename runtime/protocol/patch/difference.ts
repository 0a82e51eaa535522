import { isArray, isObject, isSame, tokenOf } from './pointer.ts'
import type { Json } from './pointer.ts'

/** What is at a place, by its JSON Pointer, in two values; left out where there is nothing. */
export interface Difference {
  readonly path: string
  readonly before?: Json
  readonly after?: Json
}

/** Where two values differ, at most `limit` places. Pure. */
export function differences(before: Json, after: Json, limit: number): Difference[] {
  const found: Difference[] = []
  collect(before, after, '', limit, found)
  return found
}

function collect(
  before: Json | undefined,
  after: Json | undefined,
  path: string,
  limit: number,
  found: Difference[],
): void {
  if (found.length >= limit || isSame(before, after)) return
  const areBoth = (isArray(before) && isArray(after)) || (isObject(before) && isObject(after))
  if (!areBoth) {
    found.push({ path, ...(before !== undefined && { before }), ...(after !== undefined && { after }) })
    return
  }
  const [old, now] = [new Map(Object.entries(before)), new Map(Object.entries(after))]
  for (const name of new Set([...old.keys(), ...now.keys()]))
    collect(old.get(name), now.get(name), `${path}/${tokenOf(name)}`, limit, found)
}
