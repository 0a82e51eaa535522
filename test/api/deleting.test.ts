import { expect, test } from 'vitest'
import { watermarkIdOf } from '../../runtime/protocol/reading.ts'
import { listWatermarks, lockWatermark, setWatermark, watermarkChanges } from '../../runtime/store/delta/watermarks.ts'
import { othersWait, topologyLock, whileHeld } from './held.ts'
import { nodeOf, openApi, published } from './open.ts'
import type { TestApi } from './open.ts'

const remove = (t: TestApi, query = '', headers = {}) => t.send('DELETE', `/api/topologies/orders${query}`, { headers })

/** Published and unpublished again. */
async function draft(t: TestApi): Promise<string> {
  const { id } = await published(t, 'orders')
  await t.post('/api/topologies/orders/unpublish')
  return id
}

/** A start that had looked before whether the topology is published arrives when nothing was found on its way. */
async function startLate(t: TestApi, topologyId: string): Promise<void> {
  const { id: nodeId } = await nodeOf(t, 'orders', 'start')
  const { control } = t.queues
  const { destroyUnmoved } = control
  control.destroyUnmoved = async (id, last) => {
    control.destroyUnmoved = destroyUnmoved
    const more = { tenant: null, contentType: 'application/json', headers: {}, trace: null, body: Buffer.from('1') }
    await control.start({ topologyId, nodeId, key: 'late', run: 'late', ...more })
    return destroyUnmoved(id, last)
  }
}

test('more deletions at once than there are connections are all answered', async () => {
  const t = await openApi()
  const id = await draft(t)
  const answers = await whileHeld(
    t.store,
    topologyLock(id),
    () => Promise.all(Array.from({ length: 12 }, () => remove(t))),
    { count: 3 },
  )
  const statuses = answers.map(({ status }) => status).toSorted((one, other) => one - other)
  expect(statuses).toEqual([204, ...Array.from({ length: 11 }, () => 404)])
})

test('a start that is accepted while its topology is deleted is kept: the deletion is a 409, and all goes on', async () => {
  const t = await openApi()
  const id = await draft(t)
  await startLate(t, id)
  expect(await remove(t)).toMatchObject({ status: 409, body: { detail: expect.stringMatching(/1 message/) as string } })
  expect((await t.queues.control.backlog(id)).messages).toBe(1)
  await t.post('/api/topologies/orders/publish')
  expect((await t.post('/api/topologies/orders/run')).status).toBe(202)
  expect((await t.queues.control.backlog(id)).messages).toBe(2)
})

test('with a topology go its watermarks and what they were', async () => {
  const t = await openApi()
  const id = await draft(t)
  const place = { topologyId: id, nodeId: 'list', tenant: null }
  await t.store.transaction(async (inside) => {
    const setting = { watermark: '7', by: 'ann', reason: null }
    for (const one of [place, { ...place, topologyId: 'another' }])
      await setWatermark(inside, await lockWatermark(inside, one), setting, null)
  })
  expect((await remove(t)).status).toBe(204)
  const left = await listWatermarks(t.store, {}, 50, null)
  expect(left.map(({ topologyId }) => topologyId)).toEqual(['another'])
  expect(await watermarkChanges(t.store, watermarkIdOf(id, 'list', null), 50, null)).toEqual([])
})

test('with force it settles as cancelled first, also on the condition of an ETag', async () => {
  const t = await openApi()
  const id = await draft(t)
  await startLate(t, id)
  const tag = (await t.get('/api/topologies/orders')).headers.get('etag') ?? ''
  expect((await remove(t, '?force=true', { 'if-match': tag })).status).toBe(202)
  expect(await t.queues.control.discards()).toEqual(new Map([[id, 'delete']]))
  expect((await t.queues.control.backlog(id)).messages).toBe(1)
})

test('a forced deletion with an ETag that grew old while it looked for messages is a 412', async () => {
  const t = await openApi()
  const id = await draft(t)
  const tag = (await t.get('/api/topologies/orders')).headers.get('etag') ?? ''
  await startLate(t, id)
  const { control } = t.queues
  const { destroyUnmoved } = control
  const others: Promise<unknown>[] = []
  control.destroyUnmoved = async (...wanted) => {
    const isGone = await destroyUnmoved(...wanted)
    others.push(t.send('PATCH', '/api/topologies/orders', { json: { labels: { team: 'shop' } } }))
    await othersWait(t.store)
    return isGone
  }
  const answer = await remove(t, '?force=true', { 'if-match': tag })
  expect(answer.status).toBe(412)
  await Promise.all(others)
  expect(await control.discards()).toEqual(new Map())
  expect((await control.backlog(id)).messages).toBe(1)
})

test('a stream that a deletion left closed when it died takes starts again after the next publish, or is deleted by the next one', async () => {
  const t = await openApi()
  const id = await draft(t)
  const { streams } = t.queues.connection.jsm
  const close = () => streams.update(`SLUICE_${id}`, { subjects: [`sluice_closed.${id}`] })
  await close()
  await t.post('/api/topologies/orders/publish')
  expect((await t.post('/api/topologies/orders/run')).status).toBe(202)
  await streams.purge(`SLUICE_${id}`)
  await t.post('/api/topologies/orders/unpublish')
  await close()
  expect((await remove(t)).status).toBe(204)
})
