/** JSON Pointers (RFC 6901), and members of JSON values whatever they are called: `__proto__` is a name like any other. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** Why a patch can't be applied to a value; it says nothing of what that holds. */
export class Unpatchable extends Error {
  override readonly name = 'Unpatchable'
}

const pointer = /^(?:\/(?:[^~/]|~[01])*)*$/

export const isPointer = (text: string): boolean => pointer.test(text)

export function tokensOf(path: string): string[] {
  return path
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

export const tokenOf = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')

export const isObject = (value: Json | undefined): value is { readonly [name: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const isArray = (value: Json | undefined): value is readonly Json[] => Array.isArray(value)

/** Undefined when there is none. */
export function memberOf(value: Json, token: string): Json | undefined {
  if (isArray(value)) return isIndex(token) ? value[Number(token)] : undefined
  return isObject(value) && Object.hasOwn(value, token) ? value[token] : undefined
}

export const isIndex = (token: string): boolean => /^(?:0|[1-9]\d{0,8})$/.test(token)

/** Defines it: assigning `__proto__` would change what the object is made of. */
export function setMember(object: object, name: string, value: Json): void {
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
}

/** Deeper than any body that the engine takes. */
const depthMax = 200

/** How much of a value may be made by copying; a few copies of copies would fill all memory. */
export interface Budget {
  left: number
}

/** A copy that shares nothing. Throws `Unpatchable` when it takes more than the budget has. */
export function copied(value: Json, budget: Budget, depth = 0): Json {
  budget.left -= 8 + (typeof value === 'string' ? value.length : 0)
  if (budget.left < 0 || depth > depthMax) throw new Unpatchable('what it makes is too large, or nested too deep')
  if (isArray(value)) return value.map((inner) => copied(inner, budget, depth + 1))
  if (!isObject(value)) return value
  const made = {}
  for (const [name, inner] of Object.entries(value)) {
    budget.left -= name.length
    setMember(made, name, copied(inner, budget, depth + 1))
  }
  return made
}

/** As RFC 6902 says it: numbers by value, objects whatever the order of their members. */
export function isSame(one: Json | undefined, other: Json | undefined): boolean {
  if (isArray(one) && isArray(other))
    return one.length === other.length && one.every((value, n) => isSame(value, other[n]))
  if (!isObject(one) || !isObject(other)) return one === other
  const names = Object.keys(one)
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && isSame(one[name], other[name]))
  )
}
