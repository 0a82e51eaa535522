/**
 * Postgres stores no NUL and no lone surrogate, neither in text nor in jsonb. What workers answer may hold both, and
 * the recorder must never be stopped by one: they become U+FFFD.
 */
// eslint-disable-next-line no-control-regex -- a NUL is what it looks for
const unstorable = /\u0000|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

export function storable(text: string): string {
  return text.replace(unstorable, '\ufffd')
}

export function isStorable(text: string): boolean {
  return text.search(unstorable) < 0
}

/** JSON text that jsonb takes. */
export function storableJson(value: unknown): string {
  const json = JSON.stringify(value)
  // JSON.stringify escapes exactly what isn't storable, so a text without these escapes is fine as it is.
  return /\\u(?:0000|d[89a-f])/i.test(json) ? JSON.stringify(cleaned(value)) : json
}

function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return storable(value)
  if (Array.isArray(value)) return value.map(cleaned)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [storable(key), cleaned(inner)]))
}
