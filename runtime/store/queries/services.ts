import { and, asc, eq, gt, sql } from 'drizzle-orm'
import { Conflict, LostRace, NotFound } from '../../errors.ts'
import { services } from '../schema/index.ts'
import type { ServiceLimits } from '../../topology/limits/limits.ts'
import type { Store } from '../store.ts'
import { storable } from '../text.ts'
import { isUniqueViolation } from '../trouble.ts'

export type Service = typeof services.$inferSelect
export type ServiceValues = Pick<Service, 'limits' | 'maxInFlight' | 'inFlightScope'>

/** What bridges are told of it. */
export function limitsOf({ name, limits, maxInFlight, inFlightScope }: Service): ServiceLimits {
  return { name, limits, maxInFlight, inFlightScope }
}

export async function allServices(store: Store): Promise<Service[]> {
  return store.query((db) => db.select().from(services).orderBy(asc(services.name)))
}

/** By name, upwards. */
export async function listServices(store: Store, limit: number, after: string | null): Promise<Service[]> {
  const where = after === null ? undefined : gt(services.name, after)
  return store.query((db) => db.select().from(services).where(where).orderBy(asc(services.name)).limit(limit))
}

/** Throws `NotFound`. */
export async function getService(store: Store, name: string): Promise<Service> {
  const [row] = await store.query((db) =>
    db
      .select()
      .from(services)
      .where(eq(services.name, storable(name))),
  )
  if (!row) throw new NotFound(`there is no service "${name}"`)
  return row
}

/**
 * Reads a service and keeps others from changing it until the transaction ends. Throws `NotFound`, and `LostRace` when it isn't at
 * `ifVersion` (null: whatever it is at).
 */
export async function lockService(inside: Store, name: string, ifVersion: number | null = null): Promise<Service> {
  const named = eq(services.name, storable(name))
  const [row] = await inside.query((db) => db.select().from(services).where(named).for('update'))
  if (!row) throw new NotFound(`there is no service "${name}"`)
  if (ifVersion !== null && row.version !== ifVersion) throw late(row)
  return row
}

/** Throws `Conflict` when the name is taken. */
export async function insertService(store: Store, name: string, values: ServiceValues): Promise<Service> {
  try {
    const [row] = await store.query((db) =>
      db
        .insert(services)
        .values({ name, ...values })
        .returning(),
    )
    if (row) return row
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
  }
  throw new Conflict(`there is a service named "${name}" already`)
}

/** Throws `NotFound`, and `LostRace` when the service isn't at `ifVersion` (null: whatever it is at). */
export async function updateService(
  store: Store,
  name: string,
  change: Partial<ServiceValues>,
  ifVersion: number | null,
): Promise<Service> {
  const next = { ...change, version: sql`${services.version} + 1`, updatedAt: new Date() }
  const named = eq(services.name, name)
  const where = ifVersion === null ? named : and(named, eq(services.version, ifVersion))
  const [row] = await store.query((db) => db.update(services).set(next).where(where).returning())
  if (row) return row
  throw late(await getService(store, name))
}

function late({ name, version }: Service): LostRace {
  return new LostRace(`the service "${name}" was changed since it was read (now version ${version})`)
}

/** Throws `NotFound`. */
export async function deleteService(store: Store, name: string): Promise<Service> {
  const [row] = await store.query((db) =>
    db
      .delete(services)
      .where(eq(services.name, storable(name)))
      .returning(),
  )
  if (!row) throw new NotFound(`there is no service "${name}"`)
  return row
}
