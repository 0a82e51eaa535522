import { sql } from 'drizzle-orm'
import { lockTopology } from '../../runtime/store/queries/topologies.ts'
import type { Store } from '../../runtime/store/store.ts'
import { eventually } from '../support/eventually.ts'

type Work = (inside: Store) => Promise<unknown>

export const topologyLock =
  (id: string): Work =>
  (inside) =>
    lockTopology(inside, id, null)

/**
 * Sends what `send` sends while a transaction holds `lock`; when `count` connections wait for a lock, does `meanwhile` in that
 * transaction, and lets go.
 */
export async function whileHeld<T>(
  store: Store,
  lock: Work,
  send: () => Promise<T>,
  { meanwhile = () => Promise.resolve(), count = 1 }: { meanwhile?: Work; count?: number } = {},
): Promise<T> {
  const { sent } = await store.transaction(async (inside) => {
    await lock(inside)
    const sent = send()
    await othersWait(inside, count)
    await meanwhile(inside)
    // In an object, or the transaction would wait for it.
    return { sent }
  })
  return sent
}

/** Resolves when so many connections to the store's database wait for a lock. */
export async function othersWait(store: Store, count = 1): Promise<void> {
  await eventually(`${count} wait for a lock`, async () => (await waiting(store)) === count)
}

async function waiting(store: Store): Promise<number> {
  // Within a transaction Postgres would show the connections of the first look.
  await store.query((db) => db.execute(sql`select pg_stat_clear_snapshot()`))
  const rows = await store.query((db) =>
    db.execute<{ count: number }>(sql`
      select count(*)::int as count from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`),
  )
  return rows[0]?.count ?? 0
}
