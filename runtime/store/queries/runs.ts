import { and, desc, eq, getTableColumns, gte, inArray, lt, sql } from 'drizzle-orm'
import { NotFound } from '../../errors.ts'
import { reruns, runs } from '../schema/index.ts'
import type { Store } from '../store.ts'
import { storable } from '../text.ts'

/** A run without its start message's body. */
export type Run = Omit<typeof runs.$inferSelect, 'startBody'> & {
  /** What a batch node last said of it. */
  readonly progress: string | null
  /** Of which it is a rerun. */
  readonly rerunOf: string | null
}
export type RunState = Run['state']

/** The last row of the page before. */
export interface Place {
  readonly at: Date
  readonly id: string
}

export interface RunFilter {
  readonly topologyId?: string | undefined
  readonly nodeIds?: readonly string[] | undefined
  /** As it was called when the run began. */
  readonly nodeName?: string | undefined
  readonly tenant?: string | undefined
  readonly states?: readonly RunState[] | undefined
  readonly since?: Date | undefined
  readonly until?: Date | undefined
  /** Reruns of that run. */
  readonly rerunOf?: string | undefined
}

const { startBody: _, ...own } = getTableColumns(runs)
const progress = sql<
  string | null
>`(select c.progress from cursors c where c.run_id = runs.id and c.progress is not null
  order by c.updated_at desc limit 1)`
const rerunOf = sql<string | null>`(select ${reruns.rerunOf} from ${reruns} where ${reruns.runId} = ${runs.id})`
const columns = { ...own, progress, rerunOf }

/** Newest first. */
export async function listRuns(store: Store, filter: RunFilter, limit: number, after: Place | null): Promise<Run[]> {
  const where = and(
    filter.topologyId === undefined ? undefined : eq(runs.topologyId, filter.topologyId),
    filter.nodeIds === undefined ? undefined : inArray(runs.nodeId, [...filter.nodeIds]),
    filter.nodeName === undefined ? undefined : eq(runs.nodeName, filter.nodeName),
    filter.tenant === undefined ? undefined : eq(runs.tenant, filter.tenant),
    filter.states === undefined ? undefined : inArray(runs.state, [...filter.states]),
    filter.since === undefined ? undefined : gte(runs.startedAt, filter.since),
    filter.until === undefined ? undefined : lt(runs.startedAt, filter.until),
    filter.rerunOf === undefined
      ? undefined
      : sql`${runs.id} in (select ${reruns.runId} from ${reruns} where ${reruns.rerunOf} = ${filter.rerunOf})`,
    after === null ? undefined : sql`(${runs.startedAt}, ${runs.id}) < (${after.at.toISOString()}, ${after.id})`,
  )
  return store.query((db) =>
    db.select(columns).from(runs).where(where).orderBy(desc(runs.startedAt), desc(runs.id)).limit(limit),
  )
}

/** Throws `NotFound`. */
export async function getRun(store: Store, id: string): Promise<Run> {
  const run = await findRun(store, id)
  if (!run) throw new NotFound(`there is no run "${id}" (yet: a run appears shortly after its start was accepted)`)
  return run
}

export async function findRun(store: Store, id: string): Promise<Run | null> {
  const [row] = await store.query((db) =>
    db
      .select(columns)
      .from(runs)
      .where(eq(runs.id, storable(id))),
  )
  return row ?? null
}

/** Which of these runs are running. */
export async function runningOf(store: Store, ids: readonly string[]): Promise<Set<string>> {
  const rows = await store.query((db) =>
    db
      .select({ id: runs.id })
      .from(runs)
      .where(and(inArray(runs.id, [...ids]), eq(runs.state, 'running'))),
  )
  return new Set(rows.map((row) => row.id))
}

/** Notes that a run is to be cancelled. Null when it isn't running (any more). */
export async function noteCancel(store: Store, id: string): Promise<Run | null> {
  const [row] = await store.query((db) =>
    db
      .update(runs)
      .set({ cancelRequestedAt: new Date() })
      .where(and(eq(runs.id, id), eq(runs.state, 'running')))
      .returning(columns),
  )
  return row ?? null
}

/** Messages of a topology's runs that are still on their way, as far as outcomes are recorded. */
export async function messagesInProgress(store: Store, topologyId: string): Promise<number> {
  const sum = sql<string | null>`sum(${runs.inProgress})`
  const [row] = await store.query((db) => db.select({ sum }).from(runs).where(eq(runs.topologyId, topologyId)))
  return Number(row?.sum ?? 0)
}
