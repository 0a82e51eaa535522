import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import { HttpProblem } from '../problem.ts'

/** Failed tokens and logins, by the address that they come from. Forgets the oldest, so that it never grows. */
export interface Attempts {
  /**
   * What `find` finds for a credential; null counts as a failure. Throws 429 while too many failed from this address; what has worked
   * before is let through even then.
   */
  check<T>(address: string | null, credential: string, find: () => Promise<T | null>): Promise<T | null>
}

const minuteMs = 60_000
/** However many failed at once, an address is heard again after this. */
const lockMaxMs = 15 * minuteMs
const rememberedMax = 10_000

/** `perMinute` may fail at once, and then one whenever its share of a minute is over. `what` they are, for people. */
export function openAttempts(perMinute: number, now: () => number = Date.now, what = 'tokens'): Attempts {
  const shareMs = minuteMs / perMinute
  /** When the failures of a network are forgotten. */
  const forgottenAt = new Map<string, number>()
  const worked = new Set<string>()

  const waitMs = (network: string): number => (forgottenAt.get(network) ?? 0) - now() - (minuteMs - shareMs)
  const failed = (network: string): void => {
    const from = Math.max(forgottenAt.get(network) ?? 0, now())
    forgottenAt.delete(network)
    forgottenAt.set(network, Math.min(from + shareMs, now() + lockMaxMs))
    dropOldest(forgottenAt)
  }
  return {
    async check(address, credential, find) {
      const network = networkOf(address)
      const hash = createHash('sha256').update(credential).digest('base64')
      const ms = waitMs(network)
      if (ms > 0 && !worked.has(hash)) throw tooMany(ms, what)
      const found = await find()
      worked.delete(hash)
      if (found === null) failed(network)
      else worked.add(hash)
      dropOldest(worked)
      return found
    },
  }
}

function tooMany(ms: number, what: string): HttpProblem {
  const seconds = String(Math.ceil(ms / 1_000))
  const text = `too many wrong ${what} came from this address: try again in ${seconds} s`
  return new HttpProblem(429, text, { 'retry-after': seconds })
}

function dropOldest(remembered: Map<string, unknown> | Set<string>): void {
  if (remembered.size <= rememberedMax) return
  for (const oldest of remembered.keys()) return void remembered.delete(oldest)
}

/** An IPv4 address, or the /64 that whoever has one IPv6 address has, too. */
function networkOf(address: string | null): string {
  if (address === null || isIP(address) !== 6) return address ?? ''
  const [front = [], back] = address.split('::').map((half) => half.split(':').filter((group) => group !== ''))
  const zeros = Array.from({ length: back === undefined ? 0 : Math.max(0, 8 - front.length - back.length) }, () => '0')
  return [...front, ...zeros, ...(back ?? [])].slice(0, 4).join(':')
}
