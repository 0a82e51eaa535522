import { expect, test } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import type { Answer } from '../../support/fake-worker.ts'
import { heard } from '../heard.ts'
import { nodeOf, openApi } from '../open.ts'
import type { TestApi } from '../open.ts'
import { callsOf } from '../running.ts'
import { limited, run, stateOf, untilState } from './geo.ts'

/** A service that asks to wait for a day until it is told otherwise. */
function moody() {
  const mood = { isBusy: true }
  const answer = (): Answer => (mood.isBusy ? { status: 429, headers: { 'retry-after': '86400' } } : { status: 204 })
  return { mood, answer }
}

/** Its limits are counted by tenants, whose messages are put off when they wait. */
const perTenant = (answer: () => Answer) =>
  limited({ limits: [{ rate: 100, per: 'second', scope: 'tenant' }] }, { a: { service: 'geo', prefetch: 5 } }, answer)

const resume = (t: TestApi, query = '') => t.post(`/api/services/geo/resume${query}`)

const doneOf = async (t: TestApi): Promise<number> => {
  const { items } = (await t.get('/api/runs?state=finished')).body as unknown as { items: unknown[] }
  return items.length
}

test('a service that asked to wait for a day is called again when a person says so, and waits when it asks anew', async () => {
  const { mood, answer } = moody()
  const { t, worker } = await limited({ limits: [{ rate: 100, per: 'second' }] }, { a: { service: 'geo' } }, answer)
  await run(t)
  await untilState(t, { shared: { asked: { times: 1 } }, backlog: 1 })
  const [resumed, event] = await heard(t, 'service', () => resume(t))
  expect(resumed.body).toEqual({ ended: 1 })
  expect(event).toEqual({ kind: 'service', name: 'geo', removed: false })
  const { shared } = await untilState(t, { shared: { asked: { retryAfterMs: 86_400_000, times: 2 } } })
  expect(shared.pausedUntil).not.toBeNull()
  mood.isBusy = false
  expect((await resume(t)).body).toEqual({ ended: 1 })
  await eventually('the run is finished', async () => (await doneOf(t)) === 1)
  expect(callsOf(worker).filter(({ node }) => node === 'a')).toHaveLength(3)
  expect(await stateOf(t)).toMatchObject({ shared: { pausedUntil: null, asked: { times: 2 } } })
  expect((await resume(t)).body).toEqual({ ended: 0 })
  const { items } = (await t.get('/api/audit?action=resumeService')).body as unknown as { items: unknown[] }
  expect(items).toHaveLength(2)
  expect(items[0]).toMatchObject({ before: { paused: 1 }, after: { pausedUntil: null, paused: 0 } })
})

test('one tenant is called again while another waits; what was put off until then comes at once', async () => {
  const { mood, answer } = moody()
  const { t } = await perTenant(answer)
  for (const tenant of ['acme', 'acme', 'zoë']) await run(t, tenant)
  await untilState(t, {
    items: [
      { who: 'acme', asked: {} },
      { who: 'zoë', asked: {} },
    ],
  })
  await eventually('all are put off', async () => {
    const { items } = (await t.get('/api/queues?topology=orders')).body as unknown as {
      items: { node: string; delayed: number; inFlight: number; pending: number }[]
    }
    return items.find(({ node }) => node === 'a')?.delayed === 3
  })
  mood.isBusy = false
  expect((await resume(t, `?tenant=${encodeURIComponent('nobody')}`)).body).toEqual({ ended: 0 })
  expect((await resume(t, '?tenant=acme')).body).toEqual({ ended: 1 })
  await eventually('those of the tenant are done', async () => (await doneOf(t)) === 2)
  const { items } = await untilState(t, { items: [{ pausedUntil: null }, { who: 'zoë' }], backlog: 1 })
  expect(items[1]?.pausedUntil).not.toBeNull()
  expect((await resume(t)).body).toEqual({ ended: 1 })
  await eventually('all are done', async () => (await doneOf(t)) === 3)
})

test('tenants are called again one by one, whichever asked first', async () => {
  const { mood, answer } = moody()
  const { t } = await perTenant(answer)
  for (const tenant of ['first', 'last']) {
    await run(t, tenant)
    await eventually('it has asked', async () => (await stateOf(t, `?tenant=${tenant}`)).items[0]?.asked !== null)
  }
  mood.isBusy = false
  for (const [n, tenant] of ['last', 'first'].entries()) {
    expect((await resume(t, `?tenant=${tenant}`)).body).toEqual({ ended: 1 })
    await eventually('it is done', async () => (await doneOf(t)) === n + 1)
    // A control moves turns once more for bridges that hear late, and has then seen to it.
    await eventually('its turns are moved', async () => {
      const { state } = await t.queues.control.cell('moved.geo')
      return state !== null && !state.includes('mover')
    })
  }
})

test('a node without a service is called again when it is resumed', async () => {
  const { mood, answer } = moody()
  const { t } = await limited({}, {}, answer)
  await run(t)
  await eventually('its worker has asked', async () => (await t.queues.control.limited()).size === 1)
  mood.isBusy = false
  const { id } = await nodeOf(t, 'orders', 'a')
  expect((await t.send('PATCH', `/api/nodes/${id}`, { json: { paused: false } })).status).toBe(200)
  await eventually('the run is finished', async () => (await doneOf(t)) === 1)
  const { items } = (await t.get('/api/audit?action=changeNode')).body as unknown as { items: unknown[] }
  expect(items).toMatchObject([{ before: { pausedUntil: expect.any(String) as string }, after: { pausedUntil: null } }])
  await t.send('PATCH', `/api/nodes/${id}`, { json: { paused: false } })
  expect((await t.get('/api/audit?action=changeNode')).body.items).toHaveLength(1)
})

test('strange questions are refused, and it needs the scope operate', async () => {
  const t = await openApi()
  expect((await resume(t)).status).toBe(404)
  await t.post('/api/services', { name: 'geo', limits: [{ rate: 1, per: 'second' }] })
  for (const query of ['?tenant=', '?tenant=%00', '?tenants=a', `?tenant=${'x'.repeat(201)}`])
    expect((await resume(t, query)).status, query).toBe(400)
  expect((await resume(t)).body).toEqual({ ended: 0 })
  const { token } = (await t.post('/api/tokens', { name: 'reader', scopes: ['read', 'design'] })).body
  expect((await t.send('POST', '/api/services/geo/resume', { token })).status).toBe(403)
})
