import type { z } from 'zod'
import { documentSchema } from '../schema.ts'
import type { TopologyDocument } from '../schema.ts'
import { faultsMax } from './faults.ts'

/**
 * The document without the values that its schema refuses, so that what is wrong between the others can be told along; null when it is
 * none without them. Never throws.
 */
export function withoutFaults(value: unknown, { issues }: z.ZodError): TopologyDocument | null {
  if (issues.length > faultsMax) return null
  const copy = copyOf(value)
  const paths = issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path],
  )
  if (!paths.every((path) => isRemoved(copy, path))) return null
  const parsed = documentSchema.safeParse(copy)
  return parsed.success ? parsed.data : null
}

function copyOf(value: unknown): unknown {
  try {
    return structuredClone(value)
  } catch {
    // A function or the like: nothing that a document could hold.
    return null
  }
}

/** Of a value in a list the whole list goes: without it alone, others would have other places. A node or an edge can't. */
function isRemoved(root: unknown, path: readonly PropertyKey[]): boolean {
  const place = path.slice(0, -1).reduce((here: unknown, key) => objectAt(here)?.[key], root)
  const [object, key] = [objectAt(place), path.at(-1)]
  if (Array.isArray(object)) return path.length > 2 && isRemoved(root, path.slice(0, -1))
  if (key === undefined) return false
  // Gone already, with what holds it.
  if (object === null) return path.length > 1
  // A document needs a name, and nothing else depends on it.
  if (path.length === 1 && key === 'name') object[key] = 'x'
  else Reflect.deleteProperty(object, key)
  return true
}

function objectAt(value: unknown): Record<PropertyKey, unknown> | null {
  return typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>) : null
}
