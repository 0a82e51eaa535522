import { sql } from 'drizzle-orm'
import { watermarkIdOf } from '../../protocol/reading.ts'
import { compareWatermarks, leastWatermark } from '../../topology/watermarks/watermark.ts'
import { column } from '../columns.ts'
import type { Database } from '../store.ts'
import { isAwaited } from './upstream.ts'

/** So many changes of a watermark are kept, the newest. */
export const changesKept = 1_000

/** A reading of a run that has drained. */
interface Reading extends Record<string, unknown> {
  readonly run: string
  readonly startedAt: string
  /** Nothing of the run is in Trash. */
  readonly isClean: boolean
  readonly nodeId: string
  readonly tenant: string | null
  readonly isEnded: boolean
  readonly watermark: string | null
  readonly epoch: number | null
  readonly commit: 'drained' | 'clean' | null
}

/** What a run proposes for a node and a tenant. */
interface Proposal {
  readonly run: string
  readonly startedAt: string
  readonly isClean: boolean
  readonly nodeId: string
  readonly tenant: string | null
  readonly watermark: string
  readonly epoch: number
}

/**
 * Commits what runs proposed that have drained, and answers the ids of the watermarks that are others now. A part of the
 * transaction that writes the runs' outcomes: so a run that has drained has committed, whatever crashes.
 *
 * - A run proposes the least of what its readings of a node and tenant proposed, when all of them have read their last page, and
 *   nothing in its Trash would begin another one: that one would be handed what is committed now, and miss what was before.
 * - A run that began before the one whose proposal stands, or before a person set the watermark, commits nothing.
 * - Times and whole numbers never go backwards.
 */
export async function commitWatermarks(
  db: Database,
  topologyId: string,
  drained: readonly string[],
): Promise<readonly string[]> {
  if (drained.length === 0) return []
  const readings = await db.execute<Reading>(sql`
    select r.id as run, r.started_at::text as "startedAt", r.state = 'finished' as "isClean", c.node_id as "nodeId", c.tenant,
      c.is_ended as "isEnded", c.watermark, c.epoch, c.commit
    from cursors c join runs r on r.id = c.run_id
    where c.run_id = any(${column(drained, (run) => run)}) and c.topology_id = ${topologyId}
    order by r.started_at, r.id`)
  const changed: string[] = []
  for (const proposal of proposalsOf(readings)) {
    const id = watermarkIdOf(topologyId, proposal.nodeId, proposal.tenant)
    if (!proposal.isClean && (await isAwaited(db, topologyId, proposal))) continue
    if (await commit(db, topologyId, id, proposal)) changed.push(id)
  }
  return [...new Set(changed)]
}

/** In the order of the readings. */
function proposalsOf(readings: readonly Reading[]): Proposal[] {
  const groups = new Map<string, Reading[]>()
  for (const reading of readings) {
    const key = JSON.stringify([reading.run, reading.nodeId, reading.tenant])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [reading])
    else group.push(reading)
  }
  return [...groups.values()].flatMap(proposalOf)
}

function proposalOf(readings: readonly Reading[]): Proposal[] {
  const [first] = readings
  const proposed = readings.flatMap(({ isEnded, watermark }) => (isEnded && watermark !== null ? [watermark] : []))
  if (first === undefined || proposed.length < readings.length) return []
  const isDue = readings.every(({ commit, isClean }) => commit !== null && (commit === 'drained' || isClean))
  const watermark = leastWatermark(proposed)
  const { run, startedAt, isClean, nodeId, tenant, epoch } = first
  const isOfOneEpoch = readings.every((reading) => reading.epoch === epoch)
  if (!isDue || watermark === null || epoch === null || !isOfOneEpoch) return []
  return [{ run, startedAt, isClean, nodeId, tenant, watermark, epoch }]
}

interface Committed extends Record<string, unknown> {
  readonly watermark: string | null
  readonly epoch: number
  readonly isOlder: boolean
}

/** False: it stays as it is. */
async function commit(db: Database, topologyId: string, id: string, proposal: Proposal): Promise<boolean> {
  const { run, startedAt, nodeId, tenant, watermark, epoch } = proposal
  await db.execute(sql`
    insert into watermarks (id, topology_id, node_id, tenant) values (${id}, ${topologyId}, ${nodeId}, ${tenant})
    on conflict (id) do nothing`)
  const [now] = await db.execute<Committed>(sql`
    select watermark, epoch, coalesce((run_started_at, run_id) > (${startedAt}::timestamptz, ${run}), false) as "isOlder"
    from watermarks where id = ${id} for update`)
  if (now === undefined || now.epoch !== epoch || now.isOlder) return false
  const order = now.watermark === null ? 1 : (compareWatermarks(watermark, now.watermark) ?? 1)
  if (order < 0) return false
  const by = sql`run_id = ${run}, run_started_at = ${startedAt}::timestamptz, by = null, updated_at = now()`
  if (order === 0) {
    await db.execute(sql`update watermarks set ${by} where id = ${id}`)
    return false
  }
  await db.execute(sql`
    with changed as (
      update watermarks set watermark = ${watermark}, version = version + 1, ${by} where id = ${id} returning version
    ), noted as (
      insert into watermark_history (watermark_id, version, deed, watermark, run_id)
      select ${id}, version, 'committed', ${watermark}, ${run} from changed
    )
    delete from watermark_history h using changed
    where h.watermark_id = ${id} and h.version <= changed.version - ${changesKept}`)
  return true
}
