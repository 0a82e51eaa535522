import type { Started } from '../../runtime/protocol/outcome.ts'
import { openOutcomes } from '../../runtime/queue/ledger.ts'
import { publishStart } from '../../runtime/queue/open.ts'
import { openGuard } from '../../runtime/queue/publish/guard.ts'
import { LostAck } from '../../runtime/queue/publish/publisher.ts'
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

/** How many messages a topology's queues hold. */
export async function storedIn(t: TestApi, topologyId: string): Promise<number> {
  return (await t.queues.connection.jsm.streams.info(`SLUICE_${topologyId}`)).state.messages
}

/** Starts are stored, and nobody hears of it, until what this returns is called. */
export function loseAcknowledgements({ queues }: TestApi): () => void {
  const { control, connection, publisher } = queues
  const { start } = control
  const deaf = {
    ...publisher,
    async publish(...message: Parameters<typeof publisher.publish>): Promise<number> {
      await publisher.publish(...message)
      throw new LostAck('lost on purpose')
    },
  }
  const guard = openGuard(connection, deaf, silentLog, 1)
  control.start = (one) => publishStart(guard, one)
  return () => void (control.start = start)
}
