/** Values inside of a value, by paths as the API tells them: `retry.attempts`, `accept.headers[1]`. Pure. */
import { keysOf } from '../../../../../runtime/topology/faults/paths.ts'
import { isObject } from '../../../parts/body/json.ts'

/** Whether a path can name it: any other is but in values around it. */
export function isPlainKey(key: string): boolean {
  return /^[^.[\]]+$/.test(key)
}

/** Undefined where there is nothing. */
export function valueAt(value: unknown, path: string): unknown {
  return keysOf(path).reduce<unknown>((here, key) => {
    if (Array.isArray(here)) return here[Number(key)] as unknown
    return isObject(here) ? here[key] : undefined
  }, value)
}

/** The same with another value there; undefined takes it away. An object that is empty then stays: `watermark: {}` says something. */
export function withValueAt<T extends object>(object: T, path: string, value: unknown): T {
  return changed(object, keysOf(path), value) as T
}

function changed(object: unknown, [first, ...rest]: readonly (string | number)[], value: unknown): unknown {
  if (first === undefined) return value
  const before: Readonly<Record<string, unknown>> = isObject(object) ? object : {}
  const inside = rest.length === 0 ? value : changed(before[first], rest, value)
  if (inside !== undefined) return { ...before, [first]: inside }
  return Object.fromEntries(Object.entries(before).filter(([key]) => key !== first))
}
