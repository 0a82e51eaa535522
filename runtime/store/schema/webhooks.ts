import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import { instant } from './columns.ts'
import { nodes } from './topologies.ts'

/** What is secret of webhook nodes: a row for each whose address was ever asked for. Secrets are encrypted, see secrets.ts. */
export const webhooks = pgTable('webhooks', {
  nodeId: text('node_id')
    .primaryKey()
    .references(() => nodes.id, { onDelete: 'cascade' }),
  /** Last part of the address; null: it was revoked. */
  pathSecret: text('path_secret'),
  /** SHA-256 of it, hex: what a delivery is held to, whatever key secrets are encrypted with. */
  pathHash: text('path_hash'),
  previousPathHash: text('previous_path_hash'),
  /** Until when the address before is taken, too. */
  previousPathUntil: instant('previous_path_until'),
  /** Signs deliveries. */
  signingSecret: text('signing_secret'),
  previousSigningSecret: text('previous_signing_secret'),
  previousSigningUntil: instant('previous_signing_until'),
  /** Of handshakes. */
  verifyToken: text('verify_token'),
  version: integer('version').notNull().default(1),
  createdAt: instant('created_at').notNull().defaultNow(),
  updatedAt: instant('updated_at').notNull().defaultNow(),
})
