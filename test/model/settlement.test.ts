import { sql } from 'drizzle-orm'
import { test } from 'vitest'
import { migratedStore } from '../store/open.ts'
import { openMemoryBooks, openPostgresBooks } from './books.ts'
import { holds } from './property.ts'

/**
 * Laws, see world.ts and truth.ts: nothing is published twice and nothing is lost (I1, I2, I3), ordered nodes keep their order (I5),
 * what is recorded equals the model at every position and no run looks finished early (I6), nothing is compacted that somebody
 * needs.
 */
test('whatever crashes between two effects, every hop settles once, in order, and the counters are exact', async () => {
  await holds({ runs: 150, steps: 80, books: openMemoryBooks })
})

test('the same with the counters in Postgres', async () => {
  const store = await migratedStore()
  const books = async () => {
    await store.query((db) => db.execute(sql`truncate runs, trash, cursors, recorder_positions cascade`))
    return openPostgresBooks(store)
  }
  await holds({ runs: 8, steps: 60, books })
})
