import { integer, jsonb, pgTable, text } from 'drizzle-orm/pg-core'
import { instant } from './columns.ts'
import type { Json } from './columns.ts'

export const workers = pgTable('workers', {
  name: text('name').primaryKey(),
  urls: jsonb('urls').$type<readonly string[]>().notNull(),
  dialect: text('dialect', { enum: ['native', 'orchesty'] })
    .notNull()
    .default('native'),
  /** Encrypted, see secrets.ts. */
  secret: text('secret'),
  timeoutMs: integer('timeout_ms'),
  manifest: jsonb('manifest').$type<Json>(),
  manifestReadAt: instant('manifest_read_at'),
  version: integer('version').notNull().default(1),
  createdAt: instant('created_at').notNull().defaultNow(),
  updatedAt: instant('updated_at').notNull().defaultNow(),
})

export interface ServiceLimit {
  readonly rate: number
  /** `second`, `minute`, `hour` or `day`. */
  readonly per: string
  readonly burst?: number | undefined
  readonly scope?: 'global' | 'tenant' | undefined
}

export const services = pgTable('services', {
  name: text('name').primaryKey(),
  limits: jsonb('limits').$type<readonly ServiceLimit[]>().notNull().default([]),
  maxInFlight: integer('max_in_flight'),
  version: integer('version').notNull().default(1),
  createdAt: instant('created_at').notNull().defaultNow(),
  updatedAt: instant('updated_at').notNull().defaultNow(),
})
