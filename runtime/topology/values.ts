/**
 * The values of a worker node that can be set in several places: at the node itself (PATCH), in its document, in its worker's
 * manifest, and by default. Each value, and each field of a retry policy, is taken from the first of these that says it. Pure.
 */
import { nodeDefaults, retryDefaults } from './plan.ts'
import type { RetryPolicy, WorkerNode } from './plan.ts'
import type { RetryInput } from './schema.ts'

/** What one place says; null or left out: nothing. */
export interface NodeValues {
  readonly prefetch?: number | null | undefined
  readonly timeoutMs?: number | null | undefined
  readonly retry?: RetryInput | null | undefined
  readonly inPlaceMaxMs?: number | null | undefined
  readonly onFail?: WorkerNode['onFail'] | null | undefined
}

/** What a node has when nothing else is said of it: from its worker's record and manifest. */
export interface NodeDefaults extends NodeValues {
  readonly path?: string
  readonly service?: string
  readonly partitionKey?: string
}

export type ResolvedValues = Pick<WorkerNode, 'prefetch' | 'timeoutMs' | 'retry' | 'inPlaceMaxMs' | 'onFail'>

/** `places` from the one that wins to the one that loses; the worker's defaults come after them, and the engine's last. */
export function resolveValues(
  partitions: number,
  places: readonly NodeValues[],
  defaults: NodeDefaults,
): ResolvedValues {
  // A worker's default of prefetch is meant for a node without lanes.
  const all = [...places, partitions > 1 ? { ...defaults, prefetch: 1 } : defaults]
  const first = <K extends keyof NodeValues>(key: K) => all.find((place) => (place[key] ?? null) !== null)?.[key]
  return {
    prefetch: first('prefetch') ?? nodeDefaults.prefetch,
    timeoutMs: first('timeoutMs') ?? nodeDefaults.timeoutMs,
    retry: raised(all.reduceRight<RetryPolicy>((policy, { retry }) => mergeRetry(policy, retry), retryDefaults)),
    inPlaceMaxMs: first('inPlaceMaxMs') ?? nodeDefaults.inPlaceMaxMs,
    onFail: first('onFail') ?? nodeDefaults.onFail,
  }
}

/** Field by field; what `over` leaves out stays. */
function mergeRetry(policy: RetryPolicy, over: RetryInput | null | undefined): RetryPolicy {
  return {
    attempts: over?.attempts ?? policy.attempts,
    backoff: over?.backoff ?? policy.backoff,
    baseMs: over?.baseMs ?? policy.baseMs,
    maxMs: over?.maxMs ?? policy.maxMs,
    on: over?.on ?? policy.on,
    maxAgeMs: over?.maxAgeMs === undefined ? policy.maxAgeMs : over.maxAgeMs,
  }
}

/** A shortest delay from one place and a longest one from another may contradict each other: then both are the shortest. */
function raised(policy: RetryPolicy): RetryPolicy {
  return { ...policy, maxMs: Math.max(policy.maxMs, policy.baseMs) }
}
