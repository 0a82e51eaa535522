import { expect, test } from 'vitest'
import { bridgeOf, callsOf, orders } from '../running.ts'
import { over, sendRecords } from './send.ts'

const json = 'application/json'
const ndjson = 'application/x-ndjson'
const csv = 'text/csv'

const done = () => ({ body: 'x' })

test.each([
  [json, '\ufeff[ {"n": 1.0},\n{"n":12345678901234567890}, "s" ]', ['{"n": 1.0}', '{"n":12345678901234567890}', '"s"']],
  [ndjson, '{"n":1}\n\n{"n":2}\r\n3', ['{"n":1}', '{"n":2}', '3']],
  ['application/jsonl; charset=utf-8', '1\n2', ['1', '2']],
  ['application/json-seq', '\x1e{"n":\n1}\n\x1e2\n', ['{"n":\n1}', '2']],
  [csv, 'id,name\r\n1,"a ""b"",\nc"\n2,ž\r', ['{"id":"1","name":"a \\"b\\",\\nc"}', '{"id":"2","name":"ž"}']],
])('each record of %s is a message, byte for byte, and the run counts them', async (type, body, records) => {
  const { t, worker } = await orders(done)
  await bridgeOf(t)
  const answer = await sendRecords(t, body, { type })
  expect([answer.status, answer.body]).toEqual([202, { runId: answer.body.runId, records: records.length, trashed: 0 }])
  expect(answer.headers.get('location')).toBe(`/api/runs/${answer.body.runId}`)
  const run = await over(t, answer.body.runId)
  expect(run).toMatchObject({ state: 'finished', messages: { total: records.length, done: records.length } })
  expect(run).toMatchObject({ intake: { state: 'complete', records: records.length, error: null } })
  const got = callsOf(worker).filter(({ node }) => node === 'a')
  expect(got.map(({ body }) => body)).toEqual(records)
})
