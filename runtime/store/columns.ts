import { sql } from 'drizzle-orm'
import type { SQL } from 'drizzle-orm'
import { storable } from './text.ts'

/**
 * One array parameter, whatever its length: so that every batch is the same statement. It travels as texts that Postgres
 * casts, since the driver would convert a `boolean[]` or `timestamptz[]` by rules of its own.
 */
export function column<T>(rows: readonly T[], pick: (row: T) => string | number | boolean | null, type = 'text'): SQL {
  const texts = rows.map(pick).map((value) => (value === null ? null : storable(String(value))))
  return sql`${sql.param(texts)}::text[]::${sql.raw(type)}[]`
}
