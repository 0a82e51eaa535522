import { inArray, sql } from 'drizzle-orm'
import type { Outcome } from '../../protocol/outcome.ts'
import { passageOf } from '../../protocol/trail.ts'
import type { Trail } from '../../protocol/trail.ts'
import { nodes, passed, runMilestones } from '../schema/index.ts'
import type { StoredMilestone } from '../schema/index.ts'
import type { Database } from '../store.ts'
import { storable } from '../text.ts'

type Tally = Record<(typeof passed)[number], number>

/** What a batch of outcomes adds to one node of one run. */
interface Addition extends Partial<Tally> {
  first: number
  last: number
}

type Additions = Map<string, Map<string, Addition>>

/**
 * What outcomes that count tell of the nodes of their runs: of the node where each happened, and of those that its message passed
 * one to one before. By run and node. Pure.
 */
export function addUp(outcomes: readonly Outcome[]): Additions {
  const all: Additions = new Map()
  for (const outcome of outcomes) {
    const ofRun = all.get(outcome.run) ?? new Map<string, Addition>()
    if (ofRun.size === 0) all.set(outcome.run, ofRun)
    addOutcome(additionOf(ofRun, outcome.nodeId, Date.parse(outcome.at)), outcome)
    if ('trail' in outcome)
      addWay(ofRun, outcome.nodeId, Date.parse(outcome.created ?? outcome.at), outcome.trail ?? [])
  }
  return all
}

function additionOf(ofRun: Map<string, Addition>, nodeId: string, at: number): Addition {
  const known = ofRun.get(nodeId)
  if (known === undefined) {
    const made = { first: at, last: at }
    ofRun.set(nodeId, made)
    return made
  }
  if (at < known.first) known.first = at
  if (at > known.last) known.last = at
  return known
}

function add(addition: Addition, field: keyof Tally, n: number): void {
  if (n !== 0) addition[field] = (addition[field] ?? 0) + n
}

function addOutcome(to: Addition, outcome: Outcome): void {
  switch (outcome.kind) {
    case 'started':
      // An intake counts for itself until it is closed; its chunks are what was started.
      return add(to, 'started', outcome.intake === undefined ? outcome.messages : 0)
    case 'received':
      return add(to, 'started', 1)
    case 'closed':
      return
    case 'ended':
      return add(to, outcome.cancelled ? 'cancelled' : 'done', 1)
    case 'split':
      add(to, 'split', 1)
      return add(to, 'made', outcome.delta + (outcome.batch === null || outcome.batch.next === null ? 1 : 0))
    case 'trashed':
      return add(to, 'failed', 1)
    case 'replayed':
    case 'discarded':
      return add(to, outcome.kind, 1)
    default:
      return outcome satisfies never
  }
}

/** The last step of a way is often the node itself: what was spent there, but nothing that went on. */
function addWay(ofRun: Map<string, Addition>, nodeId: string, createdMs: number, trail: Trail): void {
  for (const step of trail) {
    const passage = passageOf(step)
    const to = additionOf(ofRun, passage.nodeId, createdMs + passage.atMs)
    if (passage.nodeId !== nodeId) add(to, 'forwarded', 1)
    add(to, 'calls', passage.calls)
    add(to, 'queuedMs', passage.queuedMs)
    add(to, 'calledMs', passage.calledMs)
    add(to, 'limitMs', passage.limitMs)
    add(to, 'retryMs', passage.retryMs)
    add(to, 'otherMs', passage.otherMs)
  }
}

/**
 * Adds to what is stored of these runs. `isNew` are runs of which nothing is stored. Within the transaction that has changed the runs'
 * rows: they are what keeps others from adding to the same runs meanwhile.
 */
export async function writeMilestones(
  db: Database,
  additions: Additions,
  isNew: (run: string) => boolean,
): Promise<void> {
  if (additions.size === 0) return
  const known = await storedOf(
    db,
    [...additions.keys()].filter((run) => !isNew(run)),
  )
  const names = await namesOf(db, additions, known)
  const rows = [...additions].map(([run, ofRun]) => [run, merged(known.get(run) ?? {}, ofRun, names)] as const)
  rows.sort(([a], [b]) => (a < b ? -1 : 1))
  await db.execute(sql`
    insert into run_milestones (run_id, nodes)
    select s.run, s.nodes::json from unnest(
      ${sql.param(rows.map(([run]) => storable(run)))}::text[],
      ${sql.param(rows.map(([, nodes]) => JSON.stringify(nodes)))}::text[]
    ) as s(run, nodes)
    on conflict (run_id) do update set nodes = excluded.nodes`)
}

type Stored = Readonly<Record<string, StoredMilestone>>

async function storedOf(db: Database, runs: readonly string[]): Promise<Map<string, Stored>> {
  if (runs.length === 0) return new Map()
  const rows = await db
    .select()
    .from(runMilestones)
    .where(sql`${runMilestones.runId} = any(${sql.param(runs.map(storable))}::text[])`)
  return new Map(rows.map((row) => [row.runId, row.nodes]))
}

/** Of nodes that a run has not had before. */
async function namesOf(
  db: Database,
  additions: Additions,
  known: ReadonlyMap<string, Stored>,
): Promise<Map<string, string>> {
  const unknown = new Set<string>()
  for (const [run, ofRun] of additions)
    for (const nodeId of ofRun.keys()) if (known.get(run)?.[nodeId] === undefined) unknown.add(nodeId)
  if (unknown.size === 0) return new Map()
  const rows = await db
    .select({ id: nodes.id, name: nodes.name })
    .from(nodes)
    .where(inArray(nodes.id, [...unknown].map(storable)))
  return new Map(rows.map(({ id, name }) => [id, name]))
}

function merged(stored: Stored, added: ReadonlyMap<string, Addition>, names: ReadonlyMap<string, string>): Stored {
  const all: Record<string, StoredMilestone> = { ...stored }
  for (const [nodeId, addition] of added) {
    const id = storable(nodeId)
    const before = all[id]
    all[id] = before === undefined ? { name: names.get(id) ?? id, ...addition } : summed(before, addition)
  }
  return all
}

function summed(before: StoredMilestone, { first, last, ...counts }: Addition): StoredMilestone {
  const sum = { ...before, first: Math.min(before.first, first), last: Math.max(before.last, last) }
  for (const field of passed) {
    const n = counts[field]
    if (n !== undefined) sum[field] = (before[field] ?? 0) + n
  }
  return sum
}
