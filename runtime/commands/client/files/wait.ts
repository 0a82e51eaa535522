import { Option } from 'commander'
import type { Command } from 'commander'
import { dataOf } from '../../../client/answer.ts'
import type { Engine } from '../../../client/engine.ts'
import { Unavailable } from '../../../errors.ts'
import { duration } from '../../define.ts'
import { openProgress } from '../../terminal/progress.ts'

const pollMs = 5_000
export const timeoutMsDefault = 60_000

export interface WaitFlags {
  readonly wait?: boolean
  /** ms */
  readonly timeout?: number
}

export function addWait(command: Command, says = 'until every live bridge goes by it'): Command {
  return command
    .option('--wait', says)
    .addOption(
      new Option('--timeout <time>', 'how long --wait may take (default 60s)').argParser(duration('--timeout')),
    )
}

/**
 * Resolves when all live bridges, and one at least, go by the revision of the topology that is in force. Throws `Unavailable` with
 * those that don't when the time is over.
 */
export async function awaitApplied(
  engine: Engine,
  topology: string,
  { timeout = timeoutMsDefault }: WaitFlags,
): Promise<void> {
  const progress = openProgress(process.stderr)
  const deadline = performance.now() + timeout
  for (;;) {
    const left = Math.max(0, Math.round(deadline - performance.now()))
    const { revision, applied, missing } = await dataOf(
      engine.GET('/api/topologies/{topology}/applied', {
        params: { path: { topology }, query: { waitMs: Math.min(pollMs, left) } },
      }),
    )
    const state = `${topology}: revision ${revision ?? 'none'} is applied by ${applied.length} of ${applied.length + missing.length} bridges`
    if (missing.length === 0 && applied.length > 0) return progress.end(state)
    if (left === 0) throw new Unavailable('bridges', `${state} after ${timeout / 1_000} s${reason(missing)}`)
    progress.show(state)
    // Without any bridge the engine has nothing to wait for.
    if (missing.length === 0) await new Promise((resolve) => setTimeout(resolve, Math.min(500, left)))
  }
}

function reason(missing: readonly string[]): string {
  return missing.length === 0 ? ': start a bridge, or look at `sluice doctor`' : `; missing: ${missing.join(', ')}`
}
