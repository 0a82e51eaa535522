import type { ServiceLimit } from '../../client/openapi.d.ts'
import { Invalid } from '../../errors.ts'
import { periods, scopes } from '../../topology/limits/limits.ts'
import type { Period, Scope } from '../../topology/limits/limits.ts'
import { didYouMean } from '../../topology/suggest.ts'

/** As `sluice service add --limit` takes them. */
export function limitsText(limits: readonly ServiceLimit[]): string {
  return limits.map(limitText).join('; ')
}

function limitText({ rate, per, burst, scope }: ServiceLimit): string {
  const more = [burst === undefined ? '' : `,burst=${burst}`, scope === 'tenant' ? ',scope=tenant' : '']
  return `${rate}/${per}${more.join('')}`
}

/** `RATE/PERIOD`, and after commas `burst=N` and `scope=tenant`. Throws `Invalid`, which says which part is wrong. */
export function readLimit(text: string): ServiceLimit {
  const wrong = (why: string): Invalid =>
    new Invalid(`--limit "${text}": ${why}; for example 2/second, 100/minute,burst=20 or 5/hour,scope=tenant`)
  const [head = '', ...parts] = text.split(',').map((part) => part.trim())
  const [rate = '', per, ...rest] = head.split('/')
  if (per === undefined || rest.length > 0)
    throw wrong(`it begins with RATE/PERIOD, ${head === '' ? 'which is missing' : `found "${head}"`}`)
  const limit: { rate: number; per: Period; burst?: number; scope?: Scope } = {
    rate: countOf(rate, 'the rate', wrong),
    per: wordOf(per, 'the period', periods, wrong),
  }
  for (const part of parts) {
    const [key = '', value = ''] = part.split(/=(.*)/s)
    if (key !== 'burst' && key !== 'scope')
      throw wrong(`after commas come burst=N and scope=tenant, found "${part}"${didYouMean(key, ['burst', 'scope'])}`)
    if (limit[key] !== undefined) throw wrong(`${key} is there twice`)
    if (key === 'burst') limit.burst = countOf(value, 'burst', wrong)
    else limit.scope = wordOf(value, 'scope', scopes, wrong)
  }
  return limit
}

const countMax = 1_000_000

function countOf(text: string, what: string, wrong: (why: string) => Invalid): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : NaN
  if (count >= 1 && count <= countMax) return count
  throw wrong(`${what} is a whole number from 1 to ${countMax}, found "${text}"`)
}

function wordOf<W extends string>(text: string, what: string, words: readonly W[], wrong: (why: string) => Invalid): W {
  const found = words.find((word) => word === text)
  if (found !== undefined) return found
  throw wrong(`${what} is one of ${words.join(', ')}, found "${text}"${didYouMean(text, words)}`)
}
