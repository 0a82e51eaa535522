import { and, desc, eq, gte, inArray, lt, or, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { audit } from '../schema/index.ts'
import type { Store } from '../store.ts'
import type { Place } from './runs.ts'

export type AuditRow = typeof audit.$inferSelect

export interface AuditFilter {
  readonly topologyId?: string | undefined
  /** Name or id of a token. */
  readonly who?: string | undefined
  readonly action?: string | undefined
  readonly since?: Date | undefined
  readonly until?: Date | undefined
}

/** For the transaction that makes the change: both are kept, or neither. The same id is written once. */
export async function insertAudit(inside: Store, row: Omit<AuditRow, 'at'>): Promise<void> {
  await inside.query((db) => db.insert(audit).values(row).onConflictDoNothing())
}

/** Newest first. */
export async function listAudit(
  store: Store,
  { topologyId, who, action, since, until }: AuditFilter,
  limit: number,
  after: Place | null,
): Promise<AuditRow[]> {
  const given = <T>(value: T | undefined, make: (value: T) => SQL | undefined) =>
    value === undefined ? undefined : make(value)
  const where = and(
    given(topologyId, (id) => eq(audit.topologyId, id)),
    given(who, (who) => or(eq(audit.who, who), eq(audit.tokenId, who))),
    given(action, (action) => eq(audit.action, action)),
    given(since, (since) => gte(audit.at, since)),
    given(until, (until) => lt(audit.at, until)),
    after === null ? undefined : sql`(${audit.at}, ${audit.id}) < (${after.at.toISOString()}, ${after.id})`,
  )
  return store.query((db) => db.select().from(audit).where(where).orderBy(desc(audit.at), desc(audit.id)).limit(limit))
}

/** Deletes at most `limit` rows that are older; answers how many it were. */
export async function deleteAuditBefore(store: Store, time: Date, limit: number): Promise<number> {
  return store.query(async (db) => {
    const old = db.select({ id: audit.id }).from(audit).where(lt(audit.at, time)).orderBy(audit.at).limit(limit)
    const rows = await db.delete(audit).where(inArray(audit.id, old)).returning({ id: audit.id })
    return rows.length
  })
}
