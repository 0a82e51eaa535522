import type { Intake } from '../../protocol/intake.ts'
import type { Discarded, Outcome, PageRead, Replayed, Started, Trashed } from '../../protocol/outcome.ts'

/** Messages of a run by what became of them. */
export interface Counters {
  done: number
  failed: number
  discarded: number
  cancelled: number
  inProgress: number
}

/** What a batch of outcomes adds to one run. `moved`: something else than a discard happened. */
export interface Delta extends Counters {
  readonly run: string
  readonly nodeId: string
  readonly firstAt: string
  lastAt: string
  moved: boolean
}

export type TrashSettlement = Replayed | Discarded

/** A row of another run was imported under the same id when this one was erased: it is another message. */
export const settlementKey = ({ run, trashId }: TrashSettlement): string => `${trashId} ${run}`

/** What the database found new; everything else in these three kinds is a repetition and counts nothing. */
export interface Fresh {
  readonly started: ReadonlySet<string>
  readonly trashed: ReadonlySet<string>
  /** By `settlementKey`. */
  readonly settled: ReadonlySet<string>
}

/** A page that a batch node read, and in which run. */
export interface ReadPage extends PageRead {
  readonly run: string
  readonly nodeId: string
  readonly at: string
}

/** A batch of outcomes, sorted by what has to be written; of repetitions the first. Pure. */
export interface Sorted {
  readonly started: Map<string, Started>
  readonly trashed: Map<string, Trashed>
  /** By `settlementKey`. */
  readonly settled: Map<string, TrashSettlement>
  readonly pages: readonly ReadPage[]
  /** How far the body of a run has come in, newest. */
  readonly intakes: Map<string, Intake>
}

export function sortOutcomes(outcomes: readonly Outcome[]): Sorted {
  const pages: ReadPage[] = []
  const sorted: Sorted = { started: new Map(), trashed: new Map(), settled: new Map(), pages, intakes: new Map() }
  for (const outcome of outcomes) {
    if (outcome.kind === 'started') keepFirst(sorted.started, outcome.run, outcome)
    else if (outcome.kind === 'trashed') keepFirst(sorted.trashed, outcome.trashId, outcome)
    else if (outcome.kind === 'replayed' || outcome.kind === 'discarded')
      keepFirst(sorted.settled, settlementKey(outcome), outcome)
    else if ('batch' in outcome && outcome.batch)
      pages.push({ run: outcome.run, nodeId: outcome.nodeId, at: outcome.at, ...outcome.batch })
    if ('intake' in outcome) sorted.intakes.set(outcome.run, outcome.intake)
  }
  return sorted
}

function keepFirst<T>(map: Map<string, T>, key: string, value: T): void {
  if (!map.has(key)) map.set(key, value)
}

/** Adds up the counters of each run, in the order of run ids. Pure. */
export function tally(outcomes: readonly Outcome[], sorted: Sorted, fresh: Fresh): Delta[] {
  const deltas = new Map<string, Delta>()
  for (const outcome of counted(outcomes, sorted, fresh)) {
    const delta = deltas.get(outcome.run) ?? emptyDelta(outcome)
    deltas.set(outcome.run, delta)
    add(delta, outcome)
  }
  return [...deltas.values()].sort((a, b) => (a.run < b.run ? -1 : 1))
}

/** Those that count: all but repetitions. Pure. */
export function counted(outcomes: readonly Outcome[], sorted: Sorted, fresh: Fresh): Outcome[] {
  return outcomes.filter((outcome) => counts(outcome, sorted, fresh))
}

function counts(outcome: Outcome, sorted: Sorted, fresh: Fresh): boolean {
  switch (outcome.kind) {
    case 'started':
      return fresh.started.has(outcome.run) && sorted.started.get(outcome.run) === outcome
    case 'trashed':
      return fresh.trashed.has(outcome.trashId) && sorted.trashed.get(outcome.trashId) === outcome
    case 'replayed':
    case 'discarded':
      return fresh.settled.has(settlementKey(outcome)) && sorted.settled.get(settlementKey(outcome)) === outcome
    case 'received':
    case 'closed':
    case 'ended':
    case 'split':
      return true
    default:
      return outcome satisfies never
  }
}

function emptyDelta({ run, nodeId, at }: Outcome): Delta {
  const none = { done: 0, failed: 0, discarded: 0, cancelled: 0, inProgress: 0, moved: false }
  return { run, nodeId, firstAt: at, lastAt: at, ...none }
}

function add(delta: Delta, outcome: Outcome): void {
  if (outcome.at > delta.lastAt) delta.lastAt = outcome.at
  if (outcome.kind !== 'discarded') delta.moved = true
  switch (outcome.kind) {
    case 'started':
      delta.inProgress += outcome.messages
      return
    case 'received':
      delta.inProgress += 1
      return
    case 'closed':
      delta.inProgress -= 1
      if (outcome.intake.state === 'cancelled') delta.cancelled += 1
      return
    case 'ended':
      delta.inProgress -= 1
      delta[outcome.cancelled ? 'cancelled' : 'done'] += 1
      return
    case 'split':
      delta.inProgress += outcome.delta
      return
    case 'trashed':
      delta.inProgress -= 1
      delta.failed += 1
      return
    case 'replayed':
      delta.failed -= 1
      delta.inProgress += 1
      return
    case 'discarded':
      delta.failed -= 1
      delta.discarded += 1
      return
    default:
      outcome satisfies never
  }
}
