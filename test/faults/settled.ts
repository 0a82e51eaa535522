import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { textOf } from '../../runtime/errors.ts'
import { rowsOf } from './audit.ts'
import type { Auditor } from './audit.ts'
import type { Violation } from './check/evidence.ts'

interface Deps {
  readonly auditor: Auditor
  readonly postgresUrl: string
  /** Runs that were accepted. */
  accepted(): number
  /** Called when nothing has moved for a while. */
  nudge(): Promise<void>
  /** Where the parts' output is. */
  readonly logs: string
}

/** Nothing new is settled for so long though everything is up: something is stuck. */
const stuckAfterMs = 60_000
const nudgeAfterMs = 15_000
const lookEveryMs = 200

/** Resolves when every run is over, in the stream and in Postgres; with what is stuck when nothing moves any more. */
export async function untilSettled(deps: Deps): Promise<Violation[]> {
  const { auditor, postgresUrl, accepted } = deps
  let last = ''
  for (let moved = performance.now(), nudged = moved; ;) {
    const rows = await rowsOf(postgresUrl).catch(() => null)
    const open = rows?.runs.filter(({ state }) => state === 'running').length ?? -1
    const now = `${accepted()} ${auditor.finished()} ${open} ${auditor.last()}`
    const isOver = auditor.finished() === accepted() && open === 0 && rows?.runs.length === accepted()
    // A second look: what was accepted a moment ago may not be read yet.
    if (isOver && now === last) return []
    if (now !== last) moved = nudged = performance.now()
    last = now
    if (performance.now() - moved > stuckAfterMs) return [await stuckAt(now, deps)]
    if (performance.now() - nudged > nudgeAfterMs) {
      await deps.nudge()
      nudged = performance.now()
    }
    await wait(lookEveryMs)
  }
}

/** What the servers and the parts say of themselves; which messages it is that are stuck, the checks tell. */
async function stuckAt(state: string, { auditor, logs }: Deps): Promise<Violation> {
  const waiting = await auditor.waiting().catch((error: unknown) => [textOf(error)])
  const lines = readdirSync(logs).flatMap((name) => lastLines(logs, name, 3).map((line) => `${name}: ${line}`))
  const text = `nothing moves for ${stuckAfterMs / 1_000} s (runs, finished ones in the stream, running ones in Postgres, last sequence: ${state})`
  return { kind: 'lost', text: [text, ...waiting, ...lines].join('\n    ') }
}

export function lastLines(logs: string, name: string, count: number): string[] {
  return readFileSync(join(logs, name), 'utf8').trimEnd().split('\n').slice(-count)
}
