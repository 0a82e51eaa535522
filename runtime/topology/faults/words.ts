/** What is wrong with a value, in plain words and in one place: for every schema that says nothing better itself. */
import { z } from 'zod'

type Issue = z.core.$ZodRawIssue

/** Undefined: zod's own words are good enough. */
function plainWords(issue: Issue): string | undefined {
  switch (issue.code) {
    case 'too_small':
      return bound(issue.origin, 'at least', issue.minimum)
    case 'too_big':
      return bound(issue.origin, 'at most', issue.maximum)
    case 'invalid_type':
      return `${issue.input === undefined ? 'is missing: ' : ''}expected ${kinds[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return `${issue.input === undefined ? 'is missing: ' : ''}expected ${oneOf(issue.values.map(String))}`
    case 'unrecognized_keys':
      return `unknown ${issue.keys.length === 1 ? 'key' : 'keys'} ${issue.keys.map(quoted).join(', ')}`
    default:
      return undefined
  }
}

const kinds: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'a text',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
}

const units: Readonly<Record<string, string>> = { string: 'character', array: 'item', set: 'item', map: 'entry' }

function bound(origin: string, how: string, limit: number | bigint): string {
  const unit = units[origin]
  return `expected ${how} ${limit}${unit === undefined ? '' : ` ${unit}${limit === 1 ? '' : 's'}`}`
}

function oneOf(values: readonly string[]): string {
  const [last = '', ...others] = values.toReversed()
  return others.length === 0 ? last : `${others.toReversed().join(', ')} or ${last}`
}

const quoted = (key: string): string => JSON.stringify(key.slice(0, 80))

z.config({ customError: plainWords })
