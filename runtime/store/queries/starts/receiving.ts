/** Places that bodies hold among the runs of nodes that must not overlap, before anything of them is in the queue. */
import { and, eq, sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { runs } from '../../schema/index.ts'
import type { Store } from '../../store.ts'
import type { WrittenStart } from './written.ts'

export type ReceivingStart = Omit<WrittenStart, 'line' | 'scheduledAt' | 'body'>

const now = sql`clock_timestamp()`
const isReceiving = eq(runs.startState, 'receiving')
const isSilent = (forMs: number): SQL => sql`${runs.startStateAt} < ${now} - ${forMs} * interval '1 millisecond'`

/** The run is shown from now on, and others of its node see it. One that is there stays as it is. */
export async function writeReceiving(store: Store, start: ReceivingStart): Promise<void> {
  const { contentType: startContentType, headers: startHeaders, trace: startTrace, reconcile, ...names } = start
  const told = { startContentType, startHeaders, startTrace, startReconcile: reconcile }
  const state = { startSeen: false, startedAt: now, startState: 'receiving', startStateAt: now } as const
  await store.query((db) =>
    db
      .insert(runs)
      .values({ ...names, ...told, ...state })
      .onConflictDoNothing(),
  )
}

/** Somebody still takes in the body of this run, be anything of it stored or not. */
export async function noteSender(store: Store, id: string): Promise<void> {
  const { intake, startState, startStateAt } = runs
  const isOpen = sql`${intake} ->> 'state' = 'receiving'`
  await store.query((db) =>
    db
      .update(runs)
      .set({
        intake: sql`case when ${isOpen} then jsonb_set(${intake}, '{at}', to_jsonb(${new Date().toISOString()}::text)) else ${intake} end`,
        startStateAt: sql`case when ${startState} = 'receiving' then ${now} else ${startStateAt} end`,
      })
      .where(and(eq(runs.id, id), sql`(${isReceiving} or ${isOpen})`)),
  )
}

/** Nothing of it was stored. With `silentMs` only if nobody has noted its sender for so long. */
export async function dropReceiving(store: Store, id: string, silentMs = 0): Promise<void> {
  const silent = silentMs === 0 ? undefined : isSilent(silentMs)
  await store.query((db) => db.delete(runs).where(and(eq(runs.id, id), isReceiving, silent)))
}

export interface SilentReceiving {
  readonly id: string
  readonly topologyId: string
  /** When its sender was noted last. */
  readonly at: Date
}

/** Those whose senders nobody has noted for so long. */
export async function silentReceiving(store: Store, silentMs: number): Promise<SilentReceiving[]> {
  const { id, topologyId, startStateAt: at } = runs
  const rows = await store.query((db) =>
    db
      .select({ id, topologyId, at })
      .from(runs)
      .where(and(isReceiving, isSilent(silentMs))),
  )
  return rows.flatMap((row) => (row.at === null ? [] : [{ ...row, at: row.at }]))
}
