/** Bytes that have a meaning in JSON (RFC 8259) and CSV (RFC 4180), for readers that look at bytes and not at texts. */
export const quote = 0x22
export const backslash = 0x5c
export const comma = 0x2c
export const colon = 0x3a
export const openBracket = 0x5b
export const closeBracket = 0x5d
export const openBrace = 0x7b
export const closeBrace = 0x7d
export const lf = 0x0a
export const cr = 0x0d

/** Blanks of JSON. */
export function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === lf || byte === cr || byte === 0x09
}
