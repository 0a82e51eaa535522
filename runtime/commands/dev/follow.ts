import { setTimeout as delay } from 'node:timers/promises'
import type { Engine } from '../../client/engine.ts'
import { Unavailable } from '../../errors.ts'
import { appeared } from '../client/run.ts'
import { openDisplay } from './display.ts'
import type { Look, RunState } from './display.ts'

export interface Followed {
  readonly run: RunState
  /** From the run's start until a record was seen as stored; null when that was so at the first look. */
  readonly firstStoredMs: number | null
}

interface Options {
  readonly engine: Engine
  readonly runId: string
  /** Records that the source has. */
  readonly source: number
  readonly signal: AbortSignal
}

const lookEveryMs = 1_000
const eagerEveryMs = 100
const rateOverMs = 5_000
const stalledMs = 120_000

/** Follows a run to its end and shows how far it is. Throws `Unavailable` when nothing has moved for two minutes. */
export async function followRun({ engine, runId, source, signal }: Options): Promise<Followed> {
  const display = openDisplay(source)
  const looks: Look[] = []
  let [firstStoredMs, movedAtMs]: [number | null, number] = [null, performance.now()]
  try {
    for (;;) {
      const look = await lookAt(engine, runId, signal)
      if (!look) {
        await delay(lookEveryMs, null, { signal })
        continue
      }
      const { run, atMs } = look
      const before = looks.at(-1)
      if (before && run.messages.done > 0 && before.run.messages.done === 0)
        firstStoredMs = Date.now() - Date.parse(run.startedAt)
      if (hasMoved(before, look)) movedAtMs = atMs
      if (atMs - movedAtMs > stalledMs) throw new Unavailable('run', stalledText(look))
      looks.push(look)
      while (atMs - (looks[0]?.atMs ?? atMs) > rateOverMs) looks.shift()
      display.show(looks)
      if (run.state !== 'running') return { run, firstStoredMs }
      // Until the first record is stored look often, to see when that is.
      await delay(run.messages.done === 0 ? eagerEveryMs : lookEveryMs, null, { signal })
    }
  } finally {
    display.close()
  }
}

/** Null while a part is away: the run goes on without being looked at. */
async function lookAt(engine: Engine, runId: string, signal: AbortSignal): Promise<Look | null> {
  try {
    const run = await appeared(engine, runId, signal)
    const queues = await engine.list('/api/queues', { query: { topology: run.topology } })
    return { atMs: performance.now(), run, queues }
  } catch (error) {
    if (error instanceof Unavailable) return null
    throw error
  }
}

function hasMoved(before: Look | undefined, { run }: Look): boolean {
  return before === undefined || JSON.stringify(before.run.messages) !== JSON.stringify(run.messages)
}

function stalledText({ run, queues }: Look): string {
  const waiting = queues.filter(({ pending, inFlight, replies }) => pending + inFlight + replies > 0)
  const where = waiting.map(({ node, pending, inFlight }) => `${node} (${pending} waiting, ${inFlight} at work)`)
  return `run ${run.id} has not moved for ${stalledMs / 1_000} s; messages are at ${where.join(', ') || 'no node'}: see the engine's log`
}
