import type { Started } from '../../runtime/protocol/outcome.ts'
import { openOutcomes } from '../../runtime/queue/ledger.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import type { TestApi } from './open.ts'

/** The starts that a topology's queue holds, in order: all of them when `count` is what was accepted. */
export async function startsIn(t: TestApi, topologyId: string, count: number): Promise<Started[]> {
  const reader = await openOutcomes(t.queues.connection, topologyId, 0, silentLog)
  const found: Started[] = []
  while (found.length < count) {
    const next = await reader.next()
    if (next === null) break
    found.push(...next.outcomes.filter((outcome) => outcome.kind === 'started'))
  }
  await reader.close()
  return found
}
