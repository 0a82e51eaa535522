import { expect, test } from 'vitest'
import { watermarkIdOf } from '../../runtime/protocol/reading.ts'
import { listWatermarks, lockWatermark, setWatermark, watermarkChanges } from '../../runtime/store/delta/watermarks.ts'
import { finishDiscards } from '../../runtime/api/actions/discard/finish.ts'
import { startGated } from '../../runtime/api/actions/firing/gate.ts'
import { newestPlan } from '../../runtime/api/actions/plans.ts'
import { Unavailable } from '../../runtime/errors.ts'
import { newId } from '../../runtime/ids.ts'
import { insertRerun } from '../../runtime/store/queries/history/reruns.ts'
import { getTopology } from '../../runtime/store/queries/topologies.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import type { EventNode } from '../../runtime/topology/plan.ts'
import { overriding } from '../support/overriding.ts'
import { fire, publishedNode } from './firing.ts'
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

const finishing = (t: TestApi) => ({ store: t.store, queues: t.queues.control, events: t.queues.events })

/** Looks at what is being discarded, as every control does each second. */
async function look(t: TestApi, quiet: Map<string, number>): Promise<void> {
  const errors: unknown[] = []
  await finishDiscards(finishing(t), quiet, errors)
  expect(errors).toEqual([])
}

test('a start that comes after the last look of a forced deletion is kept, and the topology until that has settled', async () => {
  const t = await openApi()
  const id = await draft(t)
  const { id: nodeId } = await nodeOf(t, 'orders', 'start')
  const { control } = t.queues
  await control.discardAll(id, 'delete')
  const quiet = new Map<string, number>()
  await look(t, quiet)
  const { lastOutcome } = control
  control.lastOutcome = async (topologyId) => {
    const found = await lastOutcome(topologyId)
    control.lastOutcome = lastOutcome
    const more = { tenant: null, contentType: 'application/json', headers: {}, trace: null, body: Buffer.from('1') }
    expect(await control.start({ topologyId, nodeId, key: 'late', run: 'late', ...more })).toBe('accepted')
    return found
  }
  for (let looks = 0; looks < 3; looks++) await look(t, quiet)
  expect(await control.backlog(id)).toMatchObject({ messages: 1 })
  expect((await t.get('/api/topologies/orders')).status).toBe(200)
})

test('a forced deletion whose commit was lost with the stream gone already is finished by the next looks', async () => {
  const t = await openApi()
  const id = await draft(t)
  await t.queues.control.discardAll(id, 'delete')
  await t.queues.connection.jsm.streams.delete(`SLUICE_${id}`)
  const quiet = new Map<string, number>()
  for (let looks = 0; looks < 2; looks++) await look(t, quiet)
  expect((await t.get('/api/topologies/orders')).status).toBe(404)
  expect(await t.queues.control.discards()).toEqual(new Map())
})

test('a rerun that is not in the queues yet keeps its topology from being deleted', async () => {
  const t = await openApi()
  const id = await draft(t)
  const { id: nodeId } = await nodeOf(t, 'orders', 'start')
  const more = {
    rerunOf: 'old',
    topologyId: id,
    nodeId,
    revision: 1,
    by: 'a control',
    key: 'k',
    sequences: null,
    epoch: null,
  }
  await t.store.transaction((inside) => insertRerun(inside, { runId: newId(), ...more }))
  expect(await remove(t)).toMatchObject({ status: 409, body: { detail: expect.stringMatching(/1 message/) as string } })
  expect((await remove(t, '?force=true')).status).toBe(202)
  const quiet = new Map<string, number>()
  for (let looks = 0; looks < 3; looks++) await look(t, quiet)
  expect((await t.get('/api/topologies/orders')).status).toBe(200)
  await t.store.query((db) => db.execute("update reruns set state = 'done'"))
  for (let looks = 0; looks < 2; looks++) await look(t, quiet)
  expect((await t.get('/api/topologies/orders')).status).toBe(404)
})

/** A start of a node whose runs must not overlap, as it goes on when it has seen that its topology is published. */
async function gated(t: TestApi): Promise<(queues?: TestApi['queues']['control']) => Promise<void>> {
  const { id, topologyId } = await publishedNode(t, 'orders', { type: 'start', overlap: 'skip' })
  const plan = await newestPlan(t.store, await getTopology(t.store, topologyId))
  const names = { id: 'late', topologyId, topologyName: 'orders', nodeId: id, nodeName: 'tick' }
  const message = {
    tenant: null,
    contentType: 'text/plain',
    headers: {},
    trace: null,
    reconcile: false,
    body: Buffer.from('1'),
  }
  const { store } = t
  const { events, control } = t.queues
  return (queues = control) =>
    startGated({ store, queues, events, log: silentLog }, plan?.nodes[0] as EventNode, { ...names, ...message }, false)
}

const startsIn = (t: TestApi) => t.store.query((db) => db.execute('select id, state, start_state from runs'))

test('a start that passes its gate before the deletion is counted by it, and one that comes later is refused, with nothing written', async () => {
  const t = await openApi()
  const start = await gated(t)
  const { id } = (await t.get('/api/topologies/orders')).body
  const away = overriding(t.queues.control, { start: () => Promise.reject(new Unavailable('nats', 'away')) })
  await start(away)
  await t.post('/api/topologies/orders/unpublish')
  expect((await remove(t)).body.detail).toMatch(/1 messages on their way/)
  await t.store.query((db) => db.execute('delete from runs'))
  await expect(start()).rejects.toThrow('is a draft: publish it first')

  const { store } = t
  const waiting = whileHeld(store, topologyLock(id), () => Promise.allSettled([remove(t), start()]), { count: 1 })
  expect((await waiting).map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  await expect(start()).rejects.toThrow('was deleted meanwhile')
  expect([...(await startsIn(t))]).toEqual([])
})

test('a start that was written down for a topology that is gone ends as cancelled, instead of running for ever', async () => {
  const t = await openApi()
  const start = await gated(t)
  await start()
  await t.store.query((db) => db.execute("update runs set start_state = 'unsent'"))
  // What an older version left behind.
  await t.store.query((db) => db.execute('delete from topologies'))
  await fire(t)
  expect([...(await startsIn(t))]).toEqual([{ id: 'late', state: 'cancelled', start_state: null }])
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
