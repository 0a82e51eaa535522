/** How a JSON array body of a node's replies becomes messages; `n` is the size of chunks. */
export type NodeEmit = { readonly kind: 'page' | 'records' } | { readonly kind: 'chunks'; readonly n: number }

const chunkMax = 100_000

/** What `parseEmit` takes, for messages to people. */
export const emitForms = `page, records or chunks=N with N from 1 to ${chunkMax}`

/** The same as a regular expression, for editors. */
export const emitPattern =
  '^\\s*(?:[pP][aA][gG][eE]|[rR][eE][cC][oO][rR][dD][sS]|[cC][hH][uU][nN][kK][sS]=(?=\\d{1,6}\\s*$)0*(?:[1-9]\\d{0,4}|100000))\\s*$'

/** Reads `page`, `records` or `chunks=N`; null for anything else. */
export function parseEmit(text: string): NodeEmit | null {
  const value = text.trim().toLowerCase()
  if (value === 'page' || value === 'records') return { kind: value }
  const size = /^chunks=(\d{1,6})$/.exec(value)?.[1]
  const n = size === undefined ? 0 : Number(size)
  return n >= 1 && n <= chunkMax ? { kind: 'chunks', n } : null
}
