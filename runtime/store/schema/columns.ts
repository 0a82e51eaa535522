import { customType, timestamp } from 'drizzle-orm/pg-core'

export const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => 'bytea' })

/** Milliseconds, like JavaScript's dates: so that a time read back and compared (paging) is exactly the stored one. */
export const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: 'date' })

export type Json = Readonly<Record<string, unknown>>
export type Headers = Readonly<Record<string, string>>
