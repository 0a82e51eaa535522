/** Where a partitioned node finds the key of a message. Pure. */
export type PartitionKey =
  { readonly kind: 'pointer'; readonly tokens: readonly string[] } | { readonly kind: 'header'; readonly name: string }

/** What a partition key may look like, for messages of faults. */
export const partitionKeyForms =
  'a JSON pointer into the body such as /customer/id (~0 for ~, ~1 for /), or a header that messages carry such as header:x-customer'

/** The same as a regular expression, for editors. */
export const partitionKeyPattern = "^(?:[hH][eE][aA][dD][eE][rR]:[xX]-[A-Za-z0-9!#$%&'*+.^_`|~-]+|/(?:[^~]|~[01])*)$"

/** The place that a text names (RFC 6901 pointer, or `header:x-…`); null when it names none. Header names are read in lower case. */
export function parsePartitionKey(text: string): PartitionKey | null {
  const header = /^header:(x-[a-z0-9!#$%&'*+.^_`|~-]+)$/.exec(text.toLowerCase())?.[1]
  if (header !== undefined) return { kind: 'header', name: header }
  if (!text.startsWith('/') || /~(?![01])/.test(text)) return null
  const tokens = text.slice(1).split('/')
  return { kind: 'pointer', tokens: tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~')) }
}
