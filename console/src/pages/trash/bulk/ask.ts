import type { BulkFilter } from '../../../api/engine.ts'

/** What somebody is about to do with many messages. */
export interface BulkAsk {
  readonly action: 'replay' | 'discard'
  readonly filter: BulkFilter
  /** As far as it is known. */
  readonly count: number | null
  /** Which they are, in words. */
  readonly what: string
}
