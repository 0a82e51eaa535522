import { and, asc, eq, gt, sql } from 'drizzle-orm'
import { Conflict, LostRace, NotFound } from '../../errors.ts'
import type { WorkerAddress } from '../../topology/plan.ts'
import { workers } from '../schema/index.ts'
import type { Store } from '../store.ts'
import { storable } from '../text.ts'
import { isUniqueViolation } from '../trouble.ts'

export type Worker = typeof workers.$inferSelect
export type WorkerValues = Pick<Worker, 'urls' | 'dialect' | 'secret' | 'timeoutMs'>

/** By name, upwards. */
export async function listWorkers(store: Store, limit: number, after: string | null): Promise<Worker[]> {
  const where = after === null ? undefined : gt(workers.name, after)
  return store.query((db) => db.select().from(workers).where(where).orderBy(asc(workers.name)).limit(limit))
}

export async function allWorkers(store: Store): Promise<Worker[]> {
  return store.query((db) => db.select().from(workers).orderBy(asc(workers.name)))
}

export async function findWorker(store: Store, name: string): Promise<Worker | null> {
  const named = eq(workers.name, storable(name))
  const [row] = await store.query((db) => db.select().from(workers).where(named))
  return row ?? null
}

/** Throws `NotFound`. */
export async function getWorker(store: Store, name: string): Promise<Worker> {
  const row = await findWorker(store, name)
  if (!row) throw new NotFound(`there is no worker "${name}"`)
  return row
}

/**
 * Reads a worker and keeps others from changing it until the transaction ends. Throws `NotFound`, and `LostRace` when it isn't at
 * `ifVersion` (null: whatever it is at).
 */
export async function lockWorker(inside: Store, name: string, ifVersion: number | null = null): Promise<Worker> {
  const row = await lockWorkerIfAny(inside, name)
  if (!row) throw new NotFound(`there is no worker "${name}"`)
  if (ifVersion !== null && row.version !== ifVersion) throw late(row)
  return row
}

/** Throws `Conflict` when the name is taken. */
export async function insertWorker(store: Store, name: string, values: WorkerValues): Promise<Worker> {
  try {
    const [row] = await store.query((db) =>
      db
        .insert(workers)
        .values({ name, ...values })
        .returning(),
    )
    if (row) return row
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
  }
  throw new Conflict(`there is a worker named "${name}" already`)
}

/** Throws `NotFound`, and `LostRace` when the worker isn't at `ifVersion` (null: whatever it is at). */
export async function updateWorker(
  store: Store,
  name: string,
  change: Partial<WorkerValues>,
  ifVersion: number | null,
): Promise<Worker> {
  const next = { ...change, version: sql`${workers.version} + 1`, updatedAt: new Date() }
  const where =
    ifVersion === null ? eq(workers.name, name) : and(eq(workers.name, name), eq(workers.version, ifVersion))
  const [row] = await store.query((db) => db.update(workers).set(next).where(where).returning())
  if (row) return row
  throw late(await getWorker(store, name))
}

function late({ name, version }: Worker): LostRace {
  return new LostRace(`the worker "${name}" was changed since it was read (now version ${version})`)
}

/** The same; null when it is gone. */
export async function lockWorkerIfAny(inside: Store, name: string): Promise<Worker | null> {
  const named = eq(workers.name, storable(name))
  const [row] = await inside.query((db) => db.select().from(workers).where(named).for('update'))
  return row ?? null
}

/** Gives the worker a version above this one, and changes nothing else. Throws `NotFound`. */
export async function raiseWorker(store: Store, name: string, above: number): Promise<Worker> {
  const next = { version: sql`greatest(${workers.version}, ${above}) + 1`, updatedAt: new Date() }
  const [row] = await store.query((db) => db.update(workers).set(next).where(eq(workers.name, name)).returning())
  if (!row) throw new NotFound(`there is no worker "${name}"`)
  return row
}

/** Keeps what a worker said of itself; no change of its version. Throws `NotFound`. */
export async function saveManifest(store: Store, name: string, manifest: Worker['manifest']): Promise<Worker> {
  const change = { manifest, manifestReadAt: new Date() }
  const [row] = await store.query((db) => db.update(workers).set(change).where(eq(workers.name, name)).returning())
  if (!row) throw new NotFound(`there is no worker "${name}"`)
  return row
}

/** Throws `NotFound`. */
export async function deleteWorker(store: Store, name: string): Promise<Worker> {
  const [row] = await store.query((db) =>
    db
      .delete(workers)
      .where(eq(workers.name, storable(name)))
      .returning(),
  )
  if (!row) throw new NotFound(`there is no worker "${name}"`)
  return row
}

export function addressOf(worker: Worker): WorkerAddress {
  const { name, urls, dialect, version, secret, timeoutMs } = worker
  return { name, urls, dialect, version, secret, timeoutMs }
}
