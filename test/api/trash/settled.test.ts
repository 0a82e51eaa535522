import { expect, test } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import type { Answer, Seen } from '../../support/fake-worker.ts'
import { bridgeOf, ended, orders, start } from '../running.ts'

/** `a` reads a page of three records and proposes a watermark; `b` refuses what isn't good. */
function script({ node, body }: Seen): Answer {
  if (node === 'b') return body.includes('good') ? { status: 204 } : { status: 422, body: 'not good' }
  const headers = { 'content-type': 'application/json', 'sluice-watermark': '7' }
  return { headers, body: '["bad 1","bad 2","bad 3"]' }
}

test('a failed run is finished when its Trash is settled, some replayed and some discarded, and what waited for a clean run is committed', async () => {
  const a = { type: 'batch', emit: 'records', watermark: { commit: 'clean' } }
  const { t } = await orders(script, { a })
  await bridgeOf(t)
  const run = await start(t)
  expect(await ended(t, run)).toMatchObject({ state: 'failed', messages: { total: 3, failed: 3 } })
  const watermarks = async () => (await t.get('/api/watermarks?topology=orders')).body.items
  const [again, given, mended] = (await t.get(`/api/trash?run=${run}`)).body.items.map(({ id }) => id)
  await t.send('POST', `/api/trash/${again}/replay`)
  const back = await eventually('it has failed again', async () => {
    const { items } = (await t.get(`/api/trash?run=${run}&state=open`)).body
    return items.length === 3 && items.every(({ id }) => id !== again) && (items[0] ?? false)
  })
  await t.post(`/api/trash/${back.id}/discard`, { reason: 'a test' })
  await t.post(`/api/trash/${given}/discard`)
  await eventually('two are discarded', async () => {
    const { body } = await t.get(`/api/runs/${run}`)
    return (body.messages as { discarded: number }).discarded === 2
  })
  expect((await t.get(`/api/runs/${run}`)).body).toMatchObject({ state: 'failed', messages: { total: 3, failed: 1 } })
  expect(await watermarks()).toEqual([])
  await t.send('PUT', `/api/trash/${mended}`, { json: { body: 'good' } })
  await t.send('POST', `/api/trash/${mended}/replay`)
  const { messages } = await eventually('it is finished', async () => {
    const { body } = await t.get(`/api/runs/${run}`)
    return body.state === 'finished' && body
  })
  expect(messages).toEqual({ total: 3, done: 1, failed: 0, discarded: 2, cancelled: 0, inProgress: 0 })
  expect(await watermarks()).toMatchObject([{ watermark: '7', runId: run }])
})
