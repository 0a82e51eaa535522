import { expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import type { Answer } from '../support/fake-worker.ts'
import { bridgeOf, callsOf, ended, orders, start } from './running.ts'

test('a cancelled run ends as cancelled with its counters exact, and cancelling it again is fine', async () => {
  const { t, worker } = await orders(() => ({ status: 204 }))
  const run = await start(t)
  const first = await t.post(`/api/runs/${run}/cancel`)
  expect(first).toMatchObject({
    status: 202,
    body: { state: 'cancelling', note: expect.stringContaining('no bridge') as string },
  })
  expect((await t.get(`/api/runs/${run}`)).body).toMatchObject({
    cancelRequestedAt: expect.stringContaining('T') as string,
  })
  await bridgeOf(t)
  const messages = { total: 1, done: 0, failed: 0, discarded: 0, cancelled: 1, inProgress: 0 }
  expect(await ended(t, run)).toMatchObject({ state: 'cancelled', messages })
  const again = await t.post(`/api/runs/${run}/cancel`)
  expect(again).toMatchObject({ status: 202, body: { state: 'cancelled', note: null } })
  expect(callsOf(worker)).toHaveLength(0)
})

test('a run that is over cannot be cancelled, nor one that does not exist', async () => {
  const { t } = await orders(() => ({ status: 204 }))
  await bridgeOf(t)
  const run = await start(t)
  await ended(t, run)
  const answer = await t.post(`/api/runs/${run}/cancel`)
  expect(answer).toMatchObject({ status: 409, body: { detail: expect.stringContaining('finished already') as string } })
  expect((await t.post('/api/runs/nobody/cancel')).status).toBe(404)
})

test('who cancels a run of a topology that is not published is told that it waits for that', async () => {
  const { t } = await orders(() => ({ status: 204 }))
  await bridgeOf(t)
  await t.send('PATCH', '/api/topologies/orders', { json: { paused: true } })
  const run = await start(t)
  await eventually('it is recorded', async () => (await t.get(`/api/runs/${run}`)).status === 200)
  await t.post('/api/topologies/orders/unpublish')
  const { body } = await t.post(`/api/runs/${run}/cancel`)
  expect(body).toMatchObject({ state: 'cancelling', note: expect.stringContaining('is not published') as string })
  await t.post('/api/topologies/orders/publish')
  expect(await ended(t, run)).toMatchObject({ state: 'cancelled', messages: { cancelled: 1, total: 1 } })
})

test('a message that is delayed for an hour is cancelled at once', async () => {
  const retry = { attempts: 3, backoff: 'fixed', baseMs: 3_600_000, maxMs: 3_600_000 }
  const { t, worker } = await orders(() => ({ status: 500 }), { a: { prefetch: 2, retry } })
  await bridgeOf(t)
  const run = await start(t)
  await eventually('it was called', () => callsOf(worker).length === 1 && worker.open === 0)
  await t.post(`/api/runs/${run}/cancel`)
  expect(await ended(t, run)).toMatchObject({ state: 'cancelled', messages: { cancelled: 1, total: 1 } })
})

test('what a cancelled run has in Trash can be replayed when it has drained, and not before', async () => {
  let release = (): void => undefined
  const released = new Promise<void>((resolve) => (release = resolve))
  let answer: Answer = { status: 422 }
  const { t } = await orders(async ({ node, body }) => {
    if (node === 'a')
      return { body: '[1,2]', headers: { 'content-type': 'application/json', 'sluice-emit': 'records' } }
    if (body === '2') await released
    return body === '2' ? { status: 422 } : answer
  })
  await bridgeOf(t)
  const run = await start(t)
  const [row] = await eventually('one is in Trash', async () => {
    const { items } = (await t.get('/api/trash')).body
    return items.length === 1 && items
  })
  await t.post(`/api/runs/${run}/cancel`)
  expect((await t.post(`/api/trash/${row?.id}/replay`)).body.detail).toContain('being cancelled')
  release()
  expect(await ended(t, run)).toMatchObject({ state: 'cancelled', messages: { cancelled: 1, failed: 1, total: 2 } })
  answer = { status: 204 }
  await eventually('a replay is taken', async () => (await t.post(`/api/trash/${row?.id}/replay`)).status === 202)
  await eventually('it is done', async () => {
    const { messages } = (await t.get(`/api/runs/${run}`)).body
    expect(messages).toMatchObject({ done: 1, cancelled: 1, failed: 0, inProgress: 0 })
  })
})
