import { createHash, createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { Unavailable } from '../../runtime/errors.ts'
import { applyOutcomes, position } from '../../runtime/store/outcomes.ts'
import { openStore } from '../../runtime/store/store.ts'
import type { Store } from '../../runtime/store/store.ts'
import { openApi } from '../api/open.ts'
import { freshDatabase } from '../support/database.ts'
import { overriding } from '../support/overriding.ts'
import { github, openHook, secret, startsOf, storedIn } from './open.ts'
import type { HookApi } from './open.ts'

const verify = { scheme: 'github' }

/** Sends the delivery `id` once. */
const send = (hook: HookApi, id: string, raw = 'x') => hook.deliver({ raw, headers: github(raw, id) })

test('a delivery that comes again is the same run, however many come at once', async () => {
  const hook = await openHook({ verify })
  const answers = await Promise.all(Array.from({ length: 8 }, () => send(hook, 'd1')))
  expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(202))
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
  const other = await send(hook, 'd2')
  const starts = await startsOf(hook, 2)
  expect(starts.map(({ run }) => run)).toEqual([answers[0]?.body.runId, other.body.runId])
})

test.each([
  [{ verify: { scheme: 'shopify' } }, 'x-shopify-webhook-id'],
  [{ accept: { deliveryId: 'header:Idempotency-Key' } }, 'idempotency-key'],
])('%j knows deliveries by the header %s', async (node, name) => {
  const hook = await openHook(node)
  const headers = { [name]: 'id-1', 'x-shopify-hmac-sha256': createHmac('sha256', secret).update('x').digest('base64') }
  const [one, two] = [await hook.deliver({ raw: 'x', headers }), await hook.deliver({ raw: 'x', headers })]
  expect([one.status, two.body.runId]).toEqual([202, one.body.runId])
})

test('by a field of the body, too, and each delivery without an id is a run of its own', async () => {
  const hook = await openHook({ accept: { deliveryId: '/id' } })
  const ids = []
  for (const json of [{ id: 'evt_1' }, { id: 'evt_1', again: true }, { id: 'evt_2' }, {}, {}, { id: { no: 'text' } }])
    ids.push((await hook.deliver({ json })).body.runId)
  expect(ids[1]).toBe(ids[0])
  expect(new Set(ids).size).toBe(5)
})

test('one id of two tenants is two deliveries', async () => {
  const hook = await openHook({ accept: { deliveryId: '/id', tenant: 'query:t' } })
  const run = async (t: string) => (await hook.deliver({ query: `?t=${t}`, json: { id: 1 } })).body.runId
  expect(await run('a')).toBe(await run('a'))
  expect(await run('a')).not.toBe(await run('b'))
})

test('no key that a client sends takes the place of a delivery', async () => {
  const hook = await openHook({ accept: { deliveryId: '/id' } })
  const key = `delivery:${createHash('sha256')
    .update(JSON.stringify([null, '1']))
    .digest('hex')}`
  const { runId } = (await hook.t.post('/api/topologies/shop/run', { node: 'paid', key })).body
  const delivered = await hook.deliver({ json: { id: '1' } })
  expect([delivered.status, delivered.body.runId === runId]).toEqual([202, false])
  expect(await storedIn(hook)).toBe(2)
})

test('an id may be as long as headers may be, and hold anything', async () => {
  const hook = await openHook({ accept: { deliveryId: 'header:x-id' } })
  const once = () => hook.deliver({ raw: 'x', headers: { 'x-id': `é"${'x'.repeat(10_000)}` } })
  const [one, two] = [await once(), await once()]
  expect([one.status, two.body.runId]).toEqual([202, one.body.runId])
})

test('a delivery is known by its run when its queue has forgotten it', async () => {
  const hook = await openHook({ verify })
  const first = await send(hook, 'd1')
  const { t, topologyId } = hook
  const outcomes = await startsOf(hook, 1)
  const from = await position(t.store, topologyId, 'e')
  await applyOutcomes(t.store, topologyId, { epoch: 'e', from, to: 1 }, outcomes)
  const { jsm } = t.queues.connection
  await jsm.streams.purge(`SLUICE_${topologyId}`)
  expect((await send(hook, 'd1')).body).toEqual(first.body)
  expect(await storedIn(hook)).toBe(0)
})

test('what was noted and never published, since a control died between the two, is published when it comes again', async () => {
  const hook = await openHook({ verify })
  const { start } = hook.t.queues.control
  hook.t.queues.control.start = () => Promise.reject(new Unavailable('nats', 'died'))
  expect((await send(hook, 'd1')).status).toBe(503)
  hook.t.queues.control.start = start
  const again = await send(hook, 'd1')
  expect(again.status).toBe(202)
  expect((await startsOf(hook, 1))[0]?.run).toBe(again.body.runId)
})

test('over a limit new deliveries are refused, and those that were accepted are not', async () => {
  const limits = { maxMessages: 1 }
  const hook = await openHook({ verify }, { given: await openApi({ limits }) })
  const first = await send(hook, 'd1')
  const refused = await send(hook, 'd2')
  expect([first.status, refused.status, refused.headers.get('retry-after')]).toEqual([202, 429, '5'])
  expect((await send(hook, 'd1')).body).toEqual(first.body)
})

/** A webhook whose Postgres can go away. */
async function openSevered(): Promise<{ hook: HookApi; store: Store; sever(): void }> {
  const real = openStore(await freshDatabase(), 4)
  const state = { away: false }
  const query: Store['query'] = (work) =>
    state.away ? Promise.reject(new Unavailable('postgres', 'severed')) : real.query(work)
  const hook = await openHook({ verify }, { given: await openApi({ store: overriding(real, { query }) }) })
  // For another control, which isn't cut off.
  const store = overriding(real, { close: () => Promise.resolve() })
  return { hook, store, sever: () => void (state.away = true) }
}

test('with Postgres away deliveries to a known address are taken, each once, and unknown ones come again later', async () => {
  const { hook, sever } = await openSevered()
  await send(hook, 'd0')
  sever()
  const [one, two] = [await send(hook, 'd1'), await send(hook, 'd1')]
  expect([one.status, two.status, two.text]).toEqual([202, 202, one.text])
  expect(await startsOf(hook, 2)).toHaveLength(2)
  expect(await storedIn(hook)).toBe(2)
  const unknown = await hook.deliver({ path: `${hook.path}x`, raw: 'x' })
  expect([unknown.status, unknown.headers.get('retry-after')]).toEqual([503, '2'])
  expect((await hook.deliver({ raw: 'x', headers: github('y') })).status).toBe(401)
})

test.each([
  ['a revoked address', 'DELETE', undefined],
  ['a replaced secret', 'PUT', { secret: 'another one', graceSeconds: 0 }],
])('%s is useless at other controls, also when Postgres goes away right after', async (_, method, json) => {
  const { hook: there, store, sever } = await openSevered()
  const namespace = there.t.queues.config.name.replace(/_config$/, '')
  const here = await openApi({ store, namespace })
  const deliver = async () => (await there.deliver({ raw: 'x', headers: github('x') })).status
  expect(await deliver()).toBe(202)
  const changed = await here.send(method, `/api/nodes/${there.nodeId}/webhook`, json && { json })
  expect(changed.status).toBeLessThan(300)
  for (const { queues } of [here, there.t]) await queues.connection.nc.flush()
  sever()
  expect(await deliver()).toBe(503)
})

test('with Postgres away a delivery that came long ago comes again later: nobody can know what became of it', async () => {
  const { hook, sever } = await openSevered()
  await send(hook, 'd1')
  const { noteDelivery } = hook.t.queues.control
  hook.t.queues.control.noteDelivery = async (id) => (await noteDelivery(id)) && new Date(Date.now() - 3_600_000)
  sever()
  expect((await send(hook, 'd1')).status).toBe(503)
  expect((await send(hook, 'd2')).status).toBe(202)
  expect(await storedIn(hook)).toBe(2)
})

test('a memory that somebody deleted is made again', async () => {
  const hook = await openHook({ verify })
  await send(hook, 'd1')
  const { jsm } = hook.t.queues.connection
  for await (const name of jsm.streams.names('$KV.*_intake.>'))
    if (name === `KV_${hook.t.queues.config.name.replace(/_config$/, '_intake')}`) await jsm.streams.delete(name)
  expect((await send(hook, 'd2')).status).toBe(503)
  expect((await send(hook, 'd2')).status).toBe(202)
})
