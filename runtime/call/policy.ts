/** Which failures are tried again, and when. Pure; all times in milliseconds. */
import type { RetryPolicy } from '../topology/plan.ts'

/** Longest delay of any kind. */
export const delayMaxMs = 86_400_000

/** Backoff with full jitter before the call after `failed` failed ones (1-based). `random` gives [0, 1). */
export function backoffMs(policy: RetryPolicy, failed: number, random: () => number): number {
  return Math.floor(ceilingMs(policy, failed) * random())
}

/** The most that `backoffMs` can give: `baseMs`, doubled with every failure when exponential, at most `maxMs`. */
export function ceilingMs(policy: RetryPolicy, failed: number): number {
  const grown = policy.backoff === 'fixed' ? policy.baseMs : policy.baseMs * 2 ** Math.max(0, failed - 1)
  return Math.min(grown, policy.maxMs, delayMaxMs)
}

/** A failure as the items of a policy's `on` name it. */
export type FailureKind = 'timeout' | 'connection' | { readonly status: number }

/**
 * Whether a policy tries the failure again: one of its items names it (`timeout`, `connection`, `status:502`, `status:5xx`,
 * `status:500-504`, `any`), or it has `default` or no items at all and the protocol's table says so.
 */
export function isRetried(on: readonly string[], kind: FailureKind, byTable: boolean): boolean {
  if (on.length === 0) return byTable
  return on.some((item) => item === 'any' || (item === 'default' ? byTable : names(item, kind)))
}

function names(item: string, kind: FailureKind): boolean {
  if (typeof kind === 'string') return item === kind
  const text = String(kind.status)
  if (item === `status:${text}` || item === `status:${text.slice(0, 1)}xx`) return true
  const range = /^status:(\d+)-(\d+)$/.exec(item)
  return range !== null && kind.status >= Number(range[1]) && kind.status <= Number(range[2])
}

/**
 * `Retry-After` as a delay: seconds or an HTTP date (measured against the reply's own `Date` when it has one, so that the
 * worker's clock may be wrong), within 0 and 24 h. Null when absent or unreadable.
 */
export function retryAfterMs(headers: Readonly<Record<string, string>>, nowMs: number): number | null {
  const text = headers['retry-after']?.trim()
  if (text === undefined || text === '') return null
  if (/^\d+(\.\d+)?$/.test(text)) return clamp(Number(text) * 1000)
  const at = httpDate(text)
  return at === null ? null : clamp(at - (httpDate(headers['date'] ?? '') ?? nowMs))
}

/** Epoch milliseconds of an HTTP date such as `Sun, 06 Nov 1994 08:49:37 GMT`; null for anything else. */
function httpDate(text: string): number | null {
  const at = /^[A-Z][a-z]{2,8},? /.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? null : at
}

function clamp(ms: number): number {
  return Math.min(Math.max(0, Math.ceil(ms)), delayMaxMs)
}
