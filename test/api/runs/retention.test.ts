import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { forgetOnce } from '../../../runtime/api/access/retention.ts'
import { openAccess } from '../../../runtime/api/api.ts'
import type { Store } from '../../../runtime/store/store.ts'
import { silentLog } from '../../../runtime/telemetry/log.ts'
import { migratedStore } from '../../store/open.ts'
import { openApi, published } from '../open.ts'

const limits = { trustedProxies: [], failuresPerMinute: 1, sessionIdleMs: 1_000, sessionMaxMs: 1_000 }

const forget = (store: Store, runsKeepDays: number) =>
  forgetOnce(
    { store, access: openAccess(limits, { tell: () => undefined, onTold: () => undefined }), log: silentLog },
    { auditDays: 0, runsKeepDays },
  )

/** Runs that began so many days ago and ended a day later, each with a milestone and a cursor. */
async function insertRuns(
  store: Store,
  prefix: string,
  count: number,
  daysAgo: number,
  more: { topology?: string; state?: string } = {},
) {
  const { topology = 't', state = 'finished' } = more
  await store.query(async (db) => {
    await db.execute(sql`
      insert into runs (id, topology_id, topology_name, node_id, node_name, start_seen, state, started_at, finished_at)
      select ${prefix} || n, ${topology}, 'orders', 'n', 'start', true, ${state}, now() - ${daysAgo} * interval '1 day',
        case when ${state} = 'running' then null else now() - ${daysAgo - 1} * interval '1 day' end
      from generate_series(1, ${count}::int) n`)
    await db.execute(sql`insert into run_milestones select id, '{}' from runs where id like ${`${prefix}%`}`)
    await db.execute(sql`
      insert into cursors (id, topology_id, node_id, run_id, page, updated_at)
      select id, topology_id, node_id, id, 0, now() from runs where id like ${`${prefix}%`}`)
    await db.execute(sql`
      insert into cursor_history (cursor_id, page, edit, deed, at)
      select id, page, 0, 'read', now() from runs, generate_series(0, 1) page where id like ${`${prefix}%`}`)
  })
}

async function insertTrash(store: Store, run: string, state: string): Promise<void> {
  await store.query((db) =>
    db.execute(sql`
      insert into trash (id, topology_id, topology_name, node_id, node_name, revision, run_id, message_id, attempts, error,
        fingerprint, message, headers, content_type, body, state, created_at)
      values (${`x-${run}`}, 't', 'orders', 'n', 'a', 1, ${run}, 'm', '[]', '{"title":"no"}', 'f', '{}', '{}', 'text/plain', '', ${state}, now())`),
  )
}

async function left(store: Store, table = 'runs', column = 'id'): Promise<string[]> {
  const rows = await store.query((db) =>
    db.execute<{ id: string }>(sql`select ${sql.raw(column)} as id from ${sql.raw(table)} order by 1`),
  )
  return rows.map(({ id }) => id)
}

test('runs go when they have ended long ago, with all that is kept for them, and never while they run or have open Trash', async () => {
  const store = await migratedStore()
  await insertRuns(store, 'old', 1_200, 100)
  await insertRuns(store, 'new', 1, 80)
  await insertRuns(store, 'running', 1, 100, { state: 'running' })
  await insertRuns(store, 'failed', 2, 100, { state: 'failed' })
  await insertTrash(store, 'failed1', 'open')
  await insertTrash(store, 'failed2', 'discarded')
  await insertRuns(store, 'again', 1, 100)
  await store.query((db) =>
    db.execute(sql`
      insert into reruns (run_id, rerun_of, topology_id, node_id, revision, by) values ('new1', 'again1', 't', 'n', 1, 'ann')`),
  )
  await forget(store, 0)
  expect(await left(store)).toHaveLength(1_205)
  await forget(store, 90)
  const kept = ['again1', 'failed1', 'new1', 'running1']
  expect(await left(store)).toEqual(kept)
  expect(await left(store, 'run_milestones', 'run_id')).toEqual(kept)
  expect(await left(store, 'cursors', 'run_id')).toEqual(kept)
  expect(await left(store, 'cursor_history', 'cursor_id')).toEqual(kept.flatMap((id) => [id, id]))
  expect(await left(store, 'trash')).toEqual(['x-failed1'])
})

test('a run that ended within 72 hours is never forgotten, however short runs are to be kept', async () => {
  const store = await migratedStore()
  await insertRuns(store, 'ended71hoursago', 1, 71 / 24 + 1)
  await insertRuns(store, 'endedlongago', 1, 5)
  await forget(store, 1)
  expect(await left(store)).toEqual(['ended71hoursago1'])
})

test('a run whose row is being changed is not waited for, and several controls delete side by side', async () => {
  const store = await migratedStore()
  await insertRuns(store, 'old', 600, 100)
  await store.transaction(async (inside) => {
    await inside.query((db) => db.execute(sql`select from runs where id = 'old7' for update`))
    await Promise.all([forget(store, 90), forget(store, 90)])
    expect(await left(store)).toContain('old7')
  })
  await forget(store, 90)
  expect(await left(store)).toEqual([])
})

test('a topology keeps its runs as long as it is told to, and a deleted one as long as the engine is', async () => {
  const t = await openApi()
  const { id } = await published(t, 'orders')
  await insertRuns(t.store, 'mine', 1, 10, { topology: id })
  await insertRuns(t.store, 'gone', 1, 10, { topology: 'deleted' })
  for (const days of [-1, 1, 1.5, 2, 36_501, '7', {}])
    expect((await t.send('PATCH', '/api/topologies/orders', { json: { runsKeepDays: days } })).status).toBe(400)
  const set = async (runsKeepDays: number | null) => {
    const { body } = await t.send('PATCH', '/api/topologies/orders', { json: { runsKeepDays } })
    expect(body).toMatchObject({ runsKeepDays })
    await forget(t.store, 30)
    return left(t.store)
  }
  expect(await set(null)).toEqual(['gone1', 'mine1'])
  expect(await set(0)).toEqual(['gone1', 'mine1'])
  expect(await set(5)).toEqual(['gone1'])
  await forget(t.store, 5)
  expect(await left(t.store)).toEqual([])
})

test('runs are listed by several states and by time, and what is no state is named', async () => {
  const t = await openApi()
  await insertRuns(t.store, 'a', 1, 10)
  await insertRuns(t.store, 'b', 1, 5, { state: 'failed' })
  await insertRuns(t.store, 'c', 1, 3, { state: 'cancelled' })
  const ids = async (query: string) => (await t.get(`/api/runs?${query}`)).body.items.map(({ id }) => id)
  expect(await ids('state=failed,cancelled')).toEqual(['c1', 'b1'])
  const day = (n: number) => new Date(Date.now() - n * 86_400_000).toISOString()
  expect(await ids(`until=${day(4)}`)).toEqual(['b1', 'a1'])
  expect(await ids(`since=${day(7)}&until=${day(4)}`)).toEqual(['b1'])
  for (const bad of ['state=failed,odd', 'state=', 'until=yesterday'])
    expect((await t.get(`/api/runs?${bad}`)).status).toBe(400)
  expect((await t.get('/api/runs/a1')).body).toMatchObject({ durationMs: 86_400_000, rerunOf: null })
})
