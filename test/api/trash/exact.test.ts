import { expect, test } from 'vitest'
import { applyOutcomes, position } from '../../../runtime/store/outcomes.ts'
import { started, trashed } from '../../store/outcome-samples.ts'
import { nodeOf, openApi, published } from '../open.ts'

test('what a message holds comes back byte by byte, in each of its versions, and an edit keeps all other bytes', async () => {
  const t = await openApi()
  const { id } = await published(t, 'orders')
  const node = await nodeOf(t, 'orders', 'a')
  const body = new TextEncoder().encode('{ "id": 12345678901234567890 }')
  const message = { ...trashed('r1', 'x1').message, contentType: 'application/json', headers: { 'x-shop': 'brno' } }
  const from = await position(t.store, id, 'e')
  await applyOutcomes(t.store, id, { epoch: 'e', from, to: from + 2 }, [
    started('r1'),
    trashed('r1', 'x1', { nodeId: node.id, message, body }),
  ])
  const read = async (query = '') => {
    const { bodyBase64, ...rest } = (await t.get(`/api/trash/x1/body${query}`)).body
    return { ...rest, text: Buffer.from(bodyBase64, 'base64').toString() }
  }
  const original = { contentType: 'application/json', headers: { 'x-shop': 'brno' } }
  expect(await read()).toEqual({ version: 0, ...original, text: '{ "id": 12345678901234567890 }' })
  const edited = '{ "id": 12345678901234567890, "zip": "6020" }'
  await t.send('PUT', '/api/trash/x1', { json: { bodyBase64: Buffer.from(edited).toString('base64') } })
  expect(await read()).toEqual({ version: 1, ...original, text: edited })
  expect((await read('?version=0')).text).toBe('{ "id": 12345678901234567890 }')
  expect((await t.get('/api/trash/x1/body?version=2')).status).toBe(404)
  expect((await t.get('/api/trash/nope/body')).status).toBe(404)
  expect((await t.get('/api/trash/x1/body?version=-1')).status).toBe(400)
})

test('a run without a start message says so', async () => {
  const t = await openApi()
  expect((await t.get('/api/runs/nope/start')).status).toBe(404)
})
