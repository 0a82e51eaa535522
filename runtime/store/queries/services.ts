import { and, asc, eq, gt, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
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

export async function serviceNames(store: Store): Promise<Set<string>> {
  const rows = await store.query((db) => db.select({ name: services.name }).from(services))
  return new Set(rows.map(({ name }) => name))
}

/** Those of these services that there are. */
export async function servicesNamed(store: Store, names: readonly string[]): Promise<Service[]> {
  if (names.length === 0) return []
  return store.query((db) => db.select().from(services).where(isOneOf(names)))
}

const isOneOf = (names: readonly string[]) => sql`${services.name} = any(${sql.param([...names])}::text[])`

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

/** A node whose calls count against a service. */
export interface ServiceUser {
  readonly topologyId: string
  readonly topology: string
  /** Null: it was never stored by itself. */
  readonly nodeId: string | null
  readonly node: string
  /** It is in the plan in force; else only in the draft. */
  readonly published: boolean
  readonly limitCost: number
}

/** Published ones whose calls count as more than `cost`. */
export async function dearUsersOf(store: Store, service: string, cost: number, limit: number): Promise<ServiceUser[]> {
  return usersWhere(store, service, limit, sql`where u.published and u.cost > ${cost}`)
}

/** By name of the topology and place in its graph: nodes of published plans, and those of drafts that aren't published so. */
export async function usersOf(store: Store, service: string, limit: number): Promise<ServiceUser[]> {
  return usersWhere(store, service, limit, sql``)
}

async function usersWhere(store: Store, service: string, limit: number, where: SQL): Promise<ServiceUser[]> {
  const nodes = JSON.stringify([{ service }])
  const rows = await store.query((db) =>
    db.execute<{ [K in keyof ServiceUser]: ServiceUser[K] }>(sql`
      with published as (
        select t.id as topology_id, n.value->>'id' as node_id, n.value->>'name' as node, true as published,
          coalesce((n.value->>'limitCost')::int, 1) as cost, n.ordinality as place
        from topologies t join revisions r on r.topology_id = t.id and r.revision = t.revision,
          jsonb_array_elements(r.plan->'nodes') with ordinality n
        where t.visibility = 'public' and r.plan->'nodes' @> ${nodes}::jsonb and n.value->>'service' = ${service}
      ), drafts as (
        select t.id as topology_id, stored.id as node_id, n.value->>'name' as node, false as published,
          coalesce((n.value->>'limitCost')::int, 1) as cost, n.ordinality as place
        from topologies t cross join lateral jsonb_array_elements(t.document->'nodes') with ordinality n
          left join nodes stored on stored.topology_id = t.id and stored.name = n.value->>'name'
        where t.document->'nodes' @> ${nodes}::jsonb and n.value->>'service' = ${service}
      ), users as (
        select * from published
        union all
        select * from drafts d where not exists (
          select 1 from published p where p.topology_id = d.topology_id and p.node = d.node)
      )
      select u.topology_id as "topologyId", t.name as topology, u.node_id as "nodeId", u.node, u.published, u.cost as "limitCost"
      from users u join topologies t on t.id = u.topology_id ${where}
      order by t.name, u.published desc, u.place
      limit ${limit}`),
  )
  return [...rows]
}

/** Those of these services that there are, by name; nobody changes or deletes them until the transaction ends. */
export async function keepServices(inside: Store, names: readonly string[]): Promise<Map<string, Service>> {
  if (names.length === 0) return new Map()
  const rows = await inside.query((db) => db.select().from(services).where(isOneOf(names)).for('share'))
  return new Map(rows.map((row) => [row.name, row]))
}
