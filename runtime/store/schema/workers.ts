import { integer, jsonb, pgTable, text } from 'drizzle-orm/pg-core'
import type { Limit, Scope } from '../../topology/limits/limits.ts'
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

export const services = pgTable('services', {
  name: text('name').primaryKey(),
  limits: jsonb('limits').$type<readonly Limit[]>().notNull().default([]),
  maxInFlight: integer('max_in_flight'),
  inFlightScope: text('in_flight_scope').$type<Scope>().notNull().default('global'),
  version: integer('version').notNull().default(1),
  createdAt: instant('created_at').notNull().defaultNow(),
  updatedAt: instant('updated_at').notNull().defaultNow(),
})
