import { isObject } from '../../parts/body/json.ts'

/** A value that differs, by its path. */
export interface Change {
  readonly path: string
  /** Undefined: there was none, there is none. */
  readonly before: unknown
  readonly after: unknown
}

type Side = Readonly<Record<string, unknown>> | null

/** What differs between two sides, down to the values that do; `null` is a side that isn't there. */
export function changesOf(before: Side, after: Side): Change[] {
  return within('', before ?? {}, after ?? {})
}

function within(path: string, before: unknown, after: unknown): Change[] {
  if (!isObject(before) || !isObject(after)) {
    const isSame = JSON.stringify(before) === JSON.stringify(after)
    return isSame ? [] : [{ path, before, after }]
  }
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return names.flatMap((name) => within(path === '' ? name : `${path}.${name}`, before[name], after[name]))
}
