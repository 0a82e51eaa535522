import postgres from 'postgres'
import { isOfNewerVersion, oldestServer, pendingMigrations } from './migrate.ts'
import { hasTextIndex } from './trash/text-search.ts'
import { consequenceOf } from './trouble.ts'

/** What a person has to know of a database before an engine uses it. */
export interface Condition {
  /** Of the server, such as `17.2`. */
  readonly version: string
  /** Migrations that the database lacks; see migrate.ts. */
  readonly pending: readonly string[]
  /** It has migrations that this version doesn't know. */
  readonly isNewer: boolean
  /** Texts in Trash are found by an index. */
  readonly hasTextIndex: boolean
  /** The server's clock less ours, give or take half of the question's duration. */
  readonly clockAheadMs: number
}

/** What is wrong with it, and what to do; nothing: an engine can use it. */
export function faultsOf({ version, pending, isNewer }: Omit<Condition, 'clockAheadMs'>): string[] {
  const isOld = Number.parseInt(version, 10) < oldestServer
  return [
    ...(isOld ? [`version ${version}; ${oldestServer} or newer is needed: upgrade it`] : []),
    ...(pending.length > 0 ? [`it lacks ${pending.join(', ')}: run \`sluice migrate\``] : []),
    ...(isNewer ? ['its schema is of a newer version than this command line: use that version'] : []),
  ]
}

/** Looks, and changes nothing. Throws `Unavailable` when Postgres is away. */
export async function conditionOf(url: string): Promise<Condition> {
  const client = postgres(url, { max: 1, connect_timeout: 5, onnotice: () => {} })
  try {
    // The first query connects; the second one is quick enough to compare clocks by.
    const pending = await pendingMigrations(client)
    const isNewer = await isOfNewerVersion(client)
    const isIndexed = await hasTextIndex(client)
    const asked = Date.now()
    const [row] = await client<{ version: string; now: number }[]>`
      select current_setting('server_version') as version, extract(epoch from clock_timestamp())::float8 * 1000 as now`
    const here = (asked + Date.now()) / 2
    const clockAheadMs = Math.round((row?.now ?? here) - here)
    return { version: row?.version ?? 'unknown', pending, isNewer, hasTextIndex: isIndexed, clockAheadMs }
  } catch (error) {
    throw consequenceOf(error)
  } finally {
    await client.end({ timeout: 2 })
  }
}
