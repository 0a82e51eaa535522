import { sql } from 'drizzle-orm'
import { Invalid } from '../../errors.ts'
import type { Database, Store } from '../store.ts'
import { isStatementTimeout } from '../trouble.ts'
import type { TrashFilter } from './filter.ts'

/** Looking into bodies reads each of them; nobody else should wait for that for long. */
const bodiesMs = 5_000

/** Runs a read by a filter. Throws `Invalid` for one that looks into more bodies than can be read in that time. */
export async function withinTime<T>(
  store: Store,
  { body }: TrashFilter,
  read: (db: Database) => PromiseLike<T>,
  ms = bodiesMs,
): Promise<T> {
  if (body === undefined) return store.query(read)
  try {
    return await store.transaction(async (inside) => {
      await inside.query((db) => db.execute(sql`select set_config('statement_timeout', ${String(ms)}, true)`))
      return inside.query(read)
    })
  } catch (error) {
    if (!isStatementTimeout(error)) throw error
    const message = `looking into bodies took longer than ${ms / 1000} s: narrow it down by topology, node, run, fingerprint, tenant or time`
    throw new Invalid(message, [{ path: 'body', message }], { cause: error })
  }
}
