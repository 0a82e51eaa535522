import { expectedInTrash } from '../model.ts'
import type { Item } from '../model.ts'
import { tell } from './evidence.ts'
import type { Evidence, Hops, Violation } from './evidence.ts'
import { isReplay } from './records.ts'
import { changeBy } from './stored.ts'
import type { RunRow, Stored } from './stored.ts'

interface Counts {
  done: number
  failed: number
  cancelled: number
  /** Of the failed ones: they were at a node that was taken out of the graph. */
  removed: number
}

/** I6: what Postgres says of each run is what the stream holds of it, and Trash holds what failed, once each. */
export function checkCounters(evidence: Evidence, hops: Hops): Violation[] {
  const violations: Violation[] = []
  const wrong = (text: string): void => void violations.push({ kind: 'counter', text })
  const { starts, runs, asked, stored } = evidence
  const rows = new Map(runs.map((row) => [row.id, row]))
  const truth = truthOf(evidence, wrong)
  const mended = mendedIn(hops)
  for (const [run, start] of starts) {
    const counts = truth.get(run) ?? none()
    const { done, failed, cancelled, removed } = counts
    const expected: RunRow = { id: run, state: stateOf(counts), done, failed, discarded: 0, cancelled, inProgress: 0 }
    const row = rows.get(run)
    if (JSON.stringify(row) !== JSON.stringify(expected))
      wrong(`run ${run} is ${JSON.stringify(row)}, not ${JSON.stringify(expected)}`)
    if (cancelled > 0 && !asked.cancelled.has(run)) wrong(`run ${run} was cancelled, which nobody asked for`)
    if (removed > 0 && asked.removed.size === 0) wrong(`run ${run} has messages of a node that was never taken out`)
    const inTrash = expectedInTrash(start) - (mended.get(run) ?? 0)
    if (cancelled === 0 && failed - removed !== inTrash)
      wrong(`run ${run} has ${failed - removed} messages in Trash, not ${inTrash}`)
  }
  if (runs.length !== starts.size) wrong(`${runs.length} runs for ${starts.size} starts`)
  return [...violations, ...checkTrash(evidence, hops), ...checkReplays(evidence, stored)]
}

const none = (): Counts => ({ done: 0, failed: 0, cancelled: 0, removed: 0 })

function stateOf({ failed, cancelled }: Counts): string {
  if (cancelled > 0) return 'cancelled'
  return failed > 0 ? 'failed' : 'finished'
}

function truthOf({ starts, stored }: Evidence, wrong: (text: string) => void): Map<string, Counts> {
  const truth = new Map([...starts.keys()].map((run) => [run, none()]))
  for (const { run, kind, record, isRemoved } of stored) {
    const counts = truth.get(run)
    if (counts === undefined) wrong(`${kind} of run ${run}, which was never started`)
    else if (kind === 'trash') {
      counts.failed++
      if (isRemoved) counts.removed++
    } else if (record?.kind === 'replayed') counts.failed--
    else if (record?.kind === 'ended') counts[record.cancelled ? 'cancelled' : 'done']++
  }
  return truth
}

/** By run: how many messages were mended in Trash and replayed. */
function mendedIn({ all }: Hops): Map<string, number> {
  const mended = new Map<string, number>()
  for (const hop of all) {
    if (!isReplay(hop) || hop.input.isFired) continue
    if ((JSON.parse(hop.input.body) as Item).mended !== true) continue
    mended.set(hop.input.run, (mended.get(hop.input.run) ?? 0) + 1)
  }
  return mended
}

function checkTrash({ trash }: Evidence, { all }: Hops): Violation[] {
  const violations: Violation[] = []
  const wrong = (text: string): void => void violations.push({ kind: 'counter', text })
  const failures = all.filter(({ settlement }) => settlement?.kind === 'trash')
  const known = new Set(trash.map(({ id }) => id))
  for (const { origin, node, input } of failures) if (!known.has(origin)) wrong(`not in Trash: ${tell(node, input)}`)
  if (trash.length !== new Set(failures.map(({ origin }) => origin)).size)
    wrong(`${trash.length} rows in Trash for ${failures.length} failures`)
  return violations
}

/** A row is replayed if that was recorded, which happens once, and only if somebody asked for it. */
function checkReplays({ trash, asked }: Evidence, stored: readonly Stored[]): Violation[] {
  const replayed = new Map<string, number>()
  for (const { record } of stored)
    if (record?.kind === 'replayed') replayed.set(record.trashId, (replayed.get(record.trashId) ?? 0) + 1)
  const violations: Violation[] = []
  for (const [id, times] of replayed) {
    if (times > 1) violations.push({ kind: 'doubled', text: `row ${id} of Trash was replayed ${times} times` })
    if (!asked.replayed.has(id)) violations.push({ kind: 'stray', text: `row ${id} was replayed, nobody asked for it` })
  }
  for (const { id, state } of trash) {
    const expected = replayed.has(id) ? 'replayed' : 'open'
    if (state !== expected)
      violations.push({ kind: 'counter', text: `row ${id} of Trash is ${state}, not ${expected}` })
  }
  return violations
}

/** Nothing of a run comes after it was over, but what a replay begins again. */
export function checkOver({ stored }: Evidence): Violation[] {
  const inProgress = new Map<string, number>()
  return stored.flatMap((one): Violation[] => {
    const open = inProgress.get(one.run) ?? 0
    inProgress.set(one.run, open + changeBy(one))
    const isLate = open === 0 && !mayBegin(one)
    return isLate ? [{ kind: 'counter', text: `${one.kind} at ${one.sequence} after run ${one.run} was over` }] : []
  })
}

/** Schedules may be stored again, and fire again, for a hop that is settled. */
function mayBegin({ kind, isFired, reply, record }: Stored): boolean {
  return (
    kind === 'event' || kind === 'later' || isFired || (reply?.trashId ?? null) !== null || record?.kind === 'replayed'
  )
}
