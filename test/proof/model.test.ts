import { sql } from 'drizzle-orm'
import { test } from 'vitest'
import { openMemoryBooks, openPostgresBooks } from '../model/books.ts'
import { holds } from '../model/property.ts'
import { migratedStore } from '../store/open.ts'

test('more than a thousand histories with crashes between any two effects break no law', async () => {
  await holds({ runs: 1_500, steps: 160, books: openMemoryBooks })
})

test('hundreds of them with the counters in Postgres', async () => {
  const store = await migratedStore()
  const books = async () => {
    await store.query((db) => db.execute(sql`truncate runs, trash, cursors, recorder_positions cascade`))
    return openPostgresBooks(store)
  }
  await holds({ runs: 150, steps: 120, books })
})
