import { openAttempts } from './attempts.ts'
import type { Attempts } from './attempts.ts'
import { proxiesOf } from './origin.ts'
import type { Proxies } from './origin.ts'

export interface AccessOptions {
  /** Addresses and networks of reverse proxies. */
  readonly trustedProxies: readonly string[]
  /** Wrong tokens that one address may send; more are 429. */
  readonly failuresPerMinute: number
  /** A session that isn't used for so long ends, */
  readonly sessionIdleMs: number
  /** and whatever its use, it ends after so long. */
  readonly sessionMaxMs: number
}

/** How controls tell each other of failed attempts, by the network that they came from. */
interface Told {
  readonly tell: (network: string) => void
  readonly onTold: (hear: (network: string) => void) => void
}

/** Who gets in, and for how long. Counts failed attempts over all controls, and remembers them in memory only. */
export interface Access {
  readonly isProxy: Proxies
  readonly attempts: Attempts
  /** Of addresses of webhooks, apart: who sends to one that is gone locks nobody out of the API. */
  readonly hookAttempts: Attempts
  readonly sessionIdleMs: number
  readonly sessionMaxMs: number
}

export function openAccess({ trustedProxies, failuresPerMinute, ...session }: AccessOptions, others: Told): Access {
  const attempts = openAttempts(failuresPerMinute, { tell: others.tell })
  const hookAttempts = openAttempts(failuresPerMinute, { what: 'addresses of webhooks' })
  others.onTold(attempts.failedElsewhere)
  return { isProxy: proxiesOf(trustedProxies), attempts, hookAttempts, ...session }
}
