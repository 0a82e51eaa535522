/** Where a value of a webhook's delivery stands: `header:x-id`, `query:shop`, `/account/id`, `fixed:acme`. Pure. */

export type Source =
  | { readonly from: 'header' | 'query'; readonly name: string }
  | { readonly from: 'body'; readonly tokens: readonly string[] }
  | { readonly from: 'fixed'; readonly value: string }

/** What the id of a delivery may be read from. */
export type IdSource = Extract<Source, { from: 'header' | 'body' | 'query' }>

export const deliveryIdForms = 'header:NAME, a JSON pointer into the body such as /id, query:NAME, or none'
export const tenantForms = 'query:NAME, header:NAME, a JSON pointer into the body such as /shop/id, or fixed:TENANT'

/** The same as regular expressions, for editors. */
const headerOrQuery = "[hH][eE][aA][dD][eE][rR]:[A-Za-z0-9!#$%&'*+.^_`|~-]+|query:[^\\s&=#]+"
const pointer = '/(?:[^~]|~[01])*'
export const deliveryIdPattern = `^(?:${headerOrQuery}|${pointer}|none)$`
export const tenantPattern = `^(?:${headerOrQuery}|${pointer}|fixed:[^\\s](?:.*[^\\s])?)$`

/** Null for what names no place. Names of headers are read in lower case. */
export function parseSource(text: string): Source | null {
  const header = /^header:([a-z0-9!#$%&'*+.^_`|~-]+)$/.exec(text.toLowerCase())?.[1]
  if (header !== undefined) return { from: 'header', name: header }
  const [, query, fixed] = /^(?:query:([^\s&=#]+)|fixed:(\S(?:.*\S)?))$/.exec(text) ?? []
  if (query !== undefined) return { from: 'query', name: query }
  if (fixed !== undefined) return { from: 'fixed', value: fixed }
  if (!text.startsWith('/') || /~(?![01])/.test(text)) return null
  const tokens = text.slice(1).split('/')
  return { from: 'body', tokens: tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~')) }
}

/** Null for what names no place in a delivery. */
export function parseIdSource(text: string): IdSource | null {
  const source = parseSource(text)
  return source?.from === 'fixed' ? null : source
}
