import { and, asc, eq, or, sql } from 'drizzle-orm'
import { LostRace, NotFound } from '../../errors.ts'
import { newId } from '../../ids.ts'
import { nodes, revisions, topologies } from '../schema/index.ts'
import type { Store } from '../store.ts'
import { storable } from '../text.ts'

export type Node = typeof nodes.$inferSelect
/** What is stored of a node beside the document; null means the default. */
export type StoredValues = Pick<
  Node,
  | 'prefetch'
  | 'timeoutMs'
  | 'retry'
  | 'inPlaceMaxMs'
  | 'onFail'
  | 'cron'
  | 'timezone'
  | 'overlap'
  | 'missed'
  | 'enabled'
>

/** Nodes of the draft in the document's order; `all` adds those that left the draft. */
export async function listNodes(store: Store, topologyId: string, all = false): Promise<Node[]> {
  const mine = eq(nodes.topologyId, topologyId)
  const where = all ? mine : and(mine, eq(nodes.inDraft, true))
  return store.query((db) => db.select().from(nodes).where(where).orderBy(asc(nodes.ordinal), asc(nodes.name)))
}

/** Throws `NotFound`. */
export async function getNode(store: Store, id: string): Promise<Node> {
  const row = await findNode(store, id)
  if (!row) throw new NotFound(`there is no node "${id}"`)
  return row
}

/** Null when there is none. */
export async function findNode(store: Store, id: string): Promise<Node | null> {
  const mine = eq(nodes.id, storable(id))
  const [row] = await store.query((db) => db.select().from(nodes).where(mine))
  return row ?? null
}

/** Where a node is: its name and that of its topology. */
export interface NodePlace {
  readonly id: string
  readonly node: string
  readonly topologyId: string
  readonly topology: string
}

/** By node id; those that left their draft, too. */
export async function nodePlaces(store: Store, ids: readonly string[]): Promise<Map<string, NodePlace>> {
  if (ids.length === 0) return new Map()
  const rows = await store.query((db) =>
    db
      .select({ id: nodes.id, node: nodes.name, topologyId: topologies.id, topology: topologies.name })
      .from(nodes)
      .innerJoin(topologies, eq(topologies.id, nodes.topologyId))
      .where(isOneOf(ids)),
  )
  return new Map(rows.map((row) => [row.id, row]))
}

/** One parameter, however many there are. */
const isOneOf = (ids: readonly string[]) => sql`${nodes.id} = any(${sql.param([...ids])}::text[])`

/** Ids of the nodes that have this name or this id, in one topology or in all; also those that left their draft. */
export async function nodeIdsOf(store: Store, ref: string, topologyId?: string): Promise<string[]> {
  const named = or(eq(nodes.name, storable(ref)), eq(nodes.id, storable(ref)))
  const where = topologyId === undefined ? named : and(named, eq(nodes.topologyId, topologyId))
  const rows = await store.query((db) => db.select({ id: nodes.id }).from(nodes).where(where))
  return rows.map((row) => row.id)
}

/** Which of these are in a draft or in the newest revision of their topology. */
export async function nodesInUse(store: Store, ids: readonly string[]): Promise<Set<string>> {
  const newest = and(eq(revisions.topologyId, topologies.id), eq(revisions.revision, topologies.revision))
  const inPlan = sql`${revisions.plan} @> jsonb_build_object('nodes', jsonb_build_array(jsonb_build_object('id', ${nodes.id})))`
  const rows = await store.query((db) =>
    db
      .select({ id: nodes.id })
      .from(nodes)
      .innerJoin(topologies, eq(topologies.id, nodes.topologyId))
      .leftJoin(revisions, newest)
      .where(and(isOneOf(ids), or(eq(nodes.inDraft, true), inPlan))),
  )
  return new Set(rows.map(({ id }) => id))
}

export type DraftNode = Pick<Node, 'name' | 'type' | 'drawn'> & StoredValues

/**
 * Makes the stored nodes those of the draft: matched by name, so that ids stay. What left the draft keeps its row when
 * `keep` (its queue may still hold messages), and is deleted otherwise.
 */
export async function replaceNodes(
  store: Store,
  topologyId: string,
  draft: readonly DraftNode[],
  keep: boolean,
): Promise<void> {
  const rows = draft.map((node, ordinal) => ({ id: newId(), topologyId, ordinal, ...node }))
  const change = { inDraft: false, version: sql`${nodes.version} + 1` }
  await store.query((db) => db.update(nodes).set(change).where(eq(nodes.topologyId, topologyId)))
  if (rows.length > 0) await store.query((db) => upsert(db, rows))
  if (keep) return
  await store.query((db) => db.delete(nodes).where(and(eq(nodes.topologyId, topologyId), eq(nodes.inDraft, false))))
}

type Row = DraftNode & { id: string; topologyId: string; ordinal: number }

function upsert(db: Parameters<Parameters<Store['query']>[0]>[0], rows: Row[]) {
  const from = (column: string) => sql.raw(`excluded.${column}`)
  return db
    .insert(nodes)
    .values(rows)
    .onConflictDoUpdate({
      target: [nodes.topologyId, nodes.name],
      set: {
        inDraft: true,
        type: from('type'),
        ordinal: from('ordinal'),
        enabled: from('enabled'),
        prefetch: from('prefetch'),
        timeoutMs: from('timeout_ms'),
        retry: from('retry'),
        inPlaceMaxMs: from('in_place_max_ms'),
        onFail: from('on_fail'),
        drawn: from('drawn'),
        cron: from('cron'),
        timezone: from('timezone'),
        overlap: from('overlap'),
        missed: from('missed'),
        updatedAt: sql`now()`,
      },
    })
}

/** Throws `NotFound`, and `LostRace` when the node isn't at `ifVersion` (null: whatever it is at). */
export async function updateNode(
  store: Store,
  id: string,
  change: Partial<StoredValues>,
  ifVersion: number | null,
): Promise<Node> {
  const next = { ...change, version: sql`${nodes.version} + 1`, updatedAt: new Date() }
  const where = ifVersion === null ? eq(nodes.id, id) : and(eq(nodes.id, id), eq(nodes.version, ifVersion))
  const [row] = await store.query((db) => db.update(nodes).set(next).where(where).returning())
  if (row) return row
  const now = await getNode(store, id)
  throw new LostRace(`the node "${now.name}" was changed since it was read (now version ${now.version})`)
}
