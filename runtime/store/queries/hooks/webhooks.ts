import { and, eq, isNull, or, sql } from 'drizzle-orm'
import { LostRace } from '../../../errors.ts'
import { nodes, topologies, webhooks } from '../../schema/index.ts'
import type { Store } from '../../store.ts'
import { storable } from '../../text.ts'
import type { Topology } from '../topologies.ts'

export type Webhook = typeof webhooks.$inferSelect
export type WebhookValues = Omit<Webhook, 'nodeId' | 'version' | 'createdAt' | 'updatedAt'>

/** Null when the node never had an address. */
export async function findWebhook(store: Store, nodeId: string): Promise<Webhook | null> {
  const [row] = await store.query((db) => db.select().from(webhooks).where(eq(webhooks.nodeId, nodeId)))
  return row ?? null
}

/** Ids of the webhook nodes of a topology that never had an address. */
export async function withoutWebhook(store: Store, topologyId: string): Promise<string[]> {
  const isBare = and(eq(nodes.topologyId, topologyId), eq(nodes.type, 'webhook'), isNull(webhooks.nodeId))
  const rows = await store.query((db) =>
    db.select({ id: nodes.id }).from(nodes).leftJoin(webhooks, eq(webhooks.nodeId, nodes.id)).where(isBare),
  )
  return rows.map(({ id }) => id)
}

/** The same, and keeps others from changing it until the transaction ends. */
export async function lockWebhook(inside: Store, nodeId: string): Promise<Webhook | null> {
  const mine = eq(webhooks.nodeId, nodeId)
  const [row] = await inside.query((db) => db.select().from(webhooks).where(mine).for('update'))
  return row ?? null
}

/** Makes a row unless there is one; answers the one that is there then. */
export async function makeWebhook(store: Store, nodeId: string, values: Partial<WebhookValues>): Promise<Webhook> {
  const row = { nodeId, ...values }
  const [made] = await store.query((db) => db.insert(webhooks).values(row).onConflictDoNothing().returning())
  const found = made ?? (await findWebhook(store, nodeId))
  if (!found) throw new LostRace('the node of this webhook was deleted meanwhile')
  return found
}

/** Throws `LostRace` when it isn't at `ifVersion` (null: whatever it is at), or is gone. */
export async function updateWebhook(
  store: Store,
  nodeId: string,
  change: Partial<WebhookValues>,
  ifVersion: number | null,
): Promise<Webhook> {
  const next = { ...change, version: sql`${webhooks.version} + 1`, updatedAt: new Date() }
  const mine = eq(webhooks.nodeId, nodeId)
  const where = ifVersion === null ? mine : and(mine, eq(webhooks.version, ifVersion))
  const [row] = await store.query((db) => db.update(webhooks).set(next).where(where).returning())
  if (!row) throw new LostRace('the webhook was changed since it was read')
  return row
}

/** What the intake has to know before it looks at a delivery. */
export interface Addressed {
  readonly topology: Pick<Topology, 'id' | 'name' | 'revision' | 'enabled' | 'visibility'>
  readonly node: { readonly id: string; readonly name: string; readonly enabled: boolean }
  readonly webhook: Webhook
}

/**
 * Webhooks that a topology and a node name by id or name; several when an id looks like a name. One query, whichever of the two there
 * isn't.
 */
export async function webhooksAt(store: Store, topology: string, node: string): Promise<Addressed[]> {
  const [t, n] = [storable(topology), storable(node)]
  return store.query((db) =>
    db
      .select({
        topology: {
          id: topologies.id,
          name: topologies.name,
          revision: topologies.revision,
          enabled: topologies.enabled,
          visibility: topologies.visibility,
        },
        node: { id: nodes.id, name: nodes.name, enabled: nodes.enabled },
        webhook: webhooks,
      })
      .from(topologies)
      .innerJoin(nodes, eq(nodes.topologyId, topologies.id))
      .innerJoin(webhooks, eq(webhooks.nodeId, nodes.id))
      .where(and(or(eq(topologies.id, t), eq(topologies.name, t)), or(eq(nodes.id, n), eq(nodes.name, n)))),
  )
}
