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

/** Who gets in, and for how long. Remembers failed attempts of this process only. */
export interface Access {
  readonly isProxy: Proxies
  readonly attempts: Attempts
  /** Of addresses of webhooks, apart: who sends to one that is gone locks nobody out of the API. */
  readonly hookAttempts: Attempts
  readonly sessionIdleMs: number
  readonly sessionMaxMs: number
}

export function openAccess({ trustedProxies, failuresPerMinute, ...session }: AccessOptions): Access {
  const attempts = openAttempts(failuresPerMinute)
  const hookAttempts = openAttempts(failuresPerMinute, Date.now, 'addresses of webhooks')
  return { isProxy: proxiesOf(trustedProxies), attempts, hookAttempts, ...session }
}
