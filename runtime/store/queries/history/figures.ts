import { sql } from 'drizzle-orm'
import { figureSteps, nodeFigures } from '../../schema/index.ts'
import type { Store } from '../../store.ts'

/** What a node did at a look. */
export interface Figures {
  readonly nodeId: string
  readonly waiting: number
  readonly inFlight: number
  readonly perSecond: number
}

const { close, wide } = figureSteps
const keptSeconds = { [close]: 20 * 60, [wide]: 25 * 3_600 }
/** Stands for the look itself. */
const theLook = ''

/** True for one of all controls: the others leave the look of this instant to it. */
export async function claimLook(store: Store, at: Date): Promise<boolean> {
  const row = { nodeId: theLook, stepSeconds: close, at, waiting: 0, inFlight: 0, perSecond: 0 }
  const claimed = await store.query((db) =>
    db.insert(nodeFigures).values(row).onConflictDoNothing().returning({ at: nodeFigures.at }),
  )
  return claimed.length > 0
}

/** When nobody looked after all: no node had zeros then. */
export async function unclaimLook(store: Store, at: Date): Promise<void> {
  await store.query((db) =>
    db.execute(
      sql`delete from node_figures where node_id = ${theLook} and step_seconds = ${close} and at = ${at.toISOString()}`,
    ),
  )
}

const rowsAtOnce = 1_000

export async function insertFigures(store: Store, at: Date, figures: readonly Figures[]): Promise<void> {
  for (let from = 0; from < figures.length; from += rowsAtOnce) {
    const rows = figures.slice(from, from + rowsAtOnce).map((one) => ({ ...one, stepSeconds: close, at }))
    await store.query((db) => db.insert(nodeFigures).values(rows).onConflictDoNothing())
  }
}

/** Makes one look of those of the minute that ended with this instant, and forgets what is old. Idempotent. */
export async function foldMinute(store: Store, end: Date): Promise<void> {
  const from = new Date(end.getTime() - wide * 1_000)
  const [first, last] = [from.toISOString(), end.toISOString()]
  await store.query((db) =>
    db.execute(sql`
      with looks as (
        select * from node_figures where step_seconds = ${close} and at >= ${first} and at < ${last}
      ), total as (select count(*) filter (where node_id = ${theLook}) as count from looks)
      insert into node_figures (node_id, step_seconds, at, waiting, in_flight, per_second)
      select node_id, ${wide}::int, ${first}, max(waiting), max(in_flight), sum(per_second) / max(total.count)
      from looks, total where total.count > 0 group by node_id
      on conflict do nothing`),
  )
  for (const [step, seconds] of Object.entries(keptSeconds)) {
    const before = new Date(end.getTime() - seconds * 1_000).toISOString()
    await store.query((db) =>
      db.execute(sql`delete from node_figures where step_seconds = ${Number(step)} and at < ${before}`),
    )
  }
}

export interface Point {
  readonly at: Date
  readonly waiting: number
  readonly inFlight: number
  readonly perSecond: number
  /** Messages that came into Trash from then until the next look. */
  readonly failed: number
}

/** Looks of a node since a time, the oldest first; there is none where nobody looked. */
export async function figuresOf(store: Store, nodeId: string, stepSeconds: number, since: Date): Promise<Point[]> {
  const from = since.toISOString()
  const rows = await store.query((db) =>
    db.execute<Omit<Point, 'at'> & { readonly ms: number }>(sql`
      with fell as (
        select floor(extract(epoch from created_at) / ${stepSeconds}::int) as step, count(*)::int as count
        from trash where node_id = ${nodeId} and created_at >= ${from} group by 1
      )
      select (extract(epoch from l.at) * 1000)::float8 as ms, coalesce(n.waiting, 0) as waiting,
        coalesce(n.in_flight, 0) as "inFlight", coalesce(n.per_second, 0)::float8 as "perSecond",
        coalesce(fell.count, 0) as failed
      from node_figures l
      left join node_figures n on n.node_id = ${nodeId} and n.step_seconds = l.step_seconds and n.at = l.at
      left join fell on fell.step = floor(extract(epoch from l.at) / ${stepSeconds}::int)
      where l.node_id = ${theLook} and l.step_seconds = ${stepSeconds}::int and l.at >= ${from}
      order by l.at`),
  )
  return rows.map(({ ms, ...point }) => ({ ...point, at: new Date(ms) }))
}
