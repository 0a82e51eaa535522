import type { Cells } from '../../queue/limits/cells.ts'
import type { Log } from '../../telemetry/log.ts'

export interface LineDeps {
  readonly cells: Cells
  /** Milliseconds by the server's clock. */
  readonly now: () => number
  /** Bridges that live, as far as known. */
  readonly bridges: () => number
  readonly log: Log
}
