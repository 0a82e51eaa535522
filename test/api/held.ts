import { sql } from 'drizzle-orm'
import { lockTopology } from '../../runtime/store/queries/topologies.ts'
import type { Store } from '../../runtime/store/store.ts'
import { eventually } from '../support/eventually.ts'
import type { TestApi } from './open.ts'

/**
 * Sends what `send` sends while the topology is locked; when `count` wait for it, does `meanwhile` in the transaction that holds the
 * lock, and lets go.
 */
export async function whileHeld<T>(
  { store }: TestApi,
  topologyId: string,
  send: () => Promise<T>,
  meanwhile: (inside: Store) => Promise<unknown> = () => Promise.resolve(),
  count = 1,
): Promise<T> {
  const { sent } = await store.transaction(async (inside) => {
    await lockTopology(inside, topologyId, null)
    const sent = send()
    await eventually(`${count} wait for the topology`, async () => (await waiting(inside)) === count)
    await meanwhile(inside)
    // In an object, or the transaction would wait for it.
    return { sent }
  })
  return sent
}

async function waiting(inside: Store): Promise<number> {
  const rows = await inside.query((db) =>
    db.execute<{ count: number }>(sql`
      select count(*)::int as count from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`),
  )
  return rows[0]?.count ?? 0
}
