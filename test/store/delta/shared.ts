import { sql } from 'drizzle-orm'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { openStore } from '../../../runtime/store/store.ts'
import type { Store } from '../../../runtime/store/store.ts'
import { freshDatabase } from '../../support/database.ts'

/** One store for all tests of a file, emptied after each: to make a database takes longer than most of them. */
export function openShared(): Store {
  let opened: Store | null = null
  beforeAll(async () => {
    opened = openStore(await freshDatabase(), 4)
  })
  afterEach(() => emptied(store))
  afterAll(() => opened?.close())
  const now = (): Store => {
    if (opened === null) throw new Error('the store is opened before the first test')
    return opened
  }
  const store: Store = {
    query: (work) => now().query(work),
    transaction: (work) => now().transaction(work),
    ping: (timeoutMs) => now().ping(timeoutMs),
    close: () => now().close(),
  }
  return store
}

export async function emptied(store: Store): Promise<void> {
  await store.query((db) =>
    db.execute(
      sql`truncate runs, trash, cursors, cursor_history, watermarks, watermark_history, recorder_positions cascade`,
    ),
  )
}
