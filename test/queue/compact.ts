import { openJanitor } from '../../runtime/queue/janitor/janitor.ts'
import type { Janitor, JanitorOptions } from '../../runtime/queue/janitor/janitor.ts'
import { streamName } from '../../runtime/queue/names.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import type { Plan } from '../../runtime/topology/plan.ts'
import type { TestEngine } from '../support/engine.ts'

/** A janitor that keeps no history at all, unless the options say so. */
export function janitorOf(engine: Pick<TestEngine, 'queues'>, options: Partial<JanitorOptions> = {}): Janitor {
  const { connection } = engine.queues
  const least = { windowMs: 0, leastWindowMs: 0, maxBytes: Infinity }
  return openJanitor({ connection, replicas: 1, ...least, log: silentLog, ...options })
}

/** One round; by default everything that is stored is recorded. */
export async function compacting(
  engine: TestEngine,
  janitor: Janitor,
  { recorded, plans = [engine.plan] }: { recorded?: number; plans?: readonly Plan[] } = {},
): Promise<void> {
  const { last } = await rangeOf(engine)
  await janitor.compact(engine.plan.topologyId, {
    recorded: () => Promise.resolve(recorded ?? last),
    plansSince: () => Promise.resolve(plans),
  })
}

const stateOf = async ({ queues, plan }: TestEngine, filter?: string) => {
  const options = filter === undefined ? undefined : { subjects_filter: `sluice.${plan.topologyId}.${filter}` }
  return (await queues.connection.jsm.streams.info(streamName(plan.topologyId), options)).state
}

export async function rangeOf(engine: TestEngine): Promise<{ first: number; last: number }> {
  const state = await stateOf(engine)
  return { first: state.first_seq, last: state.last_seq }
}

/** Stored subjects below the topology's that match. */
export async function subjectsOf(engine: TestEngine, filter: string): Promise<string[]> {
  return Object.keys((await stateOf(engine, filter)).subjects ?? {})
}

export const schedulesOf = (engine: TestEngine): Promise<string[]> => subjectsOf(engine, '*.later')
