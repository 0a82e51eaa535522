import { expect, onTestFinished, test } from 'vitest'
import { openSweep } from '../../runtime/api/api.ts'
import type { Outcome } from '../../runtime/protocol/outcome.ts'
import type { ReplayMessage } from '../../runtime/queue/control.ts'
import { openRecorder } from '../../runtime/recorder/recorder.ts'
import { applyOutcomes, position } from '../../runtime/store/outcomes.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { janitorOf } from '../queue/compact.ts'
import { split, started, trashed } from '../store/outcome-samples.ts'
import { eventually } from '../support/eventually.ts'
import { nodeOf, openApi, published } from './open.ts'
import type { Body, TestApi } from './open.ts'

/** What the recorder would have written. */
async function record(t: TestApi, topologyId: string, outcomes: readonly Outcome[]): Promise<void> {
  const from = await position(t.store, topologyId, 'e')
  await applyOutcomes(t.store, topologyId, { epoch: 'e', from, to: from + outcomes.length }, outcomes)
}

const body = (text: string) => new TextEncoder().encode(text)

/** A published chain with three messages of node `a` in Trash: x1 and x2 failed alike, x3 in another way. */
async function withTrash(t: TestApi, name = 'orders'): Promise<{ id: string; node: Body }> {
  const { id } = await published(t, name)
  const node = await nodeOf(t, name, 'a')
  const at = (n: number) => ({ nodeId: node.id, at: `2026-03-01T10:00:0${n}.000Z` })
  const json = { ...trashed('r1', 'x1').message, contentType: 'application/json', headers: { 'x-shop': 'brno' } }
  const other = { type: 'urn:gone', title: 'Customer "Ann" is gone', detail: 'since 2020', status: 410 }
  await record(t, id, [
    started('r1'),
    started('r2'),
    split('r2', 1),
    trashed('r1', 'x1', { ...at(1), message: json, body: body('{"zip":"x"}') }),
    trashed('r2', 'x2', { ...at(2), error: { type: 'about:blank', title: 'Order 18 not found', status: 422 } }),
    trashed('r2', 'x3', { ...at(3), error: other, body: Uint8Array.from([0, 255]) }),
  ])
  return { id, node }
}

const ids = (answer: { body: Body }) => answer.body.items.map((item) => item.id)

test('Trash is filtered by everything that it is tied to', async () => {
  const t = await openApi()
  const { id, node } = await withTrash(t)
  const { body } = await t.get('/api/trash')
  expect(body.items[2]).toMatchObject({
    id: 'x1',
    topology: 'orders',
    node: 'a',
    runId: 'r1',
    state: 'open',
    attempts: 0,
  })
  expect(body.items[2]).not.toHaveProperty('body')
  const print = body.items[2]?.fingerprint
  for (const [query, found] of [
    ['', ['x3', 'x2', 'x1']],
    ['?topology=orders', ['x3', 'x2', 'x1']],
    [`?topology=${id}&node=a`, ['x3', 'x2', 'x1']],
    [`?node=${node.id}`, ['x3', 'x2', 'x1']],
    ['?node=b', []],
    ['?topology=nope', []],
    ['?run=r2', ['x3', 'x2']],
    [`?fingerprint=${print}`, ['x2', 'x1']],
    ['?state=open', ['x3', 'x2', 'x1']],
    ['?state=replayed', []],
    ['?since=2026-03-01T10:00:02.000Z', ['x3', 'x2']],
    ['?until=2026-03-01T11:00:02%2B01:00', ['x1']],
    ['?text=not%20FOUND', ['x2', 'x1']],
    ['?text=since', ['x3']],
    ['?text=%25', []],
  ] as const)
    expect([query, ids(await t.get(`/api/trash${query}`))]).toEqual([query, found])
})

test('Trash is read page by page, each message once', async () => {
  const t = await openApi()
  const { id, node } = await withTrash(t)
  const same = { nodeId: node.id, at: '2026-03-01T10:00:02.000Z' }
  await record(
    t,
    id,
    ['x4', 'x5'].map((trashId) => trashed('r1', trashId, same)),
  )
  const seen: string[] = []
  let after = ''
  do {
    const page = await t.get(`/api/trash?limit=2${after}`)
    seen.push(...ids(page))
    after = page.body.next === null ? '' : `&after=${page.body.next}`
  } while (after !== '')
  expect(seen).toEqual(['x3', 'x5', 'x4', 'x2', 'x1'])
})

test('failures of the same kind are a group', async () => {
  const t = await openApi()
  await withTrash(t)
  const { body } = await t.get('/api/trash/groups?topology=orders')
  expect(body.items).toMatchObject([
    { count: 2, node: 'a', firstSeen: '2026-03-01T10:00:01.000Z', lastSeen: '2026-03-01T10:00:02.000Z' },
    { count: 1, error: { title: 'Customer "Ann" is gone', status: 410 } },
  ])
})

test('a message is shown whole: JSON as JSON, text as text, bytes as base64', async () => {
  const t = await openApi()
  await withTrash(t)
  const shown = async (id: string) => (await t.get(`/api/trash/${id}`)).body
  expect(await shown('x1')).toMatchObject({
    body: { zip: 'x' },
    headers: { 'x-shop': 'brno' },
    error: { title: 'Order 17 not found', status: 422 },
    attempts: [],
    versions: [],
  })
  expect((await shown('x2')).body).toBe('payload')
  expect((await shown('x3')).bodyBase64).toBe('AP8=')
  expect((await t.get('/api/trash/nope')).status).toBe(404)
})

test('an edit is a new version, and the original is kept', async () => {
  const t = await openApi()
  await withTrash(t)
  const put = (id: string, json: unknown, headers = {}) => t.send('PUT', `/api/trash/${id}`, { json, headers })
  const first = await put('x1', { body: { zip: '602 00' }, reason: 'wrong zip' }, { 'if-match': '"0"' })
  expect(first.body).toMatchObject({
    body: { zip: 'x' },
    versions: [
      { version: 1, by: 'admin', reason: 'wrong zip', body: { zip: '602 00' }, headers: { 'x-shop': 'brno' } },
    ],
  })
  expect((await put('x1', { headers: {} }, { 'if-match': '"0"' })).status).toBe(412)
  const second = await put('x1', { headers: {} }, { 'if-match': first.headers.get('etag') ?? '' })
  expect(second.body.versions[1]).toMatchObject({ version: 2, body: { zip: '602 00' }, headers: {} })
  expect((await put('x2', { body: { a: 1 } })).body).toMatchObject({ status: 400, errors: [{ path: 'body' }] })
  expect((await put('x3', { bodyBase64: '/w==' })).body.versions[0]).toMatchObject({ bodyBase64: '/w==' })
  expect((await put('x3', { bodyBase64: 'no base64!' })).status).toBe(400)
  for (const json of [{ reason: 'looked at' }, {}])
    expect((await put('x3', json)).body.versions.at(-1)).toMatchObject({
      reason: json.reason ?? null,
      bodyBase64: '/w==',
    })
})

test('who watches hears which message was edited, and nothing of an edit that is refused', async () => {
  const t = await openApi()
  const { id: topologyId } = await withTrash(t)
  const told: unknown[] = []
  const { emit } = t.queues.events
  t.queues.events.emit = (event) => void told.push(event)
  onTestFinished(() => void (t.queues.events.emit = emit))
  const put = (version: string) =>
    t.send('PUT', '/api/trash/x1', { json: { headers: {} }, headers: { 'if-match': version } })
  expect((await put('"7"')).status).toBe(412)
  expect((await put('"0"')).status).toBe(200)
  expect(told).toEqual([{ kind: 'trash', topologyId, added: {}, settled: 0, edited: 'x1' }])
})

test('of a replay and a discard one wins', async () => {
  const t = await openApi()
  const { id } = await withTrash(t)
  const replay = await t.post('/api/trash/x1/replay')
  expect(replay).toMatchObject({ status: 202, body: { id: 'x1', result: 'replaying' } })
  expect((await t.post('/api/trash/x1/discard', { reason: 'late' })).status).toBe(409)
  expect((await t.post('/api/trash/x1/replay')).status).toBe(409)
  const { body } = await t.get('/api/queues?topology=orders')
  expect(body.items[1]).toMatchObject({ node: 'a', replies: 1 })
  await record(t, id, [{ kind: 'replayed', run: 'r1', nodeId: 'n', at: '2026-03-01T11:00:00.000Z', trashId: 'x1' }])
  expect((await t.get('/api/trash/x1')).body.state).toBe('replayed')
  expect((await t.send('PUT', '/api/trash/x1', { json: { headers: {} } })).body.detail).toMatch(/is replayed already/)
})

test('an edited message is replayed as it was edited', async () => {
  const t = await openApi()
  await withTrash(t)
  await t.send('PUT', '/api/trash/x1', { json: { body: { zip: '602 00' }, headers: { 'x-fixed': '1' } } })
  const asked: ReplayMessage[] = []
  const { replay } = t.queues.control
  t.queues.control.replay = (message) => {
    asked.push(message)
    return replay(message)
  }
  await t.post('/api/trash/x1/replay')
  expect(asked).toMatchObject([
    { trashId: 'x1', run: 'r1', edited: true, message: { id: 'message-x1', headers: { 'x-fixed': '1' } } },
  ])
  expect(Buffer.from(asked[0]?.body ?? []).toString()).toBe('{"zip":"602 00"}')
})

test('a replay needs a published node, a discard nothing', async () => {
  const t = await openApi()
  const { id } = await withTrash(t)
  await t.post('/api/topologies/orders/unpublish')
  expect((await t.post('/api/trash/x1/replay')).body.detail).toMatch(/is a draft: publish it first/)
  expect((await t.post('/api/trash/x1/discard')).body).toEqual({ id: 'x1', result: 'discarding' })
  await t.post('/api/topologies/orders/publish')
  await record(t, id, [
    { kind: 'discarded', run: 'r1', nodeId: 'n', at: '2026-03-01T11:00:00.000Z', trashId: 'x1', reason: null },
  ])
  expect((await t.get('/api/trash?state=discarded')).body.items).toMatchObject([{ id: 'x1' }])
})

test('what a deleted topology left in Trash can be discarded', async () => {
  const t = await openApi()
  await withTrash(t)
  const recorder = await openRecorder({ ...t, janitor: janitorOf(t), log: silentLog })
  const sweep = openSweep({ store: t.store, queues: t.queues.control, events: t.queues.events, log: silentLog })
  onTestFinished(() => recorder.close())
  onTestFinished(() => sweep.close())
  for (const name of ['x2', 'x3']) await t.post(`/api/trash/${name}/discard`)
  expect((await t.send('DELETE', '/api/topologies/orders?force=true')).status).toBe(202)
  // Not before the recorder has read the two discards.
  await eventually('it is gone', async () => (await t.get('/api/topologies/orders')).status === 404)
  expect((await t.get('/api/trash?state=discarded')).body.items).toHaveLength(2)
  expect((await t.post('/api/trash/x1/replay')).body.detail).toMatch(/is deleted/)
  expect((await t.post('/api/trash/x1/discard', { reason: 'old' })).body).toEqual({ id: 'x1', result: 'discarded' })
  expect((await t.get('/api/trash/x1')).body).toMatchObject({ state: 'discarded', reason: 'old' })
  const { body } = await t.get('/api/runs/r1')
  expect(body).toMatchObject({ state: 'finished', messages: { total: 1, discarded: 1, failed: 0 } })
})

test('runs are listed with their counters, and filtered', async () => {
  const t = await openApi()
  const { id } = await withTrash(t)
  const start = await nodeOf(t, 'orders', 'start')
  const later = { at: '2026-03-02T10:00:00.000Z', nodeId: start.id, tenant: 'ann' }
  await record(t, id, [started('r3', later)])
  const { body } = await t.get('/api/runs?topology=orders')
  expect(body.items.map((run) => [run.id, run.state])).toEqual([
    ['r3', 'running'],
    ['r2', 'failed'],
    ['r1', 'failed'],
  ])
  expect(body.items[1]?.messages).toEqual({ total: 2, done: 0, failed: 2, discarded: 0, cancelled: 0, inProgress: 0 })
  expect(body.items[0]).toMatchObject({ topology: 'orders', node: 'start', tenant: 'ann', finishedAt: null })
  expect(ids(await t.get('/api/runs?state=failed'))).toEqual(['r2', 'r1'])
  expect(ids(await t.get('/api/runs?since=2026-03-02T00:00:00Z'))).toEqual(['r3'])
  expect(ids(await t.get('/api/runs?tenant=ann&node=start'))).toEqual(['r3'])
  const first = await t.get('/api/runs?limit=1')
  expect(ids(await t.get(`/api/runs?limit=2&after=${first.body.next}`))).toEqual(['r2', 'r1'])
  expect((await t.get('/api/runs/nope')).status).toBe(404)
})
