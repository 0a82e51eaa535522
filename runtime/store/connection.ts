import type { PgDatabase } from 'drizzle-orm/pg-core'
import { drizzle } from 'drizzle-orm/postgres-js'
import type { PostgresJsQueryResultHKT } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { Unavailable } from '../errors.ts'

export type Database = PgDatabase<PostgresJsQueryResultHKT>

/** One connection, and the whole client of the driver that it belongs to. States: fresh → open → lost; it never comes back. */
export interface Connection {
  readonly isLost: boolean
  /** Runs `work`, one at a time; rejects at once when the connection is lost. */
  run<T>(work: (db: Database) => PromiseLike<T>): Promise<T>
  /** Cuts it off, whatever is under way; twice is harmless. */
  end(): Promise<void>
}

/**
 * Connects with the first statement. No client outlives its connection: the driver takes over what a lost one left behind, so
 * that a statement hangs, gets an empty answer that isn't its own, or ends the process (docs/decisions/015-lost-connections.md).
 */
export function openConnection(url: string): Connection {
  let isLost = false
  let interrupt: (error: Error) => void = () => {}
  const end = (): Promise<void> => {
    isLost = true
    interrupt(lost())
    return client.end({ timeout: 0 })
  }
  const client = postgres(url, { ...settings, onclose: () => void end() })
  // Called before each statement: the only place where one can be held back.
  const logQuery = (): void => {
    if (isLost) throw lost()
  }
  const db = drizzle(client, { logger: { logQuery } })
  return {
    get isLost() {
      return isLost
    },
    run: (work) =>
      new Promise((resolve, reject) => {
        interrupt = reject
        Promise.resolve(work(db)).then(resolve, reject)
      }),
    end,
  }
}

const lost = (): Unavailable => new Unavailable('postgres', 'the connection to Postgres was lost')

const settings = {
  max: 1,
  max_lifetime: null,
  connect_timeout: 5,
  onnotice: () => {},
  // The driver's own search for array types ends the process when the connection is lost meanwhile; this is the one that is used.
  fetch_types: false,
  types: { texts: { to: 1009, from: [1009], serialize: arrayOf, parse: (text: string) => text } },
  connection: {
    application_name: 'sluiceway',
    statement_timeout: 15_000,
    // A control that is frozen in a transaction must not hold the recorder's fence for ever.
    idle_in_transaction_session_timeout: 10_000,
  },
}

/** As Postgres writes a `text[]`. */
function arrayOf(texts: readonly (string | null)[]): string {
  const quoted = texts.map((text) => (text === null ? 'NULL' : `"${text.replace(/[\\"]/g, '\\$&')}"`))
  return `{${quoted.join(',')}}`
}
