import { expect, test } from 'vitest'
import { openTold, tellUntold, tidyTold } from '../../runtime/api/actions/reading/tell.ts'
import type { ControlQueues } from '../../runtime/queue/control.ts'
import { watermarkAt } from '../../runtime/queue/delta/watermarks.ts'
import { eventually } from '../support/eventually.ts'
import type { Answer, Seen } from '../support/fake-worker.ts'
import { heard } from './heard.ts'
import { chain, nodeOf } from './open.ts'
import type { Body, TestApi } from './open.ts'
import { bridgeOf, callsOf, ended, orders, start } from './running.ts'

interface Shown extends Body {
  readonly page: number
  readonly cursor: string | null
  readonly progress: string | null
  readonly watermark: string | null
  readonly trashId: string
  readonly edit: { readonly state: string; readonly cursor: string | null } | null
  readonly pending: boolean
  readonly version: number
}

/** start → a (reads pages, goes on from its watermark) → b, with everything that runs them. */
async function reading(script: (request: Seen) => Answer | Promise<Answer>, watermark = {}) {
  const more = { a: { type: 'batch', emit: 'records', watermark, retry: { attempts: 1 } } }
  const made = await orders((request) => (request.node === 'b' ? { status: 204 } : script(request)), more)
  await bridgeOf(made.t)
  return made
}

const list = async (t: TestApi, path: string): Promise<Shown[]> => (await t.get(path)).body.items as Shown[]

const pageOf = (page: number, more: Record<string, string>): Answer => ({
  headers: { 'content-type': 'application/json', ...more },
  body: JSON.stringify([page]),
})

const asked = (seen: readonly Seen[]) =>
  seen
    .filter(({ node }) => node === 'a')
    .map(({ headers }) => [headers['sluice-cursor'] ?? null, headers['sluice-watermark'] ?? null])

test('a run goes on where the one before has read to; what it reads, its progress and its history are shown', async () => {
  const { t, worker } = await reading((request) => {
    const page = Number(request.headers['sluice-page'])
    const last = page === 1 ? { 'sluice-watermark': String(worker.seen.length) } : { 'sluice-cursor': 'c1' }
    return pageOf(page, { ...last, 'sluice-progress': `${page + 1}/2` })
  })
  const first = await start(t)
  expect(await ended(t, first)).toMatchObject({ state: 'finished', progress: '2/2' })
  const [cursor] = await list(t, `/api/cursors?topology=orders&node=a&run=${first}&active=false`)
  expect(cursor).toMatchObject({ state: 'ended', page: 1, cursor: 'c1', next: null, progress: '2/2', since: null })
  expect(await list(t, `/api/cursors/${cursor?.id}/history?limit=1`)).toMatchObject([{ deed: 'read', page: 1 }])
  expect(await list(t, '/api/cursors?active=true')).toEqual([])

  const [watermark] = await eventually('bridges are told', async () => {
    const found = await list(t, '/api/watermarks?topology=orders')
    return found[0]?.pending === false && found
  })
  expect(watermark).toMatchObject({ node: 'a', tenant: null, runId: first, by: null, version: 1 })
  await ended(t, await start(t))
  const value = watermark?.watermark
  expect(asked(callsOf(worker))).toEqual([
    [null, null],
    ['c1', null],
    [null, value],
    ['c1', value],
  ])
})

test('a cursor that is edited while its page lies in Trash is taken by the replay', async () => {
  const { t, worker } = await reading((request) => {
    const cursor = request.headers['sluice-cursor']
    if (cursor === 'bad') return { status: 422 }
    return cursor === undefined ? pageOf(0, { 'sluice-cursor': 'bad' }) : pageOf(1, { 'sluice-watermark': '1' })
  })
  const run = await start(t)
  expect((await ended(t, run)).state).toBe('failed')
  const [stopped] = await list(t, '/api/cursors?active=true')
  const [id, trashId] = [stopped?.id ?? '', stopped?.trashId ?? '']
  expect((await list(t, '/api/watermarks')).length).toBe(0)
  const edit = { json: { cursor: 'good', reason: 'typo' } }
  const [edited, event] = await heard(t, 'cursor', () => t.send('PUT', `/api/cursors/${id}`, edit))
  const { id: nodeId, topologyId } = await nodeOf(t, 'orders', 'a')
  expect(event).toEqual({ kind: 'cursor', topologyId, nodeId })
  expect([edited.status, edited.body]).toMatchObject([
    202,
    { state: 'stopped', edit: { state: 'pending', cursor: 'good' } },
  ])
  expect(
    (await t.send('PUT', `/api/cursors/${id}`, { json: { page: 0 }, headers: { 'if-match': '"0"' } })).status,
  ).toBe(412)
  expect((await t.post(`/api/trash/${trashId}/replay`)).status).toBe(202)
  await eventually('it is finished', async () => (await t.get(`/api/runs/${run}`)).body.state === 'finished')
  expect((await t.get(`/api/cursors/${id}`)).body).toMatchObject({ state: 'ended', edit: { state: 'taken' } })
  expect(asked(callsOf(worker)).map(([cursor]) => cursor)).toEqual([null, 'bad', 'good'])
  expect((await list(t, '/api/watermarks'))[0]?.watermark).toBe('1')
  await tidyTold({ store: t.store, queues: t.queues.control })
  expect(await t.queues.control.edits()).toEqual([])
  const late = await t.post(`/api/cursors/${id}/reset`, {})
  expect([late.status, late.body.detail]).toEqual([409, expect.stringMatching(/last page.*start a run/)])
})

test('a reading goes back to a page that was read, or to the beginning, and its pages count on', async () => {
  let go: (() => void) | null = null
  const { t, worker } = await reading(async (request) => {
    const page = Number(request.headers['sluice-page'])
    if (page === 2 || page === 4) await new Promise<void>((resolve) => (go = resolve))
    return pageOf(page, page === 6 ? {} : { 'sluice-cursor': `c${page + 1}` })
  })
  const run = await start(t)
  const change = async (newest: number, send: (path: string) => Promise<unknown>): Promise<void> => {
    await eventually('the next page is asked for', () => go !== null)
    const [cursor] = await eventually('the page is shown', async () => {
      const found = await list(t, '/api/cursors?active=true')
      return found[0]?.page === newest && found
    })
    await send(`/api/cursors/${cursor?.id}`)
    go?.()
    go = null
  }
  await change(1, (path) => t.send('PUT', path, { json: { page: 1 } }))
  await change(3, (path) => t.post(`${path}/reset`))
  expect((await ended(t, run)).state).toBe('finished')
  const pages = callsOf(worker).filter(({ node }) => node === 'a')
  const seen = pages.map(({ headers }) => [Number(headers['sluice-page']), headers['sluice-cursor'] ?? null])
  expect(seen).toEqual([
    [0, null],
    [1, 'c1'],
    [2, 'c2'],
    [3, 'c1'],
    [4, 'c4'],
    [5, null],
    [6, 'c6'],
  ])
})

test('a watermark can be set before a node has one, changed, and reset; runs that began before undo none of it', async () => {
  let answer: (() => void) | null = null
  const { t, worker } = await reading(async (request) => {
    if (request.body === '"slow"') await new Promise<void>((resolve) => (answer = resolve))
    return { status: 204, headers: { 'sluice-watermark': '2026-05-01T00:00:00Z' } }
  })
  const slow = await start(t, 'slow')
  await eventually('it reads', () => answer !== null)
  const set = await t.post('/api/watermarks', {
    topology: 'orders',
    node: 'a',
    watermark: '2026-03-01T00:00:00Z',
    reason: 'r',
  })
  expect([set.status, set.body, set.headers.get('etag')]).toMatchObject([200, { by: 'admin', pending: false }, '"1"'])
  ;(answer as (() => void) | null)?.()
  await ended(t, slow)
  const { id } = set.body
  expect((await t.get(`/api/watermarks/${id}`)).body).toMatchObject({ watermark: '2026-03-01T00:00:00Z' })
  await ended(t, await start(t))
  expect((await t.get(`/api/watermarks/${id}`)).body).toMatchObject({ watermark: '2026-05-01T00:00:00Z', version: 2 })
  expect(
    (await t.send('PUT', `/api/watermarks/${id}`, { json: { watermark: '7' }, headers: { 'if-match': '"1"' } })).status,
  ).toBe(412)
  expect((await t.send('PUT', `/api/watermarks/${id}`, { json: { watermark: '7' } })).body).toMatchObject({
    watermark: '7',
  })
  expect((await t.post(`/api/watermarks/${id}/reset`)).body).toMatchObject({ watermark: null })
  expect((await list(t, `/api/watermarks/${id}/history`)).map((row) => [row.version, row.watermark])).toEqual([
    [4, null],
    [3, '7'],
    [2, '2026-05-01T00:00:00Z'],
    [1, '2026-03-01T00:00:00Z'],
  ])
  expect(asked(callsOf(worker)).map(([, handed]) => handed)).toEqual([null, '2026-03-01T00:00:00Z'])
})

test('a run that is to read everything again is handed nothing, and commits all the same', async () => {
  const { t, worker } = await reading(() => ({ status: 204, headers: { 'sluice-watermark': '8' } }), { initial: '5' })
  const { runId } = (await t.post('/api/topologies/orders/run', { reconcile: true })).body
  await eventually('it has committed', async () => (await list(t, '/api/watermarks'))[0]?.watermark === '8')
  expect((await list(t, `/api/cursors?run=${runId}`))[0]).toMatchObject({ reconcile: true })
  expect(asked(callsOf(worker))).toEqual([[null, null]])
})

test('what is committed and was never told is told by any control', async () => {
  const { t } = await orders(() => ({ status: 204 }), { a: { type: 'batch', watermark: {} } })
  const control = t.queues.control as { -readonly [K in keyof ControlQueues]: ControlQueues[K] }
  const { putWatermark } = control
  control.putWatermark = () => Promise.reject(new Error('NATS is away'))
  const set = await t.post('/api/watermarks', { topology: 'orders', node: 'a', watermark: '7' })
  expect([set.status, set.body]).toMatchObject([200, { pending: true, watermark: '7' }])
  control.putWatermark = putWatermark
  await tellUntold({ store: t.store, queues: t.queues.control }, openTold(), [])
  const { id: nodeId, topologyId } = await nodeOf(t, 'orders', 'a')
  expect(await watermarkAt(t.queues, { topologyId, nodeId, tenant: null })).toEqual({ watermark: '7', epoch: 1 })
  expect((await t.get(`/api/watermarks/${set.body.id}`)).body).toMatchObject({ pending: false })
})

test('a watermark that can not be told keeps no other one from being told', async () => {
  const { t } = await orders(() => ({ status: 204 }), { a: { type: 'batch', watermark: {} } })
  const control = t.queues.control as { -readonly [K in keyof ControlQueues]: ControlQueues[K] }
  const { putWatermark } = control
  control.putWatermark = () => Promise.reject(new Error('NATS is away'))
  const tenants = Array.from({ length: 12 }, (_, n) => `tenant ${n}`)
  for (const tenant of tenants)
    await t.post('/api/watermarks', { topology: 'orders', node: 'a', tenant, watermark: '7' })
  control.putWatermark = (place, since) =>
    place.tenant === 'tenant 11' ? putWatermark(place, since) : Promise.reject(new Error('it is too large'))
  const [told, errors] = [openTold(), [] as unknown[]]
  for (let rounds = 0; rounds < 3; rounds++)
    await tellUntold({ store: t.store, queues: t.queues.control }, told, errors)
  expect(errors).toHaveLength(11)
  const [row] = await list(t, '/api/watermarks?tenant=tenant%2011')
  expect(row).toMatchObject({ pending: false })
})

test('bad input says what is wrong and where', async () => {
  const { t } = await orders(() => ({ status: 204 }), { a: { type: 'batch', watermark: {} } })
  const at = { topology: 'orders', node: 'a' }
  const bad: [string, string, unknown, number, string][] = [
    ['POST', '/api/watermarks', { ...at, watermark: '' }, 400, 'watermark'],
    ['POST', '/api/watermarks', { ...at, watermark: 'a\nb' }, 400, 'watermark'],
    ['POST', '/api/watermarks', { ...at, watermark: 'x'.repeat(1025) }, 400, 'watermark'],
    ['POST', '/api/watermarks', { ...at, watermark: '1', tenant: 'a\0' }, 400, 'tenant'],
    ['POST', '/api/watermarks', { ...at, watermark: 1 }, 400, 'watermark'],
    ['POST', '/api/watermarks', { ...at, node: 'b', watermark: '1' }, 409, ''],
    ['POST', '/api/watermarks', { ...at, node: 'nobody', watermark: '1' }, 404, ''],
    ['PUT', '/api/watermarks/nobody', { watermark: '1' }, 404, ''],
    ['PUT', '/api/cursors/nobody', { cursor: 'x' }, 404, ''],
    ['PUT', '/api/cursors/nobody', {}, 400, 'cursor'],
    ['PUT', '/api/cursors/nobody', { cursor: 'x', page: 1 }, 400, 'cursor'],
    ['PUT', '/api/cursors/nobody', { cursor: 'x'.repeat(4097) }, 400, 'cursor'],
    ['PUT', '/api/cursors/nobody', { cursor: 'é' }, 400, 'cursor'],
    ['PUT', '/api/cursors/nobody', { page: -1 }, 400, 'page'],
    ['POST', '/api/cursors/nobody/reset', { why: 1 }, 400, ''],
    ['GET', '/api/cursors?active=maybe', undefined, 400, 'active'],
    ['GET', '/api/watermarks?after=x', undefined, 400, 'after'],
  ]
  for (const [method, path, json, status, wrong] of bad) {
    const answer = await t.send(method, path, json === undefined ? {} : { json })
    expect([path, json, answer.status]).toEqual([path, json, status])
    if (wrong !== '') expect(answer.body.errors[0]?.path).toBe(wrong)
  }
})

test('a watermark that a node can not look back from is refused, by its plan, and by its draft before it has one', async () => {
  const { t } = await orders(() => ({ status: 204 }), { a: { type: 'batch', watermark: { lookBackBy: 5 } } })
  await t.post('/api/topologies', { ...chain('later', { a: { type: 'batch', watermark: { lookBackMs: 5 } } }) })
  const set = (topology: string, watermark: string) => t.post('/api/watermarks', { topology, node: 'a', watermark })
  expect((await set('orders', 'abc')).body).toMatchObject({
    status: 400,
    detail: 'the watermark is "abc"; expected a whole number, since lookBackBy is given',
    errors: [{ path: 'watermark' }],
  })
  expect((await set('later', '7')).body).toMatchObject({
    status: 400,
    detail: expect.stringMatching(/RFC 3339/) as string,
  })
  const { body } = await set('orders', '7')
  expect(body.id).toBeTruthy()
  const put = await t.send('PUT', `/api/watermarks/${body.id}`, { json: { watermark: '2026-03-01T00:00:00Z' } })
  expect(put.status).toBe(400)
  expect((await t.post(`/api/watermarks/${body.id}/reset`)).status).toBe(200)
})
