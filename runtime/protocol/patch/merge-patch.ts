import { copied, isObject, setMember } from './pointer.ts'
import type { Budget, Json } from './pointer.ts'

/** RFC 7396: members of the patch take the place of those of the document, null takes them away. Changes neither of the two. */
export function merged(document: Json | undefined, patch: Json, budget: Budget): Json {
  if (!isObject(patch)) return copied(patch, budget)
  const made = {}
  const kept = isObject(document) ? document : {}
  for (const [name, value] of Object.entries(kept)) setMember(made, name, value)
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(made, name)
    else setMember(made, name, merged(Object.hasOwn(kept, name) ? kept[name] : undefined, value, budget))
  }
  return made
}
