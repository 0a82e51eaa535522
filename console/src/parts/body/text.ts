import { inexactNumber } from '../../../../runtime/protocol/patch/exact.ts'

/** A body as it is stored, and what it can be shown as. */
export interface Body {
  readonly contentType: string
  readonly bytes: Uint8Array
  /** Null: it isn't UTF-8. */
  readonly text: string | null
}

export function bodyOf(contentType: string, bodyBase64: string): Body {
  const bytes = Uint8Array.from(atob(bodyBase64), (char) => char.charCodeAt(0))
  return { contentType, bytes, text: textOf(bytes) }
}

function textOf(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return null
  }
}

export function base64Of(text: string): string {
  const bytes = new TextEncoder().encode(text)
  const pieces: string[] = []
  const step = 32_768
  for (let at = 0; at < bytes.length; at += step) pieces.push(String.fromCharCode(...bytes.subarray(at, at + step)))
  return btoa(pieces.join(''))
}

export function isJsonType(contentType: string): boolean {
  return /^(application\/json|[^;]*\+json)\s*(;|$)/i.test(contentType)
}

/** A number that JavaScript can't hold, as it was written. */
export class ExactNumber {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

interface Context {
  readonly source?: string
}

/** JSON with its numbers as they were written, where the browser tells how. Throws `SyntaxError`. */
export function parseJson(text: string): unknown {
  // Older browsers don't know the third argument.
  const keep = (_: string, value: unknown, context?: Context): unknown =>
    typeof value === 'number' && context?.source !== undefined && !isSame(value, context.source)
      ? new ExactNumber(context.source)
      : value
  return JSON.parse(text, keep) as unknown
}

/** That 1.0 is shown as 1 is no loss. */
function isSame(value: number, source: string): boolean {
  if (String(value) === source) return true
  return inexactNumber(source) === null
}

/** JSON in lines, for people, with nothing in it changed but the spaces between its parts. */
export function prettyJson(text: string): string {
  let out = ''
  let depth = 0
  let at = 0
  const line = (): string => `\n${'  '.repeat(depth)}`
  while (at < text.length) {
    const char = text.charAt(at)
    if (char === '"') {
      const end = endOfString(text, at)
      out += text.slice(at, end)
      at = end
      continue
    }
    at++
    if (/\s/.test(char)) continue
    if (char === '{' || char === '[') {
      const next = nextChar(text, at)
      if (next === '}' || next === ']') {
        out += char + next
        at = text.indexOf(next, at) + 1
      } else {
        depth++
        out += char + line()
      }
    } else if (char === '}' || char === ']') {
      depth--
      out += line() + char
    } else if (char === ',') out += char + line()
    else out += char === ':' ? ': ' : char
  }
  return out
}

function endOfString(text: string, from: number): number {
  let at = from + 1
  while (at < text.length) {
    const char = text.charAt(at)
    if (char === '\\') at += 2
    else if (char === '"') return at + 1
    else at++
  }
  return text.length
}

function nextChar(text: string, from: number): string {
  let at = from
  while (at < text.length && /\s/.test(text.charAt(at))) at++
  return text.charAt(at)
}
