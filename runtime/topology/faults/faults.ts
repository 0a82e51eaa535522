/** Faults of a document's shape, as people are told them. Pure. */
import type { z } from 'zod'
import type { Fault } from '../../errors.ts'
import { keysAt } from '../schema.ts'
import { didYouMean } from '../suggest.ts'
import { issuesOf } from './issues.ts'
import { textOfPath } from './paths.ts'

export const faultsMax = 200

/** The faults that the schema found, the first 200; unknown keys one by one, with a suggestion. */
export function faultsOf(
  error: z.ZodError,
  value: unknown,
  locate: (path: readonly PropertyKey[], message: string) => string = (_, message) => message,
): Fault[] {
  return issuesOf(error)
    .slice(0, faultsMax)
    .flatMap((issue) => {
      if (issue.code !== 'unrecognized_keys') {
        const message = issue.code === 'custom' ? issue.message : `${wordsOf(issue)}${found(value, issue.path)}`
        return [{ path: textOfPath(issue.path), message: locate(issue.path, message) }]
      }
      return issue.keys.slice(0, faultsMax).map((key) => {
        const path = [...issue.path, key]
        return {
          path: textOfPath(path),
          message: locate(path, `unknown key "${key.slice(0, 80)}"${didYouMean(key, keysAt(issue.path))}`),
        }
      })
    })
}

/** Of a key that isn't allowed zod says so only; why stands inside. */
function wordsOf(issue: z.core.$ZodIssue): string {
  return issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message
}

function found(value: unknown, path: readonly PropertyKey[]): string {
  let here = value
  for (const part of path) {
    here = typeof here === 'object' && here !== null ? (here as Record<PropertyKey, unknown>)[part] : undefined
  }
  if (typeof here !== 'string' && typeof here !== 'number' && typeof here !== 'boolean') return ''
  return `; found ${JSON.stringify(here).slice(0, 80)}`
}
