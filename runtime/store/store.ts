import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { openConnection } from './connection.ts'
import type { Connection, Database } from './connection.ts'
import { answered, openPool } from './pool.ts'

export type { Database }

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

/**
 * Opens a pool of at most `max` connections (default 8); connects with the first query. `url` as in `postgres://user:password@host/db`.
 * Work that is under way when its connection is lost fails with `Unavailable`; whether a commit got through isn't known then.
 */
export function openStore(url: string, max = 8): Store {
  const pool = openPool(() => openConnection(url), max)
  const open = new Set<Promise<unknown>>()
  const lend = <T>(timeoutMs: number, work: (connection: Connection) => Promise<T>): Promise<T> => {
    const done = pool.lend(timeoutMs, work).finally(() => open.delete(done))
    open.add(done)
    return done
  }
  return {
    query: (work) => lend(answerMs, (connection) => connection.run(work)),
    transaction: (work) => lend(answerMs, (connection) => transaction(connection, work)),
    ping: async (timeoutMs = 2_000) =>
      void (await lend(timeoutMs, (connection) => connection.run((db) => db.execute(sql`select 1`)))),
    close: async () => {
      await Promise.race([Promise.allSettled(open), sleep(closeMs, null, { ref: false })])
      await pool.end()
    },
  }
}

function transaction<T>(connection: Connection, work: (store: Store) => Promise<T>): Promise<T> {
  const inside = async (tx: Database): Promise<T> => {
    try {
      return await work(inTransaction(tx))
    } finally {
      // What the driver has to say at the end, it would say to a socket that is gone. `run` has rejected already.
      if (connection.isLost) await new Promise(() => {})
    }
  }
  return connection.run((db) => db.transaction(inside))
}

function inTransaction(tx: Database): Store {
  const store: Store = {
    query: (work) => answered(answerMs, work(tx)),
    transaction: (work) => work(store),
    ping: async () => void (await tx.execute(sql`select 1`)),
    close: () => Promise.reject(new Error('a transaction is closed by its end, not by close()')),
  }
  return store
}
