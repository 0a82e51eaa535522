import { setTimeout as sleep } from 'node:timers/promises'
import { drizzle } from 'drizzle-orm/postgres-js'
import type { PgDatabase } from 'drizzle-orm/pg-core'
import type { PostgresJsQueryResultHKT } from 'drizzle-orm/postgres-js'
import { sql } from 'drizzle-orm'
import postgres from 'postgres'
import { textOf, Unavailable } from '../errors.ts'
import { consequenceOf, isConnectionLost } from './trouble.ts'

export type Database = PgDatabase<PostgresJsQueryResultHKT>

/** The way to Postgres. Queries stand beside this file, one file for each thing. */
export interface Store {
  /** Runs queries. Throws `Unavailable` when Postgres is away or doesn't answer within 20 s. */
  query<T>(work: (db: Database) => PromiseLike<T>): Promise<T>
  /** Runs `work` in one transaction, or in the one that is open already; an error rolls it back. */
  transaction<T>(work: (store: Store) => Promise<T>): Promise<T>
  /** Throws `Unavailable` when Postgres doesn't answer within `timeoutMs`. */
  ping(timeoutMs?: number): Promise<void>
  /** Ends what is under way within 5 s and closes the connections; twice is harmless. */
  close(): Promise<void>
}

const answerMs = 20_000
const closeMs = 5_000

/** Opens a pool of at most `max` connections (default 8); connects with the first query. `url` as in `postgres://user:password@host/db`. */
export function openStore(url: string, max = 8): Store {
  const client = postgres(url, {
    max,
    connect_timeout: 5,
    backoff: () => 0.2,
    onnotice: () => {},
    connection: {
      application_name: 'sluiceway',
      statement_timeout: 15_000,
      // A control that is frozen in a transaction must not hold the recorder's fence for ever.
      idle_in_transaction_session_timeout: 10_000,
    },
  })
  const db = drizzle(client)
  const open = new Set<Promise<unknown>>()
  const tracked = <T>(timeoutMs: number, work: PromiseLike<T>): Promise<T> => {
    const done = answered(timeoutMs, work).finally(() => open.delete(done))
    open.add(done)
    return done
  }
  return {
    query: (work) => tracked(answerMs, work(db)),
    transaction: (work) => tracked(answerMs, transaction(db, work)),
    ping: async (timeoutMs = 2_000) => void (await tracked(timeoutMs, db.execute(sql`select 1`))),
    close: async () => {
      // The driver's own graceful end waits in vain for a connection that was cut in the middle of a query.
      await Promise.race([Promise.allSettled(open), sleep(closeMs, null, { ref: false })])
      await client.end({ timeout: 0 })
    },
  }
}

/**
 * States of a transaction: open → over. After a lost connection nothing more is said on it, not even a rollback: the driver would
 * write that to a socket that is gone, which ends the process (a TypeError in a callback), or would keep it for the connection that
 * follows, which then never gets to log in. And another statement of the same work would be executed there, outside of any transaction.
 */
function transaction<T>(db: Database, work: (store: Store) => Promise<T>): Promise<T> {
  const state = { isOver: false }
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      state.isOver = true
      reject(error instanceof Error ? error : new Error(textOf(error)))
    }
    const inside = async (tx: Database): Promise<T> => {
      try {
        return await work(inTransaction(tx, state))
      } catch (error) {
        if (!state.isOver && !isConnectionLost(error)) throw error
        fail(error)
        return new Promise(() => {})
      }
    }
    // Rejects by itself when the connection is lost.
    db.transaction(inside).then(resolve, fail)
  })
}

function inTransaction(tx: Database, state: { readonly isOver: boolean }): Store {
  const store: Store = {
    query: async (work) => {
      if (state.isOver) throw new Unavailable('postgres', 'the connection was lost within a transaction')
      return answered(answerMs, work(tx))
    },
    transaction: (work) => work(store),
    ping: async () => void (await store.query((db) => db.execute(sql`select 1`))),
    close: () => Promise.reject(new Error('a transaction is closed by its end, not by close()')),
  }
  return store
}

/** A frozen server or a half-open connection answers nothing at all: so every wait has an end on this side, too. */
async function answered<T>(timeoutMs: number, work: PromiseLike<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const text = `Postgres did not answer within ${timeoutMs} ms`
    timer = setTimeout(() => reject(new Unavailable('postgres', text)), timeoutMs)
  })
  try {
    return await Promise.race([work, late])
  } catch (error) {
    throw consequenceOf(error)
  } finally {
    clearTimeout(timer)
  }
}
