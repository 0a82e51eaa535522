import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { forgetTrash } from '../../../runtime/api/actions/trash/retention.ts'
import { silentLog } from '../../../runtime/telemetry/log.ts'
import { eventually } from '../../support/eventually.ts'
import type { TestApi } from '../open.ts'
import { openApi, published } from '../open.ts'
import { orders } from '../running.ts'

/** So many rows of a run, settled (or, open, failed) so many days ago, one of them edited. */
async function insert(t: TestApi, topologyId: string, prefix: string, state: string, daysAgo: number, count = 1) {
  const at = sql`now() - ${daysAgo} * interval '1 day'`
  await t.store.query(async (db) => {
    await db.execute(sql`
      insert into runs (id, topology_id, topology_name, node_id, node_name, start_seen, state, started_at, finished_at, failed, discarded)
      values (${prefix}, ${topologyId}, 'orders', 'n', 'start', true, ${state === 'open' ? 'failed' : 'finished'}, ${at}, ${at},
        ${state === 'open' ? count : 0}, ${state === 'open' ? 0 : count})`)
    await db.execute(sql`
      insert into trash (id, topology_id, topology_name, node_id, node_name, revision, run_id, message_id, attempts, error,
        fingerprint, message, headers, content_type, body, state, created_at, settled_at)
      select ${prefix} || n, ${topologyId}, 'orders', 'n', 'a', 1, ${prefix}, 'm', '[]', '{"title":"no"}', 'f',
        '{"replay":0}', '{}', 'text/plain', '', ${state}, ${at}, case when ${state} = 'open' then null else ${at} end
      from generate_series(1, ${count}::int) n`)
    await db.execute(sql`
      insert into trash_versions (trash_id, version, headers, content_type, body, by) values (${`${prefix}1`}, 1, '{}', 'text/plain', '', 'ann')`)
  })
}

const forget = (t: TestApi, trashKeepDays: number) =>
  forgetTrash({ store: t.store, queues: t.queues.control, log: silentLog }, { trashKeepDays })
const left = async (t: TestApi) => (await t.get('/api/trash?limit=500')).body.items.map(({ id }) => id).sort()
const groups = async (t: TestApi) =>
  (await t.get('/api/trash/groups')).body.items.map((each) => (each as unknown as { count: number }).count)

test('settled Trash goes with its edits when it is old enough, open Trash never, and groups stay exact', async () => {
  const t = await openApi()
  const { id } = await published(t, 'orders')
  await insert(t, id, 'old', 'replayed', 31, 1_201)
  await insert(t, id, 'new', 'discarded', 29)
  await insert(t, id, 'open', 'open', 400)
  await insert(t, 'deleted', 'gone', 'discarded', 31)
  await forget(t, 0)
  expect(await groups(t)).toEqual([1_203, 1])
  await Promise.all([forget(t, 30), forget(t, 30)])
  expect(await left(t)).toEqual(['new1', 'open1'])
  expect(await groups(t)).toEqual([2])
  const versions = await t.store.query((db) =>
    db.execute<{ id: string }>(sql`select trash_id as id from trash_versions order by 1`),
  )
  expect(versions.map(({ id }) => id)).toEqual(['new1', 'open1'])
})

test('a topology keeps its Trash as long as it is told to', async () => {
  const t = await openApi()
  const { id } = await published(t, 'orders')
  await insert(t, id, 'mine', 'replayed', 10)
  const set = (json: unknown) => t.send('PATCH', '/api/topologies/orders', { json })
  for (const json of [
    { trashKeepDays: -1 },
    { trashKeepDays: 1.5 },
    { trashOpenDays: 0 },
    { trashOpenDays: '7' },
    { trashOpenDays: 36_501 },
  ])
    expect((await set(json)).status).toBe(400)
  expect((await set({ trashKeepDays: 0 })).body).toMatchObject({ trashKeepDays: 0, trashOpenDays: null })
  await forget(t, 5)
  expect(await left(t)).toEqual(['mine1'])
  await set({ trashKeepDays: null })
  await forget(t, 11)
  expect(await left(t)).toEqual(['mine1'])
  await set({ trashKeepDays: 9 })
  await forget(t, 30)
  expect(await left(t)).toEqual([])
})

test('where open Trash has an end it is discarded first, and counted, before it goes as any other', async () => {
  const { t } = await orders(() => ({ status: 200 }))
  const { id } = (await t.get('/api/topologies/orders')).body
  await insert(t, id, 'old', 'open', 8, 3)
  await insert(t, id, 'new', 'open', 6)
  await forget(t, 30)
  expect((await t.get('/api/trash?state=open')).body.items).toHaveLength(4)
  await t.send('PATCH', '/api/topologies/orders', { json: { trashOpenDays: 7 } })
  await Promise.all([forget(t, 30), forget(t, 30)])
  const run = await eventually('they are recorded', async () => {
    const { body } = await t.get('/api/runs/old')
    return body.state === 'finished' && body
  })
  expect(run.messages).toMatchObject({ total: 3, failed: 0, discarded: 3 })
  expect((await t.get('/api/trash/old1')).body).toMatchObject({
    state: 'discarded',
    reason: expect.stringMatching(/7 days/) as string,
  })
  expect((await t.get('/api/trash?state=open')).body.items).toMatchObject([{ id: 'new1' }])
})
