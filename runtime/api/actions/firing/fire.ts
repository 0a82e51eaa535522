import { createHash } from 'node:crypto'
import { textOf } from '../../../errors.ts'
import { databaseNow, lockDue, writeDecided } from '../../../store/queries/starts/gates.ts'
import type { Decided, DueGate } from '../../../store/queries/starts/gates.ts'
import { busyWith, queuedOf, writeStarts } from '../../../store/queries/starts/written.ts'
import type { WrittenStart } from '../../../store/queries/starts/written.ts'
import type { Store } from '../../../store/store.ts'
import { HttpProblem } from '../../problem.ts'
import type { ApiDeps } from '../../deps.ts'
import { decideFiring } from './decide.ts'
import type { Situation, Verdict } from './decide.ts'
import { firingMessage } from './message.ts'
import { queuedRun, tellRuns } from './tell.ts'

type Deps = Pick<ApiDeps, 'store' | 'admission' | 'events' | 'log'>

/** A transaction holds so many gates at most. */
const dueMax = 250

/**
 * Decides of firings that are due, one of each node, and writes what was decided in one transaction, which holds the gates of the nodes:
 * so of each instant is decided once, however many controls there are. Answers the starts that are to be sent, and how many were due.
 */
export async function decideDue(deps: Deps): Promise<{ starts: WrittenStart[]; due: number }> {
  const { store, events, log } = deps
  const decided = await store.transaction(async (inside) => {
    const due = await lockDue(inside, dueMax)
    if (due.length === 0) return []
    const judged = await Promise.all((await situationsOf(inside, due)).map((each) => judge(deps, each)))
    await writeStarts(inside, judged.flatMap(startsOf))
    await writeDecided(inside, judged.map(decidedOf))
    return judged
  })
  for (const { gate, verdict } of decided)
    if (verdict.kind === 'skip')
      log.info('a firing is skipped', { node: gate.nodeId, at: verdict.at.toISOString(), reason: verdict.reason })
  const starts = decided.flatMap(startsOf)
  tellRuns(events, starts.filter(({ line }) => line !== null).map(queuedRun))
  return { starts: starts.filter(({ line }) => line === null), due: decided.length }
}

interface Due {
  readonly gate: DueGate
  readonly situation: Situation
}

interface Judged extends Due {
  readonly verdict: Verdict
  /** What it begins or queues; null: nothing. */
  readonly start: WrittenStart | null
}

async function situationsOf(inside: Store, due: readonly DueGate[]): Promise<Due[]> {
  const ids = due.map(({ nodeId }) => nodeId)
  const now = await databaseNow(inside)
  const busy = await busyWith(inside, ids)
  const queued = await queuedOf(inside, ids)
  return due.map((gate) => {
    const { nodeId, cron, timezone, anchorAt, nextAt, active, overlap, missed } = gate
    const at = nextAt ?? now
    const timetable = { cron: cron ?? '', timezone: timezone ?? 'UTC', anchor: anchorAt ?? now }
    const beside = { busyWith: busy.get(nodeId) ?? null, queued: queued.get(nodeId) ?? 0 }
    return { gate, situation: { timetable, at, now, active, overlap, missed, ...beside } }
  })
}

const startsOf = ({ start }: Judged): WrittenStart[] => (start === null ? [] : [start])

async function judge(deps: Deps, due: Due): Promise<Judged> {
  const verdict = await verdictOf(deps, due)
  return { ...due, verdict, start: startOf(due, verdict) }
}

/** Where the intake refuses starts, it refuses firings. */
async function verdictOf({ admission }: Deps, { gate, situation }: Due): Promise<Verdict> {
  const verdict = decided(situation)
  if (verdict.kind !== 'begin') return verdict
  try {
    await admission.admit({ id: gate.topologyId, name: gate.topologyName }, 0)
    return verdict
  } catch (error) {
    if (!(error instanceof HttpProblem)) throw error
    const { at, next } = verdict
    return { kind: 'skip', at, reason: error.message, runId: null, next }
  }
}

const unreadableMs = 60_000

/** A schedule that this Node can't read (its time zones may be older) must not keep the others from firing. */
function decided(situation: Situation): Verdict {
  try {
    return decideFiring(situation)
  } catch (error) {
    const { at, now } = situation
    const reason = `the schedule can't be read: ${textOf(error)}`
    return { kind: 'skip', at, reason, runId: null, next: new Date(now.getTime() + unreadableMs) }
  }
}

function startOf({ gate, situation }: Due, verdict: Verdict): WrittenStart | null {
  if (verdict.kind !== 'begin' && verdict.kind !== 'queue') return null
  const { topologyId, topologyName, nodeId, nodeName } = gate
  const { at: scheduledAt, missedSince } = verdict
  const fired = { topology: topologyName, node: nodeName, scheduledAt, firedAt: situation.now, missedSince }
  const names = { id: firingId(topologyId, nodeId, scheduledAt), topologyId, topologyName, nodeId, nodeName }
  const line = verdict.kind === 'queue' ? gate.line + 1 : null
  // What the node itself says of reconciling is added when the firing leaves it.
  return { ...names, scheduledAt, trace: null, reconcile: false, line, ...firingMessage(gate.message, fired) }
}

/** Of the run: the same for the same firing (I2), and no run that was started otherwise has it. */
function firingId(topologyId: string, nodeId: string, at: Date): string {
  const parts = [topologyId, nodeId, 'cron', at.toISOString()]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)
}

function decidedOf({ gate, verdict, start }: Judged): Decided {
  const { next } = verdict
  return {
    nodeId: gate.nodeId,
    nextAt: next?.toISOString() ?? null,
    last: start?.scheduledAt ? { at: start.scheduledAt.toISOString(), runId: start.id } : null,
    skipped:
      verdict.kind === 'skip' ? { at: verdict.at.toISOString(), reason: verdict.reason, runId: verdict.runId } : null,
    lined: start !== null && start.line !== null ? 1 : 0,
  }
}
