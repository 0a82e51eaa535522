/**
 * The first number in a JSON text that JavaScript can't hold exactly (an id of 19 digits, 1e999); null: there is none. A body that is
 * patched is written anew, and must not change where nobody meant it to.
 */
export function inexactNumber(json: string): string | null {
  const numbers = /-?\d[\d.eE+-]*/y
  for (let at = 0; at < json.length; at++) {
    const char = json.charCodeAt(at)
    if (char === quote) at = endOfString(json, at)
    else if (char === minus || isDigit(char)) {
      numbers.lastIndex = at
      const token = numbers.exec(json)?.[0] ?? ''
      if (!isExact(token)) return token.slice(0, 40)
      at += Math.max(token.length - 1, 0)
    }
  }
  return null
}

const quote = 0x22
const backslash = 0x5c
const minus = 0x2d
const isDigit = (char: number): boolean => char >= 0x30 && char <= 0x39

function endOfString(json: string, from: number): number {
  let at = from + 1
  while (at < json.length && json.charCodeAt(at) !== quote) at += json.charCodeAt(at) === backslash ? 2 : 1
  return at
}

/** Up to 15 digits always survive. */
const safeDigits = 15

function isExact(token: string): boolean {
  const value = Number(token)
  if (!Number.isFinite(value)) return false
  const digits = digitsOf(token)
  if (digits.length <= safeDigits) return value !== 0 || digits === ''
  return (
    digitsOf(Number.isSafeInteger(value) ? String(value) : value.toPrecision(Math.min(digits.length, 100))) === digits
  )
}

/** Without sign, point, exponent, and zeros at both ends. */
function digitsOf(token: string): string {
  const [mantissa = ''] = token.toLowerCase().split('e')
  return mantissa.replace(/[-.]/g, '').replace(/^0+/, '').replace(/0+$/, '')
}
