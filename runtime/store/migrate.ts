import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator'
import postgres from 'postgres'
import { Invalid } from '../errors.ts'
import { ensureTextIndex } from './trash/text-search.ts'
import { consequenceOf } from './trouble.ts'

export const oldestServer = 15

/** Any number will do, as long as every control uses the same. */
const lockKey = 7_584_225

/**
 * Brings the database to this version's schema. Safe to call by several processes at once (an advisory lock), and when
 * there is nothing to do. Throws `Invalid` for a server that is too old or a role without the needed rights, and
 * `Unavailable` when Postgres is away.
 */
export async function migrate(url: string, log: (line: string) => void = () => {}): Promise<void> {
  const client = postgres(url, { max: 1, connect_timeout: 10, onnotice: () => {} })
  try {
    await client`set lock_timeout = '60s'`
    await checkServer(client)
    await client`select pg_advisory_lock(${lockKey})`
    await bringUp(client, log)
    const warning = await ensureTextIndex(client)
    if (warning !== null) log(warning)
  } catch (error) {
    throw consequenceOf(error)
  } finally {
    await client.end({ timeout: 5 })
  }
}

async function checkServer(client: postgres.Sql): Promise<void> {
  const [row] = await client<{ number: number; text: string }[]>`
    select current_setting('server_version_num')::int as number, current_setting('server_version') as text`
  const major = Math.floor((row?.number ?? 0) / 10_000)
  if (major < oldestServer)
    throw new Invalid(`Postgres ${oldestServer} or newer is needed, and this server is ${row?.text}: upgrade it`)
}

async function bringUp(client: postgres.Sql, log: (line: string) => void): Promise<void> {
  const folder = migrationsFolder()
  const pending = await pendingMigrations(client, folder)
  if (pending.length === 0) return
  await checkRights(client)
  await applyMigrations(drizzle(client), { migrationsFolder: folder })
  log(`migrated the database: ${pending.join(', ')}`)
}

/** Names of the migrations that the database doesn't have. One with a newer schema than ours has none pending. */
export async function pendingMigrations(client: postgres.Sql, folder = migrationsFolder()): Promise<string[]> {
  const journal = journalOf(folder)
  const [found] = await client<{ present: boolean }[]>`
    select to_regclass('drizzle.__drizzle_migrations') is not null as present`
  if (!found?.present) return journal.entries.map((entry) => entry.tag)
  const [last] = await client<{ at: string | null }[]>`
    select max(created_at)::text as at from drizzle.__drizzle_migrations`
  return journal.entries.filter((entry) => entry.when > Number(last?.at ?? 0)).map((entry) => entry.tag)
}

/** Does the database have migrations that this version doesn't know? */
export async function isOfNewerVersion(client: postgres.Sql, folder = migrationsFolder()): Promise<boolean> {
  const [found] = await client<{ present: boolean }[]>`
    select to_regclass('drizzle.__drizzle_migrations') is not null as present`
  if (!found?.present) return false
  const [last] = await client<{ at: string | null }[]>`
    select max(created_at)::text as at from drizzle.__drizzle_migrations`
  return Number(last?.at ?? 0) > Math.max(...journalOf(folder).entries.map((entry) => entry.when))
}

function journalOf(folder: string): { entries: { when: number; tag: string }[] } {
  return JSON.parse(readFileSync(join(folder, 'meta', '_journal.json'), 'utf8')) as ReturnType<typeof journalOf>
}

async function checkRights(client: postgres.Sql): Promise<void> {
  const [rights] = await client<{ role: string; db: string; creates: boolean; owns: boolean }[]>`
    select current_user as role, current_database() as db,
      has_database_privilege(current_database(), 'create') as creates,
      has_schema_privilege('public', 'create') as owns`
  if (!rights || (rights.creates && rights.owns)) return
  const missing = rights.creates ? `create on schema public` : `create on database "${rights.db}"`
  throw new Invalid(
    `the Postgres role "${rights.role}" may not change the schema of "${rights.db}": ` +
      `run \`grant ${missing} to "${rights.role}"\` as its owner, or run \`sluice migrate\` with the owner's role`,
  )
}

/** The folder is beside runtime/ in a checkout, and one level further up from dist/runtime/. */
function migrationsFolder(from = dirname(fileURLToPath(import.meta.url))): string {
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    const candidate = join(folder, 'migrations')
    if (existsSync(join(candidate, 'meta', '_journal.json'))) return candidate
  }
  throw new Error(`no migrations folder above ${from}: the installation is incomplete`)
}
