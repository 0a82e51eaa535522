import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import { HttpProblem } from '../problem.ts'
import { openLines } from './lines.ts'

/**
 * Failed tokens and logins, by the address that they come from. Forgets the oldest, so that it never grows. A credential that isn't
 * known to be good is looked up only while its address may still fail, so guesses cost the database no more than the limit.
 */
export interface Attempts {
  /**
   * What `find` finds for a credential; null counts as a failure. Throws 429 while too many failed from this address, or too many are
   * looked up for longer than it waits; what has worked before is let through even then, and keeps nobody waiting.
   */
  check<T>(address: string | null, credential: string, find: () => Promise<T | null>): Promise<T | null>
  /** Another control met a failure from this network. */
  readonly failedElsewhere: (network: string) => void
}

interface AttemptsOptions {
  /** Hears of the network of each failure here. */
  readonly tell?: (network: string) => void
  readonly now?: () => number
  /** What is tried, for people. */
  readonly what?: string
  /** How long one waits for those that are looked up before it. */
  readonly waitMaxMs?: number
}

const minuteMs = 60_000
/** However many failed at once, an address is heard again after this. */
const lockMaxMs = 15 * minuteMs
const rememberedMax = 10_000
const usualWaitMs = 5_000

/** `perMinute` may fail at once, and then one whenever its share of a minute is over. */
export function openAttempts(
  perMinute: number,
  { tell = () => undefined, now = Date.now, what = 'tokens', waitMaxMs = usualWaitMs }: AttemptsOptions = {},
): Attempts {
  const failures = openFailures(perMinute, now)
  const lines = openLines()
  const worked = new Set<string>()

  /** Those that are looked up may all be wrong, so they are no more than may fail: the others wait for them. False: it has worked. */
  const enter = async (network: string, hash: string): Promise<boolean> => {
    let late: AbortSignal | null = null
    while (!worked.has(hash)) {
      const ms = failures.waitMs(network)
      if (ms > 0) throw tooMany(ms, what)
      if (lines.has(network, hash) || lines.count(network) < failures.left(network)) {
        lines.enter(network, hash)
        return true
      }
      late ??= AbortSignal.timeout(waitMaxMs)
      if (late.aborted) throw tooSlow(what)
      await lines.shorter(network, late)
    }
    return false
  }
  const note = (network: string, hash: string, isGood: boolean): void => {
    worked.delete(hash)
    if (isGood) worked.add(hash)
    else failures.add(network)
    if (!isGood) tell(network)
    dropOldest(worked)
  }
  return {
    async check(address, credential, find) {
      const network = networkOf(address)
      const hash = createHash('sha256').update(credential).digest('base64')
      const isInLine = await enter(network, hash)
      try {
        const found = await find()
        note(network, hash, found !== null)
        return found
      } finally {
        if (isInLine) lines.leave(network, hash)
      }
    },
    failedElsewhere: (network) => failures.add(network),
  }
}

interface Failed {
  /** How long until the network may fail again; 0 or less: now. */
  waitMs(network: string): number
  /** How often it may fail now; at least once when it need not wait. */
  left(network: string): number
  add(network: string): void
}

function openFailures(perMinute: number, now: () => number): Failed {
  const shareMs = minuteMs / perMinute
  /** When the failures of a network are forgotten. */
  const forgottenAt = new Map<string, number>()
  const owedMs = (network: string): number => Math.max(0, (forgottenAt.get(network) ?? 0) - now())
  return {
    waitMs: (network) => owedMs(network) - (minuteMs - shareMs),
    left: (network) => Math.max(1, Math.floor((minuteMs - owedMs(network)) / shareMs)),
    add(network) {
      const until = now() + Math.min(owedMs(network) + shareMs, lockMaxMs)
      forgottenAt.delete(network)
      forgottenAt.set(network, until)
      dropOldest(forgottenAt)
    },
  }
}

function tooMany(ms: number, what: string): HttpProblem {
  const seconds = String(Math.ceil(ms / 1_000))
  const text = `too many wrong ${what} came from this address: try again in ${seconds} s`
  return new HttpProblem(429, text, { 'retry-after': seconds })
}

function tooSlow(what: string): HttpProblem {
  const text = `other ${what} from this address are still being looked up: try again in a second`
  return new HttpProblem(429, text, { 'retry-after': '1' })
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
