import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { lockPosition } from '../../runtime/store/outcomes.ts'
import { getNode, updateNode } from '../../runtime/store/queries/nodes.ts'
import { topologyLock, whileHeld } from './held.ts'
import { withRuns } from '../access/world.ts'
import { chain, nodeOf, openApi } from './open.ts'

test('a change of a node to what it was before somebody else changed it is not lost', async () => {
  const t = await openApi()
  const { id } = (await t.post('/api/topologies', chain('orders', { a: { prefetch: 5 } }))).body
  const node = await nodeOf(t, 'orders', 'a')
  const answer = await whileHeld(
    t.store,
    topologyLock(id),
    () => t.send('PATCH', `/api/nodes/${node.id}`, { json: { prefetch: 5 } }),
    { meanwhile: (inside) => updateNode(inside, node.id, { prefetch: 9 }, null) },
  )
  expect(answer).toMatchObject({ status: 200, body: { prefetch: 5 } })
  expect(await nodeOf(t, 'orders', 'a')).toMatchObject({ prefetch: 5 })
})

test('two changes of different fields of one retry policy at the same time are both kept', async () => {
  const t = await openApi()
  const { id } = (await t.post('/api/topologies', chain('orders'))).body
  const node = await nodeOf(t, 'orders', 'a')
  await whileHeld(
    t.store,
    topologyLock(id),
    () => t.send('PATCH', `/api/nodes/${node.id}`, { json: { retry: { attempts: 3 } } }),
    { meanwhile: (inside) => updateNode(inside, node.id, { retry: { maxMs: 50_000 } }, null) },
  )
  expect((await getNode(t.store, node.id)).retry).toEqual({ maxMs: 50_000, attempts: 3 })
})

test('a change of a node with an ETag that grew old while it waited is a 412, also to the value of then', async () => {
  const t = await openApi()
  const { id } = (await t.post('/api/topologies', chain('orders', { a: { prefetch: 5 } }))).body
  const node = await nodeOf(t, 'orders', 'a')
  const path = `/api/nodes/${node.id}`
  const headers = { 'if-match': (await t.get(path)).headers.get('etag') ?? '' }
  const answer = await whileHeld(
    t.store,
    topologyLock(id),
    () => t.send('PATCH', path, { json: { prefetch: 5 }, headers }),
    { meanwhile: (inside) => updateNode(inside, node.id, { prefetch: 9 }, null) },
  )
  expect(answer.status).toBe(412)
  expect(await nodeOf(t, 'orders', 'a')).toMatchObject({ prefetch: 9 })
})

test('a discard where the topology is deleted waits for the recorder, and never in a circle with it', async () => {
  const t = await openApi()
  const { id } = await withRuns(t, 'orders')
  await t.store.query((db) => db.execute(sql`delete from topologies where id = ${id}`))
  const answer = await whileHeld(
    t.store,
    (inside) => lockPosition(inside, id),
    () => t.post('/api/trash/orders-x1/discard'),
    {
      meanwhile: (inside) =>
        inside.query((db) => db.execute(sql`update trash set state = 'replayed' where id = 'orders-x1'`)),
    },
  )
  expect(answer).toMatchObject({ status: 409, body: { detail: 'the message is replayed already' } })
})
