import { eq } from 'drizzle-orm'
import { drawings } from '../schema/index.ts'
import type { Store } from '../store.ts'

export type Drawing = Pick<typeof drawings.$inferSelect, 'kind' | 'source' | 'names'>

/** What an older editor put last; null: nothing ever. */
export async function getDrawing(store: Store, topologyId: string): Promise<Drawing | null> {
  const mine = eq(drawings.topologyId, topologyId)
  const [row] = await store.query((db) => db.select().from(drawings).where(mine))
  return row ?? null
}

export async function putDrawing(store: Store, topologyId: string, drawing: Drawing): Promise<void> {
  const set = { ...drawing, updatedAt: new Date() }
  await store.query((db) =>
    db
      .insert(drawings)
      .values({ topologyId, ...drawing })
      .onConflictDoUpdate({ target: drawings.topologyId, set }),
  )
}
