import { index, jsonb, pgTable, text } from 'drizzle-orm/pg-core'
import { instant } from './columns.ts'
import type { Json } from './columns.ts'
import { topologies } from './topologies.ts'

export const tokens = pgTable('tokens', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  /** SHA-256 of the token, hex. The token itself is shown once and never kept. */
  hash: text('hash').notNull().unique(),
  scopes: jsonb('scopes').$type<readonly string[]>().notNull(),
  /** Null: good for every topology. */
  topologyId: text('topology_id').references(() => topologies.id, { onDelete: 'cascade' }),
  expiresAt: instant('expires_at'),
  lastUsedAt: instant('last_used_at'),
  createdAt: instant('created_at').notNull().defaultNow(),
})

/** Logins of browsers. */
export const sessions = pgTable(
  'sessions',
  {
    id: text('id').primaryKey(),
    /** Of the cookie, hex; see queries/sessions.ts. The cookie itself is never kept. */
    hash: text('hash').notNull().unique(),
    /** Null: the admin token of the options. */
    tokenId: text('token_id').references(() => tokens.id, { onDelete: 'cascade' }),
    createdAt: instant('created_at').notNull().defaultNow(),
    lastUsedAt: instant('last_used_at').notNull().defaultNow(),
    /** However much it is used. */
    expiresAt: instant('expires_at').notNull(),
  },
  (table) => [index('sessions_token').on(table.tokenId), index('sessions_expires').on(table.expiresAt)],
)

export const auditKinds = [
  'topology',
  'node',
  'run',
  'trash',
  'bulk',
  'worker',
  'service',
  'token',
  'session',
  'cursor',
  'watermark',
] as const

/** Every change over the API; a trigger of the database keeps rows as they were written. What they name may be gone. */
export const audit = pgTable(
  'audit',
  {
    id: text('id').primaryKey(),
    at: instant('at').notNull().defaultNow(),
    /** Name of the token. */
    who: text('who').notNull(),
    /** Null: the admin token of the options. */
    tokenId: text('token_id'),
    /** Null: the token itself was sent. */
    sessionId: text('session_id'),
    /** Where the request came from; null: not known. */
    address: text('address'),
    /** The API's operation. */
    action: text('action').notNull(),
    method: text('method').notNull(),
    path: text('path').notNull(),
    topologyId: text('topology_id'),
    kind: text('kind', { enum: auditKinds }).notNull(),
    targetId: text('target_id').notNull(),
    targetName: text('target_name'),
    /** What differs, redacted; null: there was nothing before, there is nothing after. */
    before: jsonb('before').$type<Json>(),
    after: jsonb('after').$type<Json>(),
  },
  (table) => [
    index('audit_at').on(table.at, table.id),
    index('audit_topology_at').on(table.topologyId, table.at, table.id),
    index('audit_who_at').on(table.who, table.at, table.id),
    index('audit_action_at').on(table.action, table.at, table.id),
  ],
)
