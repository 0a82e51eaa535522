import { expect, onTestFinished, test } from 'vitest'
import { openRecorder } from '../../../runtime/recorder/recorder.ts'
import { applyOutcomes, position } from '../../../runtime/store/outcomes.ts'
import { silentLog } from '../../../runtime/telemetry/log.ts'
import { janitorOf } from '../../queue/compact.ts'
import { wholeRows } from '../../../runtime/store/trash/whole.ts'
import type { TrashFilter } from '../../../runtime/store/trash/filter.ts'
import { trashed, started, split } from '../../store/outcome-samples.ts'
import { eventually } from '../../support/eventually.ts'
import type { Answer as Reply, Seen } from '../../support/fake-worker.ts'
import { nodeOf, openApi, published } from '../open.ts'
import type { Answer, TestApi } from '../open.ts'
import { bridgeOf, callsOf, orders } from '../running.ts'

const ndjson = { 'content-type': 'application/x-ndjson' }
const send = (t: TestApi, raw: string | Uint8Array | ReadableStream, topology = 'orders', headers = ndjson) =>
  t.send('POST', `/api/trash/import?topology=${topology}`, { raw, headers })
const rowsOf = ({ text }: Answer) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

/** Rows of node `a`: bytes, a text with a BOM, and JSON that was edited. */
async function withRows(t: TestApi, name: string, count = 3) {
  const { id } = await published(t, name)
  const { id: nodeId } = await nodeOf(t, name, 'a')
  const bodies = [Uint8Array.of(0, 255, 10), Buffer.from('\ufeffa\u0000b'), Buffer.from('{"good": 1e2}')]
  const rows = Array.from({ length: count }, (_, n) => {
    const row = trashed(`${name}-r`, `${name}-x${n}`, {
      nodeId,
      at: `2026-03-01T10:00:0${n % 10}.000Z`,
      body: bodies[n % 3] ?? bodies[0]!,
    })
    const contentType = n % 3 === 2 ? 'application/json' : 'text/plain'
    return { ...row, message: { ...row.message, contentType, tenant: 'ann', headers: { 'x-a': 'ž' } } }
  })
  const from = await position(t.store, id, 'e')
  await applyOutcomes(t.store, id, { epoch: 'e', from, to: from + 1 }, [
    started(`${name}-r`),
    split(`${name}-r`, count - 1),
    ...rows,
  ])
  return id
}

const good = ({ body }: Seen): Reply => (body.includes('good') ? { status: 204 } : { status: 422 })

test('what is exported from one engine is imported into another as it was, in a run of its own, and goes on there', async () => {
  const source = await openApi()
  await withRows(source, 'orders')
  await source.send('PUT', '/api/trash/orders-x1', {
    json: { bodyBase64: Buffer.from('now good').toString('base64'), reason: 'mended' },
  })
  const file = await source.get('/api/trash/export?topology=orders')
  expect([file.headers.get('content-type'), rowsOf(file).length]).toEqual(['application/x-ndjson', 3])
  const { t, worker } = await orders(good)
  await bridgeOf(t)
  const answer = await send(t, file.text)
  expect(answer.body).toMatchObject({ imported: 3, known: 0, settled: 0, faults: 0, errors: [] })
  const { runId } = answer.body
  expect((await t.get(`/api/runs/${runId}`)).body).toMatchObject({ state: 'failed', messages: { total: 3, failed: 3 } })
  for (const id of ['orders-x0', 'orders-x1', 'orders-x2']) {
    const [was, is] = [await source.get(`/api/trash/${id}`), await t.get(`/api/trash/${id}`)] as unknown as {
      body: Record<string, unknown>
    }[]
    const {
      topologyId: _,
      nodeId: __,
      runId: ___,
      messageId: ____,
      fingerprint: _____,
      traceId: ______,
      revision: _______,
      ...same
    } = was?.body ?? {}
    expect(is?.body).toMatchObject(same)
  }
  expect((await send(t, file.text)).body).toMatchObject({ runId: null, imported: 0, known: 3 })
  await t.post('/api/trash/orders-x0/discard')
  for (const id of ['orders-x1', 'orders-x2'])
    expect((await t.send('POST', `/api/trash/${id}/replay`, { json: {} })).status).toBe(202)
  const run = await eventually('the run is finished', async () => {
    const { body } = await t.get(`/api/runs/${runId}`)
    return body.state === 'finished' && body
  })
  expect(run.messages).toMatchObject({ total: 3, done: 2, discarded: 1 })
  expect(
    callsOf(worker)
      .map(({ body }) => body)
      .sort(),
  ).toEqual(['now good', '{"good": 1e2}'].sort())
  expect(rowsOf(await t.get('/api/trash/export?state=discarded')).map(({ id }) => id)).toEqual(['orders-x0'])
})

test('an export has each message once, page after page, and only what the filter leaves', async () => {
  const t = await openApi()
  await withRows(t, 'orders', 450)
  await withRows(t, 'other', 1)
  const all = rowsOf(await t.get('/api/trash/export'))
  expect(new Set(all.map(({ id }) => id)).size).toBe(451)
  expect(rowsOf(await t.get('/api/trash/export?topology=other')).map(({ id }) => id)).toEqual(['other-x0'])
  expect(rowsOf(await t.get('/api/trash/export?text=nothing'))).toEqual([])
  expect((await t.get('/api/trash/export?run=%00')).status).toBe(400)
})

test('what is imported before the recorder has read that it was erased stays open, and both runs are counted right', async () => {
  const t = await openApi()
  await withRows(t, 'orders')
  const file = await t.get('/api/trash/export')
  expect((await t.post('/api/trash/erase', { tenant: 'ann' })).body).toMatchObject({ erased: 3, discarded: 3 })
  const { runId } = (await send(t, file.text)).body
  const recorder = await openRecorder({ ...t, janitor: janitorOf(t), log: silentLog })
  onTestFinished(() => recorder.close())
  const run = await eventually('the discards are recorded', async () => {
    const { body } = await t.get('/api/runs/orders-r')
    return body.state === 'finished' && body
  })
  expect(run.messages).toMatchObject({ total: 3, discarded: 3, failed: 0 })
  expect((await t.get('/api/trash?state=open')).body.items).toHaveLength(3)
  expect((await t.get(`/api/runs/${runId}`)).body).toMatchObject({ state: 'failed', messages: { total: 3, failed: 3 } })
})

test('what has to be looked for in each message is exported a window of them at a time, each once', async () => {
  const t = await openApi()
  await withRows(t, 'orders', 450)
  const all = rowsOf(await t.get('/api/trash/export')).map(({ id }) => id)
  const read = async (filter: TrashFilter, window: number) => {
    const ids: string[] = []
    for await (const { row } of wholeRows(t.store, filter, window)) ids.push(row.id)
    return ids
  }
  const good = all.filter((id) => Number(String(id).slice(8)) % 3 === 2)
  for (const window of [1, 7, 150, 450, 451]) {
    expect(await read({ text: 'order' }, window)).toEqual(all)
    expect(await read({ body: 'good' }, window)).toEqual(good)
    expect(await read({ text: 'nothing' }, window)).toEqual([])
  }
  expect(rowsOf(await t.get('/api/trash/export?body=good')).map(({ id }) => id)).toEqual(good)
})

const line = (more: object = {}) =>
  JSON.stringify({
    id: 'i1',
    node: 'a',
    messageId: 'm',
    createdAt: '2026-03-01T10:00:00.000Z',
    error: { title: 'no' },
    headers: {},
    contentType: 'text/plain',
    bodyText: 'x',
    ...more,
  })

test('lines that can not be read are told with their numbers, and the rest is there', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const lines = [
    line(),
    '',
    '{broken',
    line({ id: 'i2', node: 'nope' }),
    line({ id: 'i3', bodyBase64: 'eA==' }),
    line({ id: 'i4', headers: { host: 'x' } }),
    line({ id: 'i5', state: 'replayed' }),
    line({ id: 'a b' }),
    line({ id: 'i6', createdAt: 'yesterday' }),
    '['.repeat(1_000),
    line({
      id: 'i7',
      versions: [
        { version: 1, headers: {}, contentType: 'a/b', bodyText: '', by: 'ann', createdAt: '2026-03-01T10:00:00Z' },
        { version: 1 },
      ],
    }),
    line({ id: 'i1' }),
    line({ id: 'i8', error: { title: '\ud800 a \u0000', status: 422 }, __proto__: null }),
  ]
  const { body } = await send(t, lines.join('\n'))
  expect(body).toMatchObject({ imported: 2, known: 1, settled: 1, faults: 8 })
  expect(body.errors.map((fault) => (fault as unknown as { line: number }).line)).toEqual([3, 4, 5, 6, 8, 9, 10, 11])
  expect((await t.get('/api/trash')).body.items.map(({ id }) => id)).toEqual(['i8', 'i1'])
  expect((await t.get(`/api/runs/${body.runId}`)).body).toMatchObject({ messages: { total: 2, failed: 2 } })
})

test('two rows of one message are messages of their own here: each goes on, once', async () => {
  const { t, worker } = await orders(good)
  await bridgeOf(t)
  const lines = ['i1', 'i2'].map((id) => line({ id, bodyText: `good ${id}` }))
  const { runId } = (await send(t, lines.join('\n'))).body
  for (const id of ['i1', 'i2'])
    expect((await t.send('POST', `/api/trash/${id}/replay`, { json: {} })).status).toBe(202)
  const run = await eventually('the run is finished', async () => {
    const { body } = await t.get(`/api/runs/${runId}`)
    return body.state === 'finished' && body
  })
  expect(run.messages).toMatchObject({ total: 2, done: 2 })
  const bodies = callsOf(worker).map(({ body }) => body)
  expect(bodies.sort()).toEqual(['good i1', 'good i2'])
})

test('edits are taken as 1, 2, 3 and so on, in whatever order, and what was imported can be edited', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const edit = (version: number) => ({
    ...{ version, headers: {}, contentType: 'text/plain', bodyText: `edit ${version}`, by: 'ann' },
    createdAt: '2026-03-01T10:00:00Z',
  })
  const lines = [line({ versions: [edit(2), edit(1)] }), line({ id: 'i2', versions: [edit(3)] })]
  const answer = await send(t, lines.join('\n'))
  expect(answer.body).toMatchObject({ imported: 1, faults: 1, errors: [{ line: 2, path: 'versions' }] })
  const shown = await t.get('/api/trash/i1')
  expect(shown.body).toMatchObject({
    versions: [
      { version: 1, body: 'edit 1' },
      { version: 2, body: 'edit 2' },
    ],
  })
  const headers = { 'if-match': shown.headers.get('etag') ?? '' }
  expect((await t.send('PUT', '/api/trash/i1', { json: { body: 'edit 3' }, headers })).status).toBe(200)
})

test('a file may begin with a byte order mark, and one of UTF-16 is refused with what to do', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const marked = Buffer.from(`\ufeff${line()}\r\n${line({ id: 'i2' })}`)
  expect((await send(t, marked)).body).toMatchObject({ imported: 2, faults: 0 })
  const wide = await send(t, Buffer.from(`\ufeff${line({ id: 'i3' })}`, 'utf16le'))
  expect(wide).toMatchObject({
    status: 400,
    body: { detail: expect.stringMatching(/UTF-16: send it as UTF-8/) as string },
  })
})

test('a line that is too long is told, and let go, and what comes after it is there', async () => {
  const t = await openApi()
  await published(t, 'orders')
  let left = 65
  const long = new ReadableStream({
    pull(controller) {
      if (left > 0) controller.enqueue(Buffer.alloc(1024 * 1024, 'x'))
      else if (left === 0) controller.enqueue(Buffer.from(`\n${line()}`))
      else controller.close()
      left -= 1
    },
  })
  const { body } = await send(t, long)
  expect(body).toMatchObject({ imported: 1, errors: [{ line: 1, message: 'is longer than 67108864 bytes' }] })
})

test('an import of another type, into no topology, or that says nothing, changes nothing', async () => {
  const t = await openApi()
  await published(t, 'orders')
  expect((await send(t, line(), 'orders', { 'content-type': 'text/csv' })).status).toBe(415)
  expect((await send(t, line(), 'nope')).status).toBe(404)
  expect((await t.send('POST', '/api/trash/import', { raw: line(), headers: ndjson })).status).toBe(400)
  expect((await send(t, '\n\r\n')).body).toMatchObject({ runId: null, imported: 0, faults: 0 })
  expect((await t.get('/api/trash')).body.items).toEqual([])
})

test('an import that breaks off has left whole rows that are counted, and goes on when it is sent again', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const lines = Array.from({ length: 600 }, (_, n) => `${line({ id: `i${n}` })}\n`)
  let sent = 0
  const broken = new ReadableStream({
    pull(controller) {
      if (sent < 580) controller.enqueue(Buffer.from(lines[sent++] ?? ''))
      else controller.error(new Error('it broke'))
    },
  })
  expect((await send(t, broken)).status).toBe(500)
  const { items } = (await t.get('/api/runs')).body
  expect(items).toMatchObject([{ messages: { total: 500, failed: 500 } }])
  expect((await send(t, lines.join(''))).body).toMatchObject({ imported: 100, known: 500 })
})

test('all of a tenant goes, whatever its state, with its edits and start messages, and runs are counted right', async () => {
  const { t } = await orders(() => ({ status: 422 }))
  await bridgeOf(t)
  const begin = async (tenant: string) =>
    (await t.post('/api/topologies/orders/run', { tenant, body: { of: tenant } })).body.runId
  const [ann, bob] = [await begin('ann'), await begin('bob')]
  const failed = async (run: string) =>
    eventually('it failed', async () => (await t.get(`/api/trash?run=${run}`)).body.items[0] ?? false)
  const [one, other] = [await failed(ann), await failed(bob)]
  await t.send('PUT', `/api/trash/${one.id}`, { json: { body: { secret: 1 } } })
  const gone = await withRows(t, 'deleted')
  expect((await t.send('DELETE', '/api/topologies/deleted?force=true')).status).toBe(202)
  for (const json of [{}, { tenant: '' }, { tenant: 'ann', topology: 7 }])
    expect((await t.post('/api/trash/erase', json)).status).toBe(400)
  expect((await t.post('/api/trash/erase', { tenant: 'nobody' })).body).toEqual({
    erased: 0,
    discarded: 0,
    starts: 0,
    runsLeft: 0,
    isDone: true,
  })
  const { body } = await t.post('/api/trash/erase', { tenant: 'ann' })
  expect(body).toMatchObject({ erased: 4, discarded: 4, starts: 1, isDone: true })
  expect((await t.get('/api/trash')).body.items.map(({ id }) => id)).toEqual([other.id])
  const run = await eventually('the discard is recorded', async () => {
    const { body } = await t.get(`/api/runs/${ann}`)
    return body.state === 'finished' && body
  })
  expect(run.messages).toMatchObject({ total: 1, discarded: 1, failed: 0 })
  expect((await t.get('/api/runs/deleted-r')).body).toMatchObject({
    topologyId: gone,
    state: 'finished',
    messages: { discarded: 3 },
  })
  expect((await t.post(`/api/runs/${ann}/rerun`)).body.detail).toMatch(/it was erased/)
  const [entry] = (await t.get('/api/audit?action=eraseTrash')).body.items
  expect(entry).toMatchObject({ target: { kind: 'trash', id: 'ann' } })
})

test('of edits that are large together the older ones are shown without their bodies, which can be read one by one, and there is an end to editing', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const versions = Array.from({ length: 99 }, (_, n) => ({
    ...{ version: n + 1, headers: {}, contentType: 'text/plain', by: 'ann', createdAt: '2026-03-01T10:00:00Z' },
    bodyText: n > 95 ? String(n).repeat(3 * 1024 * 1024) : String(n),
  }))
  expect((await send(t, line({ versions }))).body).toMatchObject({ imported: 1 })
  const edit = () => t.send('PUT', '/api/trash/i1', { json: { body: 'last' } })
  expect((await edit()).status).toBe(200)
  const { body } = await t.get('/api/trash/i1')
  const shown = (body.versions as { body?: string }[]).map((version) => version.body?.slice(0, 4))
  expect([shown.length, shown[95], shown[96], ...shown.slice(-3)]).toEqual([
    100,
    undefined,
    undefined,
    '9797',
    '9898',
    'last',
  ])
  const { bodyBase64 } = (await t.get('/api/trash/i1/body?version=1')).body
  expect(Buffer.from(bodyBase64, 'base64').toString()).toBe('0')
  expect(await edit()).toMatchObject({
    status: 409,
    body: { detail: expect.stringMatching(/edited 100 times/) as string },
  })
  expect((await t.get('/api/trash/export')).text.length).toBeGreaterThan(18 * 1024 * 1024)
})
