/** How values of options are written. */
import { isIP } from 'node:net'
import { z } from 'zod'

export const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, `expected a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, `expected a whole number from ${min} to ${max}`)

export const url = (protocols: readonly string[], example: string) =>
  z.string().refine((text) => protocols.includes(protocolOf(text)), `expected a URL such as ${example}`)

/** One or several, separated by commas: servers of one cluster, at each of which a start may begin. All take the same credentials. */
export const urls = (protocols: readonly string[], example: string) =>
  z.string().superRefine((text, context) => {
    const parts = text.split(',').map((part) => part.trim())
    const wrong = parts.findIndex((part) => !protocols.includes(protocolOf(part)))
    const message = wrong === -1 ? credentialsFault(parts) : urlFault(parts, wrong, protocols, example)
    if (message !== null) context.addIssue({ code: 'custom', message })
  })

function urlFault(parts: readonly string[], wrong: number, protocols: readonly string[], example: string): string {
  if (parts.length === 1) return `expected a URL such as ${example}`
  const schemes = protocols.map((protocol) => `${protocol}//`).join(' or ')
  const what = parts[wrong] === '' ? 'is empty' : `is not a URL with ${schemes}`
  return `expected URLs such as ${example} separated by commas; the ${wrong + 1}. of ${parts.length} ${what}`
}

function credentialsFault(parts: readonly string[]): string | null {
  const [first = '', ...others] = parts.map((part) => {
    const { username, password } = new URL(part)
    return `${username}:${password}`
  })
  const other = others.findIndex((each) => each !== ':' && each !== first)
  return other === -1
    ? null
    : `the ${other + 2}. URL has another user or password than the first, whose are used for all`
}

export const path = z.string().min(1)

/** `10.0.0.7,10.1.0.0/16,fd00::/8` as a list. */
export const ranges = z.string().transform((text, context) => {
  const found = text.split(',').map((range) => range.trim())
  const wrong = found.find((range) => !isRange(range))
  if (wrong === undefined) return found
  context.addIssue(`expected addresses and networks with commas, such as 10.0.0.7,10.1.0.0/16; "${wrong}" is neither`)
  return z.NEVER
})

function isRange(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/')
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1
  if (most < 0 || more.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most)
}

function protocolOf(text: string): string {
  return URL.canParse(text) ? new URL(text).protocol : ''
}
