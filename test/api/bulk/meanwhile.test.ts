import { expect, test } from 'vitest'
import { claimNext } from '../../../runtime/api/actions/bulk/carry/claim.ts'
import { sendClaimed } from '../../../runtime/api/actions/bulk/carry/send.ts'
import { getBulk, takeBulks } from '../../../runtime/store/bulk/bulks.ts'
import { getTrash } from '../../../runtime/store/queries/trash.ts'
import type { Store } from '../../../runtime/store/store.ts'
import { eventually } from '../../support/eventually.ts'
import { nodeOf } from '../open.ts'
import { ended } from '../running.ts'
import { bulk, control, failed, outcomes, until } from './flow.ts'
import type { Shown, World } from './flow.ts'

/** What somebody else does to messages, to their run and to their topology while a bulk goes on. */

const ask = { action: 'replay', filter: { topology: 'orders' }, canary: false }
const twoFirst = { ...ask, canary: { first: 2, five: 1 } }

async function paused({ t }: World, isPaused: boolean): Promise<void> {
  const { id } = await nodeOf(t, 'orders', 'b')
  expect((await t.send('PATCH', `/api/nodes/${id}`, { json: { paused: isPaused } })).status).toBe(200)
}

const erase = async ({ t }: World): Promise<void> => {
  expect((await t.post('/api/trash/erase', { tenant: 'ann' })).body).toMatchObject({ isDone: true })
}

/** The bulk when it has ended: each message is counted as what it is listed, and once. */
async function end(world: World, id: string): Promise<{ shown: Shown; of: (outcome: string) => string[] }> {
  const shown = await until(world, id, ({ finishedAt }) => finishedAt !== null)
  const listed = await outcomes(world, id)
  const of = (outcome: string) => listed.flatMap((one) => (one['outcome'] === outcome ? [String(one['why'])] : []))
  const { total, ...counts } = shown.messages
  for (const [outcome, count] of Object.entries(counts)) expect([outcome, of(outcome).length]).toEqual([outcome, count])
  expect(listed).toHaveLength(total ?? 0)
  return { shown, of }
}

/** A bulk of which all messages are claimed by a control that went away before it sent one. */
async function claimed(world: World, asked: object): Promise<{ id: string; trashIds: string[] }> {
  const { id } = await bulk(world, asked)
  const { store, queues } = world.t
  expect(await takeBulks(store, 'gone', 1)).toEqual([id])
  await claimNext({ store, queues: queues.control }, id, 'gone', 100)
  await store.query((db) => db.execute('update trash_bulks set lease_until = null'))
  return { id, trashIds: (await outcomes(world, id)).map(({ trashId }) => String(trashId)) }
}

/** What the control sent before it went away. */
async function sentBefore({ t }: World, bulkId: string, trashId: string): Promise<void> {
  const { topologyId, nodeId, runId: run, message, headers, contentType, body } = await getTrash(t.store, trashId)
  const sent = { topologyId, nodeId, trashId, run, bulk: bulkId, edited: false, body }
  const guarded = await t.queues.control.replay({ ...sent, message: { ...message, headers, contentType } })
  expect(guarded).toBe('accepted')
}

test('messages that are erased before it is their turn are refused, and the others went well', async () => {
  const world = await failed(4)
  world.takes(() => true)
  const { id } = await bulk(world, { ...twoFirst, canary: { first: 1, five: 1 }, ratePerSecond: 4 })
  control(world)
  await until(world, id, ({ messages }) => (messages.done ?? 0) > 0)
  await world.t.post(`/api/trash/bulk/${id}/pause`)
  const { messages } = await until(world, id, ({ messages }) => messages.underWay === 0)
  await erase(world)
  await world.t.post(`/api/trash/bulk/${id}/resume`)
  const { shown, of } = await end(world, id)
  expect(shown).toMatchObject({
    state: 'finished',
    messages: { done: messages.done, refused: 4 - (messages.done ?? 0) },
  })
  expect(new Set(of('refused'))).toEqual(new Set(['it is not in Trash any more']))
})

test('a message that failed again and was erased before the bulk saw it has failed again', async () => {
  const world = await failed(3)
  await paused(world, true)
  const { id } = await bulk(world, ask)
  const first = control(world)
  await until(world, id, ({ messages }) => messages.underWay === 3)
  await first.close()
  await paused(world, false)
  await eventually('all are in Trash again', async () => {
    const { items } = (await world.t.get('/api/trash?state=open')).body
    return items.length === 3 && world.called().length === 3
  })
  await erase(world)
  control(world)
  expect((await end(world, id)).shown).toMatchObject({ state: 'finished', messages: { failedAgain: 3 } })
})

test('a message that was sent by a control that died, and erased since, is followed to its end; one that was not is refused', async () => {
  const world = await failed(2)
  world.takes(() => true)
  const { id, trashIds } = await claimed(world, ask)
  await sentBefore(world, id, trashIds[1] ?? '')
  await erase(world)
  control(world)
  const { shown, of } = await end(world, id)
  expect(shown).toMatchObject({ state: 'finished', messages: { done: 1, refused: 1 } })
  expect(of('refused')).toEqual(['it is not in Trash any more'])
  expect(world.called()).toHaveLength(1)
})

test('a message that was sent as it was by a control that died, and edited since, is followed to its end', async () => {
  const world = await failed(1)
  await paused(world, true)
  const { id, trashIds } = await claimed(world, ask)
  const [trashId = ''] = trashIds
  const json = { body: { n: 7 } }
  await world.t.store.transaction(async (inside) => {
    // The recorder has to wait: for it, and so for who edits, the row is open until then.
    await inside.query((db) => db.execute('select 1 from recorder_positions for update'))
    await sentBefore(world, id, trashId)
    expect((await world.t.send('PUT', `/api/trash/${trashId}`, { json })).status).toBe(200)
  })
  control(world)
  await until(world, id, ({ messages }) => messages.underWay === 1)
  await paused(world, false)
  expect((await end(world, id)).shown).toMatchObject({ state: 'finished', messages: { failedAgain: 1 } })
  expect(world.called()).toEqual(['{"n":0}'])
})

test('a topology that is deleted cancels what is under way, and what was not sent is refused', async () => {
  const world = await failed(6)
  await paused(world, true)
  const { id } = await bulk(world, twoFirst)
  control(world)
  await until(world, id, ({ messages }) => messages.underWay === 2)
  expect((await world.t.send('DELETE', '/api/topologies/orders?force=true')).status).toBe(202)
  const { shown, of } = await end(world, id)
  expect(shown).toMatchObject({ state: 'finished', messages: { cancelled: 2, refused: 4 } })
  for (const why of of('refused')) expect(why).toMatch(/^the topology "orders" is (a draft: publish it first|deleted)/)
  for (const why of of('cancelled')) expect(why).toMatch(/^it settled as cancelled|^its topology was deleted before/)
  await eventually(
    'what was sent is recorded',
    async () => (await world.t.get('/api/trash?state=open')).body.items.length === 4,
  )
})

test('what somebody else replayed after it was claimed, in a topology that is deleted since, does not hold a bulk up', async () => {
  const world = await failed(2)
  world.takes(() => true)
  const { id, trashIds } = await claimed(world, ask)
  await world.t.send('POST', `/api/trash/${trashIds[0] ?? ''}/replay`, { json: {} })
  await eventually(
    'it is replayed',
    async () => (await world.t.get('/api/trash?state=replayed')).body.items.length === 1,
  )
  await world.t.send('DELETE', '/api/topologies/orders?force=true')
  await eventually('it is deleted', async () => (await world.t.get('/api/topologies/orders')).status === 404)
  control(world)
  const { shown } = await end(world, id)
  expect(shown).toMatchObject({ state: 'finished', messages: { cancelled: 1, refused: 1 } })
  expect(world.called()).toHaveLength(1)
})

test('what somebody else replayed after it was claimed for a discard is not told as discarded', async () => {
  const world = await failed(1)
  world.takes(() => true)
  const { id, trashIds } = await claimed(world, { action: 'discard', filter: { topology: 'orders' } })
  await world.t.send('POST', `/api/trash/${trashIds[0] ?? ''}/replay`, { json: {} })
  await ended(world.t, world.run)
  control(world)
  expect((await end(world, id)).of('refused')).toEqual(['it was replayed already'])
})

test('a run that is cancelled takes along what is under way; each other message is refused, or sent when that is over', async () => {
  const world = await failed(6)
  world.takes(() => true)
  await paused(world, true)
  const { id } = await bulk(world, twoFirst)
  control(world)
  await until(world, id, ({ messages }) => messages.underWay === 2)
  await eventually('the run goes on', async () => {
    const { messages } = (await world.t.get(`/api/runs/${world.run}`)).body as unknown as Shown
    return messages['inProgress'] === 2
  })
  expect((await world.t.post(`/api/runs/${world.run}/cancel`)).status).toBe(202)
  await until(world, id, ({ messages }) => messages.cancelled === 2)
  await paused(world, false)
  const { shown, of } = await end(world, id)
  expect(shown).toMatchObject({ state: 'finished', messages: { cancelled: 2, failedAgain: 0 } })
  for (const why of of('refused')) expect(why).toMatch(/^the run is being cancelled/)
  expect(world.called()).toHaveLength(shown.messages['done'] ?? 0)
  const { done = 0, refused = 0 } = shown.messages
  // The bulk reads the queue; the run's counters follow with the recorder.
  const run = await eventually('the run has counted as many', async () => {
    const { messages } = (await world.t.get(`/api/runs/${world.run}`)).body as unknown as Shown
    return messages['inProgress'] === 0 && messages['done'] === done && messages
  })
  expect(run).toMatchObject({ total: 6, cancelled: 2, done, failed: refused })
})

test('what is refused since its topology is a draft has no version of the patch', async () => {
  const world = await failed(2)
  await world.t.post('/api/topologies/orders/unpublish')
  const patch = { type: 'json-patch', operations: [{ op: 'add', path: '/n', value: 5 }] }
  const { id } = await bulk(world, { ...ask, patch })
  control(world)
  const { of } = await end(world, id)
  expect(of('refused')).toEqual(Array.from({ length: 2 }, () => 'the topology "orders" is a draft: publish it first'))
  const { items } = (await world.t.get('/api/trash?state=open')).body
  expect(items).toHaveLength(2)
  for (const item of items) expect((await world.t.get(`/api/trash/${item.id}`)).body).toMatchObject({ versions: [] })
})

test('a bulk that is paused when all of it is sent has finished when all of it has ended', async () => {
  const world = await failed(3)
  world.takes(() => true)
  await paused(world, true)
  const { id } = await bulk(world, ask)
  control(world)
  await until(world, id, ({ messages }) => messages.underWay === 3)
  await world.t.post(`/api/trash/bulk/${id}/pause`)
  await paused(world, false)
  expect((await end(world, id)).shown).toMatchObject({ state: 'finished', messages: { done: 3 } })
})

test('what is under way when its topology is unpublished waits there, as is said, and goes on when that is published again', async () => {
  const world = await failed(2)
  world.takes(() => true)
  await paused(world, true)
  const { id } = await bulk(world, ask)
  control(world)
  await until(world, id, ({ messages }) => messages.underWay === 2)
  expect((await world.t.post('/api/topologies/orders/unpublish')).status).toBe(200)
  const { waitsFor } = await until(world, id, ({ waitsFor }) => waitsFor !== null)
  expect(waitsFor).toMatch(/^2 before the node "b": the topology is a draft/)
  await world.t.post('/api/topologies/orders/publish')
  await paused(world, false)
  expect((await end(world, id)).shown).toMatchObject({ state: 'finished', messages: { done: 2 } })
})

test('a message of a deleted topology that somebody holds in between is discarded when that is over', async () => {
  const world = await failed(1)
  const { store } = world.t
  await world.t.send('DELETE', '/api/topologies/orders?force=true')
  await eventually('it is deleted', async () => (await world.t.get('/api/topologies/orders')).status === 404)
  const lock = (inside: Store, table: 'trash' | 'recorder_positions') =>
    inside.query((db) => db.execute(`select 1 from ${table} for update`))
  const { id } = await bulk(world, { action: 'discard', filter: { run: world.run } })
  await store.transaction(async (row) => {
    await store.transaction(async (position) => {
      await lock(position, 'recorder_positions')
      control(world)
      await eventually('the bulk waits for its turn to write', async () => {
        const waiting = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
          and query like '%recorder_positions%'`
        return (await store.query((db) => db.execute(waiting))).length > 0
      })
      await lock(row, 'trash')
    })
    // The bulk was before this in the line.
    await store.transaction((inside) => lock(inside, 'recorder_positions'))
  })
  expect((await end(world, id)).shown).toMatchObject({ state: 'finished', messages: { discarded: 1 } })
})

test('what a slow control claims and sends after another one took over is sent and followed by that one', async () => {
  const world = await failed(4)
  world.takes(() => true)
  const { store, queues } = world.t
  const deps = { store, queues: queues.control }
  const { id } = await bulk(world, { ...ask, ratePerSecond: 0.01 })
  control(world)
  await until(world, id, ({ messages }) => messages.done === 1)
  const { leaseBy } = await getBulk(store, id)
  await claimNext(deps, id, leaseBy ?? '', 1)
  await sendClaimed(deps, await getBulk(store, id))
  await until(world, id, ({ messages }) => messages.done === 2)
  await claimNext(deps, id, leaseBy ?? '', 1)
  await until(world, id, ({ messages }) => messages.done === 3)
  await world.t.post(`/api/trash/bulk/${id}/cancel`)
  expect((await end(world, id)).shown).toMatchObject({ messages: { done: 3, cancelled: 1 } })
})

test('many bulks that wait before a paused node keep no other one from being carried out', async () => {
  const world = await failed(26)
  await paused(world, true)
  const [last, ...ids] = (await world.t.get('/api/trash?state=open&limit=500')).body.items.map(({ id }) => id)
  for (const id of ids) await bulk(world, { ...ask, filter: { ids: [id] } })
  control(world)
  const { id } = await bulk(world, { action: 'discard', filter: { ids: [last] } })
  expect((await end(world, id)).shown).toMatchObject({ state: 'finished', messages: { discarded: 1 } })
})
