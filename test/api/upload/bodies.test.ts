import { expect, test } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { openApi, published } from '../open.ts'
import type { TestApi } from '../open.ts'
import { bridgeOf, callsOf, orders } from '../running.ts'
import { over, recording, runWhen, sendRecords } from './send.ts'

const json = 'application/json'
const ndjson = 'application/x-ndjson'
const csv = 'text/csv'

const done = () => ({ body: 'x' })

const formats = [
  [json, '\ufeff[ {"n": 1.0},\n{"n":12345678901234567890}, "s" ]', ['{"n": 1.0}', '{"n":12345678901234567890}', '"s"']],
  [ndjson, '{"n":1}\n\n{"n":2}\r\n3', ['{"n":1}', '{"n":2}', '3']],
  ['application/jsonl; charset=utf-8', '1\n2', ['1', '2']],
  ['application/json-seq', '\x1e{"n":\n1}\n\x1e2\n', ['{"n":\n1}', '2']],
  [csv, 'id,name\r\n1,"a ""b"",\nc"\n2,ž\r', ['{"id":"1","name":"a \\"b\\",\\nc"}', '{"id":"2","name":"ž"}']],
] as const

test('each record of a body is a message, byte for byte and in order, and the run counts them', async () => {
  const { t, worker } = await orders(done)
  await bridgeOf(t)
  for (const [type, body, records] of formats) {
    const answer = await sendRecords(t, body, { type, query: '&tenant=ann', headers: { 'x-shop': 'brno' } })
    const { runId } = answer.body
    expect([answer.status, answer.body]).toEqual([202, { runId, records: records.length, trashed: 0 }])
    expect(answer.headers.get('location')).toBe(`/api/runs/${runId}`)
    const run = await over(t, runId)
    expect(run).toMatchObject({ state: 'finished', messages: { total: records.length, done: records.length } })
    expect(run).toMatchObject({ tenant: 'ann', intake: { state: 'complete', records: records.length, error: null } })
    const got = callsOf(worker)
      .filter(({ node }) => node === 'a')
      .slice(-records.length)
    expect(got.map(({ body }) => body)).toEqual(records)
    expect(got[0]?.headers).toMatchObject({ 'x-shop': 'brno', 'content-type': json, 'sluice-tenant': 'ann' })
  }
})

const trashOf = (t: TestApi, run: string) =>
  eventually('it is in Trash', async () => {
    const { items } = (await t.get(`/api/trash?run=${run}`)).body
    return items.length > 0 && items
  })

test('a row that is none is in Trash at its node with its line and its text, the rest goes on, and mended it follows', async () => {
  const { t, worker } = await orders(done)
  await bridgeOf(t)
  const sent = await sendRecords(t, 'id,name\n1,a\n2\n3,c\n', { type: csv })
  expect(sent.body).toMatchObject({ records: 2, trashed: 1 })
  const run = await over(t, sent.body.runId)
  expect(run).toMatchObject({ state: 'failed', messages: { total: 3, done: 2, failed: 1 } })
  const [row] = await trashOf(t, run.id)
  const { body: item } = await t.get(`/api/trash/${row?.id}`)
  expect(item).toMatchObject({ node: 'start', body: 'id,name\n2', contentType: csv, attempts: [] })
  expect(item).toMatchObject({
    error: { type: 'urn:sluice:no-record', detail: 'line 3 has one field, and the first line names 2' },
  })

  const early = await t.post(`/api/trash/${item.id}/replay`)
  expect([early.status, early.body.detail]).toEqual([
    409,
    expect.stringMatching(/^it is no record yet \(line 2 has one field.*below the line with the names of the columns/),
  ])
  await t.send('PUT', `/api/trash/${item.id}`, { json: { body: 'id,name\n2,b' } })
  expect((await t.post(`/api/trash/${item.id}/replay`)).status).toBe(202)
  await runWhen(t, run.id, ({ state }) => state === 'finished')
  expect((await over(t, run.id)).messages).toMatchObject({ total: 3, done: 3, failed: 0 })
  expect(
    callsOf(worker)
      .filter(({ node }) => node === 'a')
      .map(({ body }) => body),
  ).toContain('{"id":"2","name":"b"}')
})

test('with several followers each record goes to all, and what is none to Trash once', async () => {
  const { t, worker } = await orders(done)
  const { document } = (await t.get('/api/topologies/orders')).body
  const edges = [...document.edges, { from: 'start', to: 'b' }]
  await t.send('PUT', '/api/topologies/orders', { json: { ...document, edges } })
  await t.post('/api/topologies/orders/publish')
  await bridgeOf(t)
  const { body } = await sendRecords(t, '1\nbad\n2\n')
  const run = await over(t, body.runId)
  expect(run.messages).toMatchObject({ total: 5, done: 4, failed: 1 })
  expect(
    callsOf(worker)
      .map(({ node, body }) => `${node} ${body}`)
      .filter((call) => call.startsWith('b '))
      .sort(),
  ).toEqual(['b 1', 'b 2', 'b x', 'b x'])
})

test('a body that is broken is a 400 that says where, and what came before it is accepted', async () => {
  const t = await recording()
  const { status, body } = await sendRecords(t, '[{"n":1},\n{"n":2}', { type: json })
  expect(status).toBe(400)
  expect(body).toMatchObject({ records: 2, trashed: 0, byte: 17, line: 2 })
  expect(body.detail).toBe(
    'the array is not closed (byte 17, line 2); 2 records before it are accepted, and 0 are in Trash',
  )
  await runWhen(t, body.runId, (run) => (run as { intake?: { state: string } }).intake?.state === 'broken')
  expect((await t.get(`/api/runs/${body.runId}`)).body.messages).toMatchObject({ total: 1, inProgress: 1 })
})

test('a body with nothing to accept is a 400, and no run', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const bodies = [
    [json, '', 'the body is empty: expected a JSON array (byte 0, line 1)'],
    [json, '{"n":1}', 'the body is no JSON array: expected [ (byte 0, line 1)'],
    [csv, '', 'the body is empty: expected a line with the names of the columns (byte 0, line 1)'],
    [csv, 'id,name,id\n1,2,3', 'columns 1 and 3 have the same name (byte 0, line 1)'],
    [csv, 'id,\n1,2', 'the first line has to name the columns, and column 2 has no name (byte 0, line 1)'],
    [ndjson, Uint8Array.of(0xff, 0xfe, 0x31, 0), 'the body is UTF-16: send it as UTF-8 (byte 0, line 1)'],
  ] as const
  for (const [type, body, detail] of bodies) {
    const answer = await sendRecords(t, body, { type })
    expect([answer.status, answer.body.detail]).toEqual([400, `nothing is accepted: ${detail}`])
    expect(answer.body.runId).toBeUndefined()
  }
})

test('a body without records is a run without messages', async () => {
  const t = await recording()
  const bodies = { [json]: '[]', [ndjson]: '\n\r\n', 'application/jsonl': '', [csv]: 'id,name\n' }
  for (const [type, body] of Object.entries(bodies)) {
    const answer = await sendRecords(t, body, { type })
    expect(answer).toMatchObject({ status: 202, body: { records: 0, trashed: 0 } })
    expect(await over(t, answer.body.runId)).toMatchObject({ state: 'finished', messages: { total: 0 } })
  }
})

test('what cannot be split is refused before it is read', async () => {
  const t = await openApi()
  await published(t, 'orders')
  const said = async (...[raw, sending]: [string, Parameters<typeof sendRecords>[2]?]) => {
    const { status, body } = await sendRecords(t, raw, sending)
    return `${status} ${body.detail}`
  }
  expect(await said('x', { type: 'text/plain' })).toMatch(
    /^415 .*text\/plain; split=records takes application\/json, .*text\/csv/,
  )
  expect(await said('x', { type: 'text/csv; charset=windows-1250' })).toMatch(/^415 /)
  expect(await said('x', { headers: { 'content-encoding': 'gzip' } })).toMatch(/^415 .*not as gzip/)
  expect(await said('1', { query: '&split=lines' })).toMatch(/^400 /)
  expect((await t.send('POST', '/start/orders/start?split=lines', { raw: '1' })).status).toBe(400)
  await t.send('PATCH', '/api/topologies/orders', { json: { enabled: false } })
  expect(await said('1')).toMatch(/^409 .*is disabled/)
})
