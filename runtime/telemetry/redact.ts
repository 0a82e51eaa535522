/** Keeps secrets out of what is written down: by the name of a field, and by how they look inside a text. */

export const redacted = '[redacted]'

const secretName =
  /(secret|token|passw(or)?d|passphrase|authorization|cookie|credential|(api|access|private|secret|signing)[-_]?key)s?$/i

/**
 * Tokens of ours, what an authorization header carries, the password of a URL, and the values of a statement that failed: bodies of
 * messages may be among them.
 */
const secretTexts: readonly (readonly [RegExp, string])[] = [
  [/\bslw[a-z]?_[\w-]{20,}/g, redacted],
  [/\b(bearer|basic) +[\w.~+/=-]{8,}/gi, `$1 ${redacted}`],
  [/\nparams: [\s\S]*?(?=\n {4}at |$)/g, `\nparams: ${redacted}`],
  [/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@"]*):[^\s/@"]+@/gi, `$1:${redacted}@`],
]

/** A text without what looks like a secret inside it. */
export function withoutSecrets(text: string): string {
  return secretTexts.reduce((clean, [pattern, instead]) => clean.replace(pattern, instead), text)
}

/** A copy without secrets, however deep they lie; errors keep their name, message and stack. */
export function redact(value: unknown, depthMax = 12): unknown {
  if (typeof value === 'string') return withoutSecrets(value)
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  if (depthMax === 0) return '[too deep]'
  if (Array.isArray(value)) return value.map((item) => redact(item, depthMax - 1))
  const clean = entriesOf(value).map(([key, inner]) => [
    key,
    isSecret(key, inner) ? redacted : redact(inner, depthMax - 1),
  ])
  return Object.fromEntries(clean)
}

function entriesOf(value: object): [string, unknown][] {
  if (!(value instanceof Error)) return Object.entries(value)
  const { name, message, stack } = value
  return [...Object.entries(value), ...Object.entries({ name, message, stack })]
}

/** That there is none, or whether there is one, is no secret. */
export function isSecret(name: string, value: unknown): boolean {
  return secretName.test(name) && value !== null && value !== undefined && typeof value !== 'boolean'
}
