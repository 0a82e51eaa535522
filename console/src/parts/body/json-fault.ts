import { inexactNumber } from '../../../../runtime/protocol/patch/exact.ts'

/** The same for JSON that is read and written anew before it is used: also a number in it that would become another one. */
export function exactJsonFault(text: string): string | null {
  const fault = jsonFault(text)
  const number = fault === null ? inexactNumber(text) : null
  if (number === null) return fault
  return `The number ${number} would become another one, since it has too many digits or is too large: make it a text, in quotes`
}

/** Why a text is no JSON, with its place; null: it is. Browsers tell the place only now and then. */
export function jsonFault(text: string): string | null {
  try {
    JSON.parse(text)
    return null
  } catch {
    const { at, what } = firstFault(text)
    const before = text.slice(0, at).split('\n')
    return `This is no JSON at line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}: ${what}`
  }
}

const token =
  /[ \t\r\n]*([{}[\],:]|"(?:[^"\\\t\n\r]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)(?!\w))/y

/** What may come next: a value, the first of a list or of an object, a name, a colon, or what follows a value. */
type Expected = 'value' | 'first-value' | 'first-name' | 'name' | 'colon' | 'comma'

const says: Readonly<Record<Expected, string>> = {
  value: 'a value is missing',
  'first-value': 'a value or ] is missing',
  'first-name': 'a name in quotes or } is missing',
  name: 'a name in quotes is missing',
  colon: 'a colon is missing',
  comma: 'a comma, or what closes it, is missing',
}

function firstFault(text: string): { at: number; what: string } {
  const open: ('{' | '[')[] = []
  let expected: Expected = 'value'
  let at = 0
  for (;;) {
    token.lastIndex = at
    const found = token.exec(text)?.[1]
    const start: number = found === undefined ? at + spaces(text, at) : token.lastIndex - found.length
    const next: Expected | null = found === undefined ? null : step(found, expected, open)
    if (next === null) return { at: start, what: whatOf(text, start, expected, open) }
    expected = next
    at = token.lastIndex
  }
}

/** Null: this can't stand here. */
function step(found: string, expected: Expected, open: ('{' | '[')[]): Expected | null {
  const kind = found.charAt(0)
  switch (kind) {
    case ':':
      return expected === 'colon' ? 'value' : null
    case '}':
      return closes('{', 'first-name', expected, open)
    case ']':
      return closes('[', 'first-value', expected, open)
    case ',':
      return expected === 'comma' ? afterComma(open.at(-1)) : null
    case '{':
    case '[':
      if (!isValue(expected)) return null
      open.push(kind)
      return kind === '{' ? 'first-name' : 'first-value'
    case '"':
      return isName(expected) ? 'colon' : isValue(expected) ? 'comma' : null
    default:
      return isValue(expected) ? 'comma' : null
  }
}

function closes(what: '{' | '[', first: Expected, expected: Expected, open: string[]): Expected | null {
  return (expected === 'comma' || expected === first) && open.pop() === what ? 'comma' : null
}

const isName = (expected: Expected): boolean => expected === 'name' || expected === 'first-name'

function afterComma(inside: '{' | '[' | undefined): Expected | null {
  return inside === undefined ? null : inside === '{' ? 'name' : 'value'
}

const isValue = (expected: Expected): boolean => expected === 'value' || expected === 'first-value'

function whatOf(text: string, at: number, expected: Expected, open: readonly string[]): string {
  if (text.charAt(at) === '"' && expected !== 'comma' && expected !== 'colon')
    return 'this text in quotes is not closed, or has a character that has to be escaped'
  if (expected === 'comma' && open.length === 0) return 'there is something after the end'
  return says[expected]
}

function spaces(text: string, from: number): number {
  return /^[ \t\r\n]*/.exec(text.slice(from, from + 100_000))?.[0].length ?? 0
}
