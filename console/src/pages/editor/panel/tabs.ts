import type { Placed } from '../checking/faults.ts'

export type Tab = 'node' | 'calls' | 'settings'

const ofCalls = new Set([
  ...['service', 'limitCost', 'prefetch', 'partitions', 'partitionKey', 'retry', 'timeoutMs', 'inPlaceMaxMs'],
  ...['onFail', 'emit', 'maxPages', 'watermark'],
])

/** Where the field of a fault is to be found. */
export function tabOf({ field }: Pick<Placed, 'field'>): Tab {
  const first = /^[^.[]*/.exec(field)?.[0] ?? ''
  if (first === 'settings') return 'settings'
  return ofCalls.has(first) ? 'calls' : 'node'
}
