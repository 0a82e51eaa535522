import { sql } from 'drizzle-orm'
import { Invalid } from '../../errors.ts'
import type { Fault } from '../../errors.ts'
import type { Database, Store } from '../store.ts'
import { isStatementTimeout } from '../trouble.ts'
import type { TrashFilter } from './filter.ts'

/**
 * Looking into bodies reads each of them, and so does looking for a text that the index doesn't know: nobody else should wait for that
 * for long.
 */
const lookMs = 5_000

/** Runs a read by a filter. Throws `Invalid` for one that looks at more messages than can be read in that time. */
export async function withinTime<T>(
  store: Store,
  filter: TrashFilter,
  read: (db: Database) => PromiseLike<T>,
  ms = lookMs,
): Promise<T> {
  if (filter.body === undefined && filter.text === undefined) return store.query(read)
  try {
    return await store.transaction(async (inside) => {
      await inside.query((db) => db.execute(sql`select set_config('statement_timeout', ${String(ms)}, true)`))
      return inside.query(read)
    })
  } catch (error) {
    if (!isStatementTimeout(error)) throw error
    const fault = tooLong(filter, ms)
    throw new Invalid(fault.message, [fault], { cause: error })
  }
}

/** What a person can do about it. */
function tooLong({ body, text = '' }: TrashFilter, ms: number): Fault {
  const narrow = 'narrow it down by topology, node, run, fingerprint, tenant or time'
  if (body !== undefined)
    return { path: 'body', message: `looking into bodies took longer than ${ms / 1000} s: ${narrow}` }
  const longer = hasTrigram.test(text) ? '' : 'give a text with three letters or digits in a row, or '
  return { path: 'text', message: `looking for this text took longer than ${ms / 1000} s: ${longer}${narrow}` }
}

/** Without one the index of texts is of no use. */
const hasTrigram = /[\p{L}\p{N}]{3}/u
