import { and, asc, desc, eq, inArray, lt } from 'drizzle-orm'
import { reruns, runMilestones, runs } from '../../schema/index.ts'
import type { StoredMilestone } from '../../schema/index.ts'
import type { Store } from '../../store.ts'
import { storable } from '../../text.ts'

export type Rerun = typeof reruns.$inferSelect
export type NewRerun = Omit<Rerun, 'state' | 'createdAt' | 'triedAt'>

/** Makes a rerun, to be finished by whoever comes; null when it was made before. */
export async function insertRerun(inside: Store, rerun: NewRerun): Promise<Rerun | null> {
  const [row] = await inside.query((db) => db.insert(reruns).values(rerun).onConflictDoNothing().returning())
  return row ?? null
}

/** By the id of the new run. */
export async function findRerun(store: Store, runId: string): Promise<Rerun | null> {
  const mine = eq(reruns.runId, storable(runId))
  const [row] = await store.query((db) => db.select().from(reruns).where(mine))
  return row ?? null
}

/**
 * Of those that aren't finished, and that nobody has tried to finish since a time, the one that waits longest; it counts as tried now.
 * Who asks at the same time gets another one.
 */
export async function takeOpenRerun(store: Store, before: Date): Promise<Rerun | null> {
  const [row] = await store.query((db) => {
    const due = db
      .select({ runId: reruns.runId })
      .from(reruns)
      .where(and(eq(reruns.state, 'open'), lt(reruns.triedAt, before)))
      .orderBy(asc(reruns.triedAt))
      .limit(1)
      .for('update', { skipLocked: true })
    return db.update(reruns).set({ triedAt: new Date() }).where(inArray(reruns.runId, due)).returning()
  })
  return row ?? null
}

/** How many of a topology aren't finished. */
export async function countOpenReruns(store: Store, topologyId: string): Promise<number> {
  const where = and(eq(reruns.state, 'open'), eq(reruns.topologyId, topologyId))
  return store.query((db) => db.$count(reruns, where))
}

export async function isRerunOpen(store: Store, runId: string): Promise<boolean> {
  const where = and(eq(reruns.runId, runId), eq(reruns.state, 'open'))
  return (await store.query((db) => db.select({ id: reruns.runId }).from(reruns).where(where))).length > 0
}

export async function closeRerun(store: Store, runId: string): Promise<void> {
  await store.query((db) => db.update(reruns).set({ state: 'done' }).where(eq(reruns.runId, runId)))
}

/** Ids of the runs that were made from one, the newest first. */
export async function rerunsOf(store: Store, runId: string, limit: number): Promise<string[]> {
  const rows = await store.query((db) =>
    db
      .select({ id: reruns.runId })
      .from(reruns)
      .where(eq(reruns.rerunOf, runId))
      .orderBy(desc(reruns.createdAt))
      .limit(limit),
  )
  return rows.map(({ id }) => id)
}

export interface StartMessage {
  readonly contentType: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly tenant: string | null
  readonly reconcile: boolean
}

/** With what a run was started; null when there is no such run, or its start was never seen, or wasn't a message of its own. */
export async function startOf(store: Store, runId: string): Promise<StartMessage | null> {
  const { startBody: body, startContentType: contentType, startHeaders: headers, startReconcile: reconcile } = runs
  const { startSeen, tenant } = runs
  const [row] = await store.query((db) =>
    db.select({ body, contentType, headers, reconcile, startSeen, tenant }).from(runs).where(eq(runs.id, runId)),
  )
  if (!row?.startSeen || row.body === null || row.contentType === null) return null
  const { contentType: type, headers: told, body: bytes } = row
  return { contentType: type, headers: told, body: bytes, tenant: row.tenant, reconcile: row.reconcile }
}

/** By node id; empty for a run that was recorded by an older version. */
export async function milestonesOf(store: Store, runId: string): Promise<Readonly<Record<string, StoredMilestone>>> {
  const [row] = await store.query((db) => db.select().from(runMilestones).where(eq(runMilestones.runId, runId)))
  return row?.nodes ?? {}
}
