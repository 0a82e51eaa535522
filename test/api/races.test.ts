import { expect, test } from 'vitest'
import { getNode, updateNode } from '../../runtime/store/queries/nodes.ts'
import { whileHeld } from './held.ts'
import { chain, nodeOf, openApi } from './open.ts'

test('a change of a node to what it was before somebody else changed it is not lost', async () => {
  const t = await openApi()
  const { id } = (await t.post('/api/topologies', chain('orders', { a: { prefetch: 5 } }))).body
  const node = await nodeOf(t, 'orders', 'a')
  const answer = await whileHeld(
    t,
    id,
    () => t.send('PATCH', `/api/nodes/${node.id}`, { json: { prefetch: 5 } }),
    (inside) => updateNode(inside, node.id, { prefetch: 9 }, null),
  )
  expect(answer).toMatchObject({ status: 200, body: { prefetch: 5 } })
  expect(await nodeOf(t, 'orders', 'a')).toMatchObject({ prefetch: 5 })
})

test('two changes of different fields of one retry policy at the same time are both kept', async () => {
  const t = await openApi()
  const { id } = (await t.post('/api/topologies', chain('orders'))).body
  const node = await nodeOf(t, 'orders', 'a')
  await whileHeld(
    t,
    id,
    () => t.send('PATCH', `/api/nodes/${node.id}`, { json: { retry: { attempts: 3 } } }),
    (inside) => updateNode(inside, node.id, { retry: { maxMs: 50_000 } }, null),
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
    t,
    id,
    () => t.send('PATCH', path, { json: { prefetch: 5 }, headers }),
    (inside) => updateNode(inside, node.id, { prefetch: 9 }, null),
  )
  expect(answer.status).toBe(412)
  expect(await nodeOf(t, 'orders', 'a')).toMatchObject({ prefetch: 9 })
})
