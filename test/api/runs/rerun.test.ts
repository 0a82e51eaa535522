import { sql } from 'drizzle-orm'
import { expect, test } from 'vitest'
import { newId } from '../../../runtime/ids.ts'
import type { ControlQueues } from '../../../runtime/queue/control.ts'
import { streamName } from '../../../runtime/queue/names.ts'
import { finishReruns } from '../../../runtime/api/actions/runs/finish.ts'
import { insertRerun } from '../../../runtime/store/queries/history/reruns.ts'
import { eventually } from '../../support/eventually.ts'
import { overriding } from '../../support/overriding.ts'
import { openRecorded, publishedNode } from '../firing.ts'
import { nodeOf } from '../open.ts'
import type { TestApi } from '../open.ts'
import { bridgeOf, callsOf, ended, orders, start } from '../running.ts'
import { timeline, trashOf, twoRecords } from './flow.ts'

async function rerun(t: TestApi, run: string, node?: string, key?: string): Promise<string> {
  const headers = key === undefined ? {} : { 'idempotency-key': key }
  const answer = await t.send('POST', `/api/runs/${run}/rerun`, { json: { node }, headers })
  if (answer.status !== 202) throw new Error(answer.text)
  expect(answer.headers.get('location')).toBe(`/api/runs/${answer.body.runId}`)
  return answer.body.runId
}

const ofAll = async (t: TestApi, run: string) => {
  await eventually('it is listed', async () => (await t.get(`/api/runs/${run}`)).status === 200)
  return ended(t, run)
}

test('a run is run again with the same bytes, headers and tenant, and both are linked', async () => {
  const { t, worker } = await orders(() => ({ status: 204 }))
  await bridgeOf(t)
  const raw = Buffer.from([0, 1, 2, 255])
  const headers = { 'content-type': 'image/x-odd', 'x-source': 'test' }
  const { runId: first } = (await t.send('POST', '/start/orders/start?tenant=ann', { raw, headers })).body
  await ofAll(t, first)
  const second = await rerun(t, first)
  expect(await ofAll(t, second)).toMatchObject({ tenant: 'ann', state: 'finished', rerunOf: first, node: 'start' })
  const [one, two] = callsOf(worker)
  expect(two).toMatchObject({ body: one?.body, headers: { 'content-type': 'image/x-odd', 'x-source': 'test' } })
  expect((await timeline(t, first)).reruns).toEqual([second])
  expect((await t.get(`/api/runs?rerunOf=${first}`)).body.items.map(({ id }) => id)).toEqual([second])
})

test('from a node a run begins with what entered it, each message once, with exact counters', async () => {
  let isRefusing = true
  const { t, worker } = await orders(twoRecords(() => isRefusing))
  await bridgeOf(t)
  const first = await start(t)
  await ended(t, first)
  const [row] = await trashOf(t, first)
  await t.send('PUT', `/api/trash/${row?.id}`, { json: { body: 'three' } })
  isRefusing = false
  await t.post(`/api/trash/${row?.id}/replay`)
  await eventually('it is done', async () => (await t.get(`/api/runs/${first}`)).body.state === 'finished')
  const called = callsOf(worker).length
  const second = await rerun(t, first, 'b')
  const messages = { total: 2, done: 2, failed: 0, discarded: 0, cancelled: 0, inProgress: 0 }
  expect(await ofAll(t, second)).toMatchObject({ messages, state: 'finished', node: 'b', rerunOf: first })
  expect(
    callsOf(worker)
      .slice(called)
      .map(({ node, body }) => [node, body]),
  ).toEqual([
    ['b', '"one"'],
    ['b', '"three"'],
  ])
  expect((await t.get(`/api/runs/${second}/messages`)).body).toMatchObject({
    total: 2,
    items: [{ id: `${second}.0`, node: 'b', state: 'done' }, { id: `${second}.1` }],
  })
  expect((await timeline(t, second)).nodes).toMatchObject([{ node: 'b', messages: { started: 2, done: 2 } }])
  const third = await rerun(t, second, 'b')
  expect(await ofAll(t, third)).toMatchObject({ messages, rerunOf: second })
  const whole = await t.post(`/api/runs/${second}/rerun`)
  expect(whole).toMatchObject({ status: 409, body: { detail: expect.stringContaining('name that node') as string } })
})

test('equal keys make one rerun, however often they are sent and whatever has become of the topology', async () => {
  const { t } = await orders(() => ({ status: 204 }))
  await bridgeOf(t)
  const first = await start(t)
  await ended(t, first)
  const ids = await Promise.all([1, 2, 3].map(() => rerun(t, first, 'a', 'today')))
  await t.post('/api/topologies/orders/unpublish')
  ids.push(await rerun(t, first, 'a', 'today'))
  expect(new Set(ids).size).toBe(1)
  expect(await ofAll(t, ids[0] ?? '')).toMatchObject({ messages: { total: 1, done: 1 } })
})

test('a rerun that a control left unfinished is finished by any other, and what is not kept any more is cancelled', async () => {
  const { t, worker } = await orders(twoRecords(() => false))
  await bridgeOf(t)
  const first = await start(t)
  await ended(t, first)
  const { id: nodeId, topologyId } = await nodeOf(t, 'orders', 'b')
  const at = { topologyId, nodeId, run: first, startedAt: new Date(0) }
  const found = await t.queues.control.history.inputs(at, { inputsMax: 10, readMax: 1_000 })
  const left = { rerunOf: first, topologyId, nodeId, revision: 1, by: 'a control', key: null }
  const [runId, lostId] = [newId(), newId()]
  const { epoch = '', sequences = [] } = found ?? {}
  await t.store.transaction((inside) => insertRerun(inside, { ...left, runId, epoch, sequences: [...sequences] }))
  await t.store.transaction((inside) =>
    insertRerun(inside, { ...left, runId: lostId, epoch, sequences: [999_999, ...sequences] }),
  )
  const called = callsOf(worker).length
  await t.store.query((db) => db.execute("update reruns set tried_at = tried_at - interval '1 minute'"))
  const deps = { store: t.store, queues: t.queues.control }
  const errors: unknown[] = []
  await Promise.all([finishReruns(deps, errors), finishReruns(deps, errors)])
  expect(errors).toEqual([])
  expect(await ofAll(t, runId)).toMatchObject({ messages: { total: 2, done: 2 }, state: 'finished' })
  expect(await ofAll(t, lostId)).toMatchObject({ messages: { total: 3, done: 2, cancelled: 1 }, state: 'cancelled' })
  expect(callsOf(worker)).toHaveLength(called + 4)
})

test('reruns that can not be finished keep no other one waiting, and come again', async () => {
  const t = await openRecorded()
  const { id: nodeId, topologyId } = await publishedNode(t, 'ticks', { type: 'start' })
  const first = (await t.post('/api/topologies/ticks/run', {})).body.runId
  const of = { rerunOf: first, topologyId, nodeId, revision: 1, by: 'a control', sequences: null, epoch: null }
  const listed = (run: string) =>
    eventually('it is listed', async () => (await t.get(`/api/runs/${run}`)).status === 200)
  await listed(first)
  const ids = ['good', ...Array.from({ length: 6 }, (_, n) => `bad${n}`)]
  await t.store.transaction(async (inside) => {
    for (const runId of ids) await insertRerun(inside, { ...of, runId, key: runId })
  })
  const age = (which: string, seconds: number) =>
    t.store.query((db) =>
      db.execute(sql`update reruns set tried_at = now() - ${seconds} * interval '1 s' where run_id like ${which}`),
    )
  await age('%', 60)
  await age('good', 30)
  const { control } = t.queues
  const started: ControlQueues['start'] = (message) =>
    message.run === 'good' ? control.start(message) : Promise.reject(new Error('its queues are broken'))
  const deps = { store: t.store, queues: overriding(control, { start: started }) }
  const errors: unknown[] = []
  const counts: number[] = []
  for (let rounds = 0; rounds < 3; rounds++) {
    await finishReruns(deps, errors)
    counts.push(errors.length)
  }
  await listed('good')
  await age('%', 60)
  await finishReruns(deps, errors)
  expect([...counts, errors.length]).toEqual([5, 6, 6, 11])
})

test('a run that can not be run again says why', async () => {
  const { t } = await orders(() => ({ status: 204 }))
  await bridgeOf(t)
  await t.send('PATCH', '/api/topologies/orders', { json: { paused: true } })
  const run = await start(t)
  const refused = async (json: object, status = 409): Promise<string> => {
    const answer = await t.send('POST', `/api/runs/${run}/rerun`, { json })
    expect(answer.status).toBe(status)
    return answer.body.detail
  }
  expect(await refused({ node: 'a' })).toContain('still running')
  await t.send('PATCH', '/api/topologies/orders', { json: { paused: false } })
  await ended(t, run)
  expect(await refused({ node: 'nobody' }, 404)).toContain('no node "nobody"')
  expect(await refused({ node: '' }, 400)).toContain('body')
  expect(await refused({ nodes: 'a' }, 400)).toContain('body')
  expect(await refused({ node: 'b' })).toContain('nothing entered "b"')
  const { topologyId } = await nodeOf(t, 'orders', 'a')
  await t.queues.connection.jsm.streams.purge(streamName(topologyId))
  expect(await refused({ node: 'a' })).toContain('only 0 of 1 messages')
  await t.store.query((db) => db.execute('update runs set start_body = null'))
  expect(await refused({})).toContain('never seen')
  await t.post('/api/topologies/orders/unpublish')
  expect(await refused({})).toContain('is a draft')
  await t.send('DELETE', '/api/topologies/orders')
  expect(await refused({})).toContain('is deleted')
  expect((await t.post('/api/runs/nobody/rerun')).status).toBe(404)
})
