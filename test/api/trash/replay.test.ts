import { expect, test } from 'vitest'
import { saveManifest } from '../../../runtime/store/queries/workers.ts'
import { eventually } from '../../support/eventually.ts'
import type { Answer, Seen } from '../../support/fake-worker.ts'
import { tokenOf } from '../../access/world.ts'
import { chain } from '../open.ts'
import type { Body, TestApi } from '../open.ts'
import { bridgeOf, callsOf, ended, orders, start } from '../running.ts'

/** A whole engine whose node `failing` refuses every message that hasn't `"good"` in it; with one message of it in Trash. */
async function failed(failing: string, body: unknown = { id: 1 }) {
  const script = (call: Seen): Answer => {
    if (call.node === failing && !call.body.includes('good')) return { status: 422, body: 'not good' }
    return { status: 200, headers: { 'content-type': 'application/json' }, body: call.body }
  }
  const { t, worker } = await orders(script)
  await bridgeOf(t)
  const run = await start(t, body)
  expect(await ended(t, run)).toMatchObject({ state: 'failed' })
  return { t, worker, run, row: await openRow(t, run) }
}

async function openRow(t: TestApi, run: string): Promise<Body> {
  const [row] = (await t.get(`/api/trash?run=${run}&state=open`)).body.items
  if (row === undefined) throw new Error('nothing is open')
  return row
}

const replay = (t: TestApi, id: string, json: unknown = {}) => t.send('POST', `/api/trash/${id}/replay`, { json })
const settled = (t: TestApi, run: string): Promise<Body> =>
  eventually('nothing is in progress and nothing open', async () => {
    const { body } = await t.get(`/api/runs/${run}`)
    return body.state === 'finished' && body
  })

test('a message is replayed at a later node under an id of its own, and what is before that is left out', async () => {
  const { t, worker, run, row } = await failed('a')
  expect((await replay(t, row.id, { node: 'b' })).body).toEqual({ id: row.id, result: 'replaying' })
  expect(await settled(t, run)).toMatchObject({ messages: { total: 1, done: 1, failed: 0 } })
  expect(callsOf(worker).map(({ node, id }) => [node, id])).toEqual([
    ['a', run],
    ['b', `${run}!1`],
  ])
  expect((await t.get(`/api/trash/${row.id}`)).body).toMatchObject({ state: 'replayed', versions: [] })
  const steps = (await t.get(`/api/runs/${run}/messages/${run}/timeline`)).text
  expect(steps).toContain(`${run}!1`)
})

test('I2: a message that is replayed at an earlier node passes the nodes again that it has passed before', async () => {
  const { t, worker, run, row } = await failed('b')
  await t.send('PUT', `/api/trash/${row.id}`, { json: { body: { good: 1 } } })
  await replay(t, row.id, { node: 'a' })
  expect(await settled(t, run)).toMatchObject({ messages: { total: 1, done: 1 } })
  expect(callsOf(worker).map(({ node }) => node)).toEqual(['a', 'b', 'a', 'b'])
})

test('I2: also when it fails there again, and goes to and fro', async () => {
  const { t, worker, run, row } = await failed('b')
  const again = (before: string) =>
    eventually('it failed again', async () => {
      const [row] = (await t.get(`/api/trash?run=${run}&state=open`)).body.items
      return row !== undefined && row.id !== before && row
    })
  await replay(t, row.id, { node: 'a' })
  const second = await again(row.id)
  await replay(t, second.id)
  const third = await again(second.id)
  await replay(t, third.id, { node: 'a' })
  const fourth = await again(third.id)
  expect(await ended(t, run)).toMatchObject({ messages: { total: 1, failed: 1 } })
  expect(callsOf(worker).map(({ node, id }) => `${node} ${id.slice(run.length)}`)).toEqual([
    'a ',
    'b ',
    'a !1',
    'b !1',
    'b !1',
    'a !1!2',
    'b !1!2',
  ])
  await t.post(`/api/trash/${fourth.id}/discard`)
  expect(await settled(t, run)).toMatchObject({ messages: { total: 1, discarded: 1 } })
})

test('an unedited replay at its own node keeps id and idempotency key', async () => {
  const { t, worker, run, row } = await failed('b')
  await replay(t, row.id)
  await eventually('it was called again', () => callsOf(worker).length === 3)
  expect(
    callsOf(worker)
      .map(({ id, headers }) => [id, headers['idempotency-key']])
      .slice(1),
  ).toEqual([
    [run, `${run}@b`],
    [run, `${run}@b`],
  ])
})

test('where a message can not go is said with what is in the way, and nothing has changed', async () => {
  const { t, row } = await failed('b')
  for (const [node, detail] of [
    ['nope', /the published topology has a, b, and no such node/],
    ['start', /it is an event node/],
  ] as const) {
    const { status, body } = await replay(t, row.id, { node })
    expect({ status, body }).toMatchObject({
      status: 409,
      body: { type: 'urn:sluice:incompatible', errors: [{ path: 'node' }] },
    })
    expect(body.detail).toMatch(detail)
  }
  for (const json of [{ node: '' }, { node: 7 }, { nodes: 'a' }, { acceptWarnings: 'yes' }])
    expect((await replay(t, row.id, json)).status).toBe(400)
  expect((await t.get(`/api/trash/${row.id}`)).body.state).toBe('open')
})

test('with newestRevision false a node that is handled otherwise since is refused, and the same again is not', async () => {
  const { t, run, row } = await failed('b')
  await t.send('PUT', '/api/topologies/orders', { json: chain('orders', { b: { uses: 'other', prefetch: 3 } }) })
  await t.post('/api/topologies/orders/publish')
  const { body } = await replay(t, row.id, { newestRevision: false })
  expect(body).toMatchObject({ type: 'urn:sluice:node-changed' })
  expect(body.errors.map(({ path }) => path)).toEqual(['uses', 'path'])
  await t.send('PUT', '/api/topologies/orders', { json: chain('orders', { b: { prefetch: 3 } }) })
  await t.post('/api/topologies/orders/publish')
  await t.send('PUT', `/api/trash/${row.id}`, { json: { body: 'good' } })
  expect((await replay(t, row.id, { newestRevision: false })).status).toBe(202)
  expect(await settled(t, run)).toMatchObject({ messages: { done: 1 } })
})

test('a body that does not fit the input schema is saved with warnings, and sent only when they are accepted', async () => {
  const { t, worker, run, row } = await failed('b')
  const input = { type: 'object', required: ['id'], properties: { id: { type: 'integer' } } }
  await saveManifest(t.store, 'w', { protocol: 1, worker: 'w', nodes: [{ name: 'b', type: 'connector', input }] })
  const put = (body: unknown) => t.send('PUT', `/api/trash/${row.id}`, { json: { body } })
  expect((await put({ id: 2, good: 1 })).body).toMatchObject({ warnings: [] })
  const wrong = [{ path: '/id', message: 'must be integer' }]
  expect((await put({ id: 'good' })).body).toMatchObject({ warnings: wrong, versions: [{}, { body: { id: 'good' } }] })
  const { status, body } = await replay(t, row.id)
  expect({ status, body }).toMatchObject({ status: 409, body: { type: 'urn:sluice:schema-mismatch', errors: wrong } })
  expect(body.detail).toMatch(/doesn't fit the input schema of "b" \(\/id must be integer\)/)
  const token = await tokenOf(t, ['operate'])
  const blind = await t.send('POST', `/api/trash/${row.id}/replay`, { token, json: {} })
  expect(blind.text).toContain('scope payload')
  expect(blind.text).not.toContain('/id ')
  expect((await replay(t, row.id, { acceptWarnings: true })).status).toBe(202)
  expect(await settled(t, run)).toMatchObject({ messages: { done: 1 } })
  expect(callsOf(worker).at(-1)).toMatchObject({ node: 'b', body: '{"id":"good"}' })
})

test('a schema that can not be used is a warning that has to be accepted, as one that does not fit', async () => {
  const { t, row } = await failed('b')
  const input = { $ref: 'http://127.0.0.1:1/elsewhere.json' }
  await saveManifest(t.store, 'w', { protocol: 1, worker: 'w', nodes: [{ name: 'b', type: 'connector', input }] })
  const { body } = await t.send('PUT', `/api/trash/${row.id}`, { json: { body: 'good' } })
  const why = /the body couldn't be checked by the input schema of "b": can't resolve reference/
  const told = [{ path: '', message: expect.stringMatching(why) as string }]
  expect(body).toMatchObject({ warnings: told })
  const refused = await replay(t, row.id)
  expect(refused).toMatchObject({ status: 409, body: { type: 'urn:sluice:schema-mismatch', errors: told } })
  expect(refused.body.detail).toMatch(why)
  expect((await replay(t, row.id, { acceptWarnings: true })).status).toBe(202)
})
