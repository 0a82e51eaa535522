import { expect, onTestFinished, test } from 'vitest'
import { openSweep } from '../../../runtime/api/api.ts'
import { silentLog } from '../../../runtime/telemetry/log.ts'
import { eventually } from '../../support/eventually.ts'
import { beat, chain, nodeOf, openApi, published } from '../open.ts'
import type { Status } from '../../../runtime/client/openapi.d.ts'
import { bridgeFindings } from '../../../runtime/commands/doctor/trouble.ts'
import { callsOf, start } from '../running.ts'
import { limited, run, stateOf, untilState, waitsOf } from './geo.ts'

const secondsFromNow = (time: string | null): number => (Date.parse(time ?? '') - Date.now()) / 1_000

test('what waits for a limit is counted, and when it will be done is known from the backlog and the rate', async () => {
  const { t } = await limited({ limits: [{ rate: 2, per: 'minute', burst: 1 }] }, { a: { service: 'geo' } })
  for (let n = 0; n < 4; n++) await start(t)
  const state = await untilState(t, { shared: { waiting: 1 }, by: 'declared' })
  expect(state).toMatchObject({
    items: [],
    next: null,
    users: [{ topology: 'orders', node: 'a', published: true, limitCost: 1 }],
    shared: { who: null, inFlight: null, pausedUntil: null, asked: null, turnsEndAt: null, awayBridges: [] },
  })
  expect(state.shared.declaredPerSecond).toBeCloseTo(2 / 60)
  // The first permit may have been void before it was used, on a busy machine; the next one comes 31.2 s later.
  expect([3, 4]).toContain(state.backlog)
  expect(secondsFromNow(state.shared.nextPermitAt)).toBeGreaterThan(20)
  expect(state.secondsLeft).toBeGreaterThan((state.backlog - 1) * 31.2)
  expect(state.secondsLeft).toBeLessThan(state.backlog * 31.2 + 2)
  const { blockers, estimate, waiting } = await waitsOf(t)
  const held = blockers.find(({ kind }) => kind === 'limit')
  expect(held).toMatchObject({ count: 1, text: 'waiting for a permit of service geo: 2 per minute' })
  expect(secondsFromNow(held?.until?.last ?? null)).toBeGreaterThan(20)
  expect(waiting).toMatchObject({ limit: 1, retry: 0 })
  expect(estimate.by).toBe('declared')
  expect(Math.abs((estimate.secondsLeft ?? 0) - (state.secondsLeft ?? 0))).toBeLessThan(40)
})

test('a change of the limit is seen at once, also in what is known of its end', async () => {
  const { t, worker } = await limited({ limits: [{ rate: 1, per: 'hour', burst: 1 }] }, { a: { service: 'geo' } })
  for (let n = 0; n < 3; n++) await start(t)
  const { secondsLeft } = await untilState(t, { shared: { waiting: 1 } })
  expect(secondsLeft).toBeGreaterThan(3_600)
  await t.send('PUT', '/api/services/geo', { json: { limits: [{ rate: 2, per: 'hour', burst: 1 }] } })
  // It isn't what it was when the wait began.
  await eventually('what waits says what it waits for now', async () => {
    const [blocker] = (await waitsOf(t)).blockers.filter(({ kind }) => kind === 'limit')
    expect(blocker?.text).toBe('waiting for a permit of service geo: 2 per hour')
    expect(secondsFromNow(blocker?.until?.last ?? null)).toBeLessThan(1_900)
    return true
  })
  await t.send('PUT', '/api/services/geo', { json: { limits: [] } })
  await eventually('all are called', () => callsOf(worker).filter(({ node }) => node === 'a').length === 3)
  await untilState(t, { backlog: 0, secondsLeft: 0, by: 'nothing-waits', shared: { declaredPerSecond: null } })
})

test('limits per tenant have a key for each, page by page; whose turn comes later waits for a limit, not since it failed', async () => {
  const { t } = await limited(
    { limits: [{ rate: 1, per: 'minute', burst: 1, scope: 'tenant' }] },
    { a: { service: 'geo', prefetch: 5 } },
  )
  for (const tenant of ['acme', 'acme', 'acme', 'zoë & co/*.>', undefined]) await run(t, tenant)
  const all = await eventually('both have their turns', async () => {
    const state = await stateOf(t)
    const acme = state.items.find(({ who }) => who === 'acme')
    return state.items.length === 3 && secondsFromNow(acme?.turnsEndAt ?? null) > 60 && state
  })
  expect(all.items.map(({ who }) => who)).toEqual([null, 'acme', 'zoë & co/*.>'])
  expect(all.items[1]).toMatchObject({ scope: 'tenant', waiting: 0 })
  expect(secondsFromNow(all.items[1]?.nextPermitAt ?? null)).toBeGreaterThan(40)
  const first = await stateOf(t, '?limit=2')
  expect(first.items.map(({ who }) => who)).toEqual([null, 'acme'])
  const rest = await stateOf(t, `?limit=2&after=${first.next}`)
  expect(rest).toMatchObject({ items: [{ who: 'zoë & co/*.>' }], next: null })
  const one = await stateOf(t, `?tenant=${encodeURIComponent('zoë & co/*.>')}`)
  expect(one.items.map(({ who }) => who)).toEqual(['zoë & co/*.>'])
  // Of whom nothing is known, all is free.
  const { items } = await stateOf(t, '?tenant=nobody')
  expect(items).toMatchObject([{ who: 'nobody', waiting: 0, ratePerSecond: 0, turnsEndAt: null }])
  const { blockers, waiting } = await waitsOf(t)
  const turns = blockers.find(({ text }) => text === 'waiting for a turn at service geo for acme')
  expect(turns).toMatchObject({ kind: 'limit' })
  expect(turns?.count).toBeGreaterThan(1)
  expect(waiting).toMatchObject({ limit: blockers.reduce((sum, { count }) => sum + count, 0), retry: 0 })
})

test('a 429 pauses the key of the tenant that it was for, and it is told what was asked for', async () => {
  const { t } = await limited(
    { maxInFlight: 5, inFlightScope: 'tenant' },
    { a: { service: 'geo', prefetch: 5 } },
    { status: 429, headers: { 'retry-after': '60' } },
  )
  await run(t, 'acme')
  const { items, shared } = await untilState(t, { items: [{ who: 'acme', asked: { retryAfterMs: 60_000, times: 1 } }] })
  expect(secondsFromNow(items[0]?.pausedUntil ?? null)).toBeGreaterThan(50)
  expect(items[0]?.nextPermitAt).toBe(items[0]?.pausedUntil)
  expect(shared).toMatchObject({ asked: null, pausedUntil: null })
})

test('a service that asked to wait is named where messages wait for it', async () => {
  const answer = { status: 429, headers: { 'retry-after': '60' } }
  const { t } = await limited({ limits: [{ rate: 100, per: 'second' }] }, { a: { service: 'geo' } }, answer)
  await run(t, 'acme')
  const { shared } = await untilState(t, { shared: { asked: { retryAfterMs: 60_000, times: 1 } }, backlog: 1 })
  expect(secondsFromNow(shared.pausedUntil)).toBeGreaterThan(50)
  const state = await untilState(t, { by: 'declared' })
  expect(state.secondsLeft).toBeGreaterThan(50)
  const { blockers } = await eventually('it waits', async () => {
    const found = await waitsOf(t)
    return found.blockers[0]?.kind === 'limit' && found
  })
  expect(blockers).toMatchObject([{ count: 1, text: 'waiting since service geo asked to wait (429)' }])
})

test('calls in flight are counted where they are limited', async () => {
  const { t } = await limited({ maxInFlight: 1 }, { a: { service: 'geo', prefetch: 3 } }, { fail: 'never' })
  for (let n = 0; n < 3; n++) await run(t)
  await untilState(t, { shared: { inFlight: 1, waiting: 2, declaredPerSecond: null }, backlog: 3 })
  const { blockers } = await waitsOf(t)
  expect(blockers.find(({ kind }) => kind === 'limit')).toMatchObject({
    count: 2,
    text: 'waiting for a place among the calls in flight of service geo: 1 at most',
  })
})

test('users are named, of drafts too, and bridges that do not answer', async () => {
  const t = await openApi()
  await t.post('/api/services', { name: 'geo', limits: [{ rate: 1, per: 'second' }] })
  await published(t, 'orders', { a: { service: 'geo' } })
  await t.post('/api/topologies', chain('sketch', { b: { service: 'geo', limitCost: 7 } }))
  expect(await stateOf(t)).toMatchObject({
    backlog: 0,
    secondsLeft: 0,
    users: [{ node: 'a' }, { node: 'b', published: false }],
  })
  await beat(t, 'silent')
  expect((await t.get('/api/services/geo/state')).body.bridges).toEqual({ live: ['silent'], silent: ['silent'] })
})

test('a paused node with a backlog is the reason why its end is not known', async () => {
  const { t } = await limited({ limits: [{ rate: 1, per: 'hour', burst: 1 }] }, { a: { service: 'geo' } })
  const { id } = await nodeOf(t, 'orders', 'a')
  await t.send('PATCH', `/api/nodes/${id}`, { json: { paused: true } })
  await start(t)
  const { reason } = await untilState(t, { backlog: 1, doneAt: null, by: null })
  expect(reason).toBe('nobody knows when this ends: orders/a is paused: paused by admin')
})

test('strange questions are refused, and the state needs the scope read', async () => {
  const t = await openApi()
  expect((await t.get('/api/services/geo/state')).status).toBe(404)
  await t.post('/api/services', { name: 'geo', limits: [{ rate: 1, per: 'second', scope: 'tenant' }] })
  for (const query of [
    'limit=0',
    'limit=501',
    'limit=x',
    'after=%00',
    'after=..',
    'tenant=',
    'tenant=%00',
    'tenants=a',
  ])
    expect((await t.get(`/api/services/geo/state?${query}`)).status, query).toBe(400)
  expect((await t.get(`/api/services/geo/state?tenant=${'x'.repeat(201)}`)).status).toBe(400)
  const { token } = (await t.post('/api/tokens', { name: 'runner', scopes: ['run'] })).body
  expect((await t.send('GET', '/api/services/geo/state', { token })).status).toBe(403)
})

test('a pause is in the status, and counted by service in the metrics, as are calls', async () => {
  const answer = { status: 429, headers: { 'retry-after': '60', 'sluice-limit-cost': '3' } }
  const { t } = await limited({ limits: [{ rate: 100, per: 'second' }] }, { a: { service: 'geo' } }, answer)
  await run(t, 'acme')
  await untilState(t, { shared: { asked: { times: 1 } } })
  const status = (await t.get('/api/status')).body as unknown as Status
  expect(status.pausedLimits).toMatchObject([{ service: 'geo', who: null, node: null, retryAfterMs: 60_000, times: 1 }])
  const { text } = await t.get('/metrics')
  expect(text).toContain('sluice_limit_paused_keys{service="geo"} 1')
})

test('a node without a service is in the status under its own name', async () => {
  const { t } = await limited({}, {}, { status: 429, headers: { 'retry-after': '60' } })
  await run(t)
  const paused = await eventually('it is paused', async () => {
    const status = (await t.get('/api/status')).body as unknown as Status
    return status.pausedLimits.length > 0 && status.pausedLimits
  })
  expect(paused).toMatchObject([{ service: null, topology: 'orders', node: 'a' }])
})

test('a bridge that can not share a limit is in trouble, and told so', async () => {
  const t = await openApi()
  await beat(t, 'b1', { limitsAway: ['geo'] })
  const { bridges } = (await t.get('/api/status')).body as unknown as Status
  const reason = expect.stringContaining('service geo can not be kept in NATS') as string
  expect(bridges).toMatchObject([{ id: 'b1', trouble: [{ kind: 'limit', reason }] }])
  expect(bridgeFindings(bridges)).toMatchObject([{ state: 'warning', text: reason }])
})

test('what asked to wait is forgotten a day after that ended', async () => {
  const t = await openApi()
  const key = { kind: 'service', service: 'geo', who: null, isOwn: false } as const
  const at = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString()
  const one = { key, at: at(30), retryAfterMs: 1, times: 1 }
  const { signal } = new AbortController()
  await t.queues.limits.tell('old', { ...one, until: at(25) }, signal)
  await t.queues.limits.tell('young', { ...one, until: at(23) }, signal)
  const sweep = openSweep({ store: t.store, queues: t.queues.control, events: t.queues.events, log: silentLog })
  onTestFinished(() => sweep.close())
  await eventually('the old one is gone', async () => [...(await t.queues.control.limited()).keys()].join() === 'young')
})
