import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import type postgres from 'postgres'
import { textOf } from '../../errors.ts'

/**
 * What `text` of a Trash filter looks in, all in small letters. Spelled as in the index, or that isn't used: with `||`, since
 * `concat_ws` isn't immutable.
 */
const searched = `lower((error ->> 'title') || coalesce(' ' || (error ->> 'detail'), ''))`
export const searchedText: SQL = sql.raw(searched)

const name = 'trash_text'

/**
 * Whether texts are found by an index. It isn't among the migrations, since it needs the extension pg_trgm, which some providers don't
 * have or allow first: an engine without it works, and reads every row that the rest of a filter leaves.
 */
export async function hasTextIndex(client: postgres.Sql): Promise<boolean> {
  const [row] = await client<{ valid: boolean | null }[]>`
    select (select i.indisvalid from pg_index i where i.indexrelid = to_regclass(${name})) as valid`
  return row?.valid === true
}

/**
 * Makes the extension and the index if they aren't there, within a transaction; rows aren't written meanwhile (a million of them: about
 * half a minute). Answers what a person has to know when it can't; null: the index is there.
 */
export async function ensureTextIndex(client: postgres.Sql): Promise<string | null> {
  if (await hasTextIndex(client)) return null
  try {
    await client.begin(async (inside) => {
      await inside`create extension if not exists pg_trgm`
      await inside.unsafe(`create index ${name} on trash using gin (${searched} gin_trgm_ops)`)
    })
    return null
  } catch (error) {
    if (!isRefusal(error)) throw error
    return `searching Trash by text reads every row (${textOf(error)}): ${remedy}`
  }
}

export const remedy =
  'have `create extension pg_trgm` run in this database by a role that may, then `sluice migrate` by the owner of its tables'

/** No such extension or operator class at this server, or no right to make it or the index; anything else is an error. */
function isRefusal(error: unknown): boolean {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined
  return typeof code === 'string' && ['0A000', '42501', '58P01', '42704'].includes(code)
}
