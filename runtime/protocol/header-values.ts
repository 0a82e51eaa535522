/** Values of headers: how text travels in them, and what may stand in a user header. */

/** All `x-…` headers of a message together, names and values, in bytes. */
const userHeadersMaxBytes = 4096

/**
 * Percent-encodes a value as the CloudEvents HTTP binding does: space, `"`, `%` and everything that is not printable ASCII,
 * byte by byte of its UTF-8. Plain values come back as they are.
 */
export function encodeHeaderValue(value: string): string {
  if (/^[\x21\x23\x24\x26-\x7e]*$/.test(value)) return value
  return value.replace(/[^\x21\x23\x24\x26-\x7e]/gu, (char) => {
    const hex = Buffer.from(char, 'utf8').toString('hex').toUpperCase()
    return hex.replace(/../g, '%$&')
  })
}

/** The reverse of `encodeHeaderValue`; escapes that aren't UTF-8 are left as they are. */
export function decodeHeaderValue(value: string): string {
  if (!value.includes('%')) return value
  return value.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => {
    try {
      return decodeURIComponent(escapes)
    } catch {
      return escapes
    }
  })
}

/** What is wrong with a message's user headers, for a person; null when they can travel. */
export function userHeadersFault(headers: Readonly<Record<string, string>>): string | null {
  let bytes = 0
  for (const [name, value] of Object.entries(headers)) {
    if (!/^x-[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) return `header "${name.slice(0, 60)}" is not a lower-case x-… name`
    bytes += name.length + opaqueHeaderValue(value).length
  }
  return bytes > userHeadersMaxBytes
    ? `x-… headers take ${bytes} bytes; at most ${userHeadersMaxBytes} are carried`
    : null
}

/**
 * A value that is handed back exactly as it came (cursors, watermarks, user headers): as it is when it is printable ASCII,
 * also with a `%` in it, and percent-encoded otherwise.
 */
export function opaqueHeaderValue(value: string): string {
  return /^[\x20-\x7e]*$/.test(value) ? value : encodeHeaderValue(value)
}
