import { expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import type { Answer, FakeWorker, Seen } from '../support/fake-worker.ts'
import { chain, nodeOf } from './open.ts'
import type { TestApi } from './open.ts'
import { bridgeOf, callsOf, orders, start } from './running.ts'

interface Trial {
  readonly id: string
  readonly of: string
  readonly revision: number | null
  readonly result: string
  readonly request: { readonly headers: Record<string, string>; readonly body: unknown; readonly path: string }
  readonly reply: { readonly status: number; readonly headers: Record<string, string>; readonly body: unknown } | null
  readonly verdict: Record<string, unknown> & { readonly outputs: readonly Record<string, unknown>[] }
}

async function tryIt(t: TestApi, node: string, json: object = {}, query = ''): Promise<Trial> {
  const { id } = await nodeOf(t, 'orders', node)
  const answer = await t.send('POST', `/api/nodes/${id}/try${query}`, { json })
  expect(answer.text).toContain('"verdict"')
  return answer.body as unknown as Trial
}

const lastCall = (worker: FakeWorker): Seen => callsOf(worker).at(-1) as Seen
const queued = async (t: TestApi): Promise<number> => {
  const { items } = (await t.get('/api/queues?topology=orders')).body
  return (items as unknown as { pending: number; inFlight: number }[]).reduce((n, q) => n + q.pending + q.inFlight, 0)
}

test('a trial makes the call that a bridge would make, says that it is one, and forwards nothing', async () => {
  const { t, worker } = await orders(({ body }) => ({
    headers: { 'content-type': 'application/json', 'x-by': 'w', 'set-cookie': 'session=1' },
    body: `{"got":${body}}`,
  }))
  await t.send('PUT', '/api/workers/w', { json: { urls: [worker.url], secret: 'whsec_c2VjcmV0' } })
  const headers = { 'x-api-key': 'k1', 'x-shop': 'one' }
  const trial = await tryIt(t, 'a', { body: { n: 1 }, tenant: 'acme', headers, settings: { mode: 'test' } })
  expect(trial).toMatchObject({ of: 'published', revision: 1, result: 'reply' })
  const seen = lastCall(worker).headers
  expect(seen).toMatchObject({
    'sluice-try': '1',
    'sluice-tenant': 'acme',
    'x-api-key': 'k1',
    'idempotency-key': `${trial.id}@a`,
    'ce-correlationid': trial.id,
    'sluice-attempt': '1;max=10',
    'sluice-settings': Buffer.from('{"mode":"test"}').toString('base64url'),
  })
  expect(trial.id).toMatch(/^try-/)
  expect(seen['webhook-signature']).toMatch(/^v1,/)
  expect(trial.request).toMatchObject({ path: '/nodes/a', body: { n: 1 } })
  expect(trial.request.headers).toMatchObject({
    'webhook-signature': '(redacted)',
    'x-api-key': '(redacted)',
    'x-shop': 'one',
  })
  expect(trial.reply).toMatchObject({ status: 200, body: { got: { n: 1 } }, headers: { 'set-cookie': '(redacted)' } })
  expect(trial.verdict).toMatchObject({
    kind: 'forward',
    text: 'goes to b',
    outputs: [{ followers: ['b'], body: { got: { n: 1 } }, tenant: 'acme', headers: { ...headers, 'x-by': 'w' } }],
  })
  expect(await queued(t)).toBe(0)
})

const verdicts: [string, Answer, object][] = [
  ['nothing more', { status: 204 }, { kind: 'end' }],
  ['a retry', { status: 500 }, { kind: 'retry', problem: { title: '500 Internal Server Error' } }],
  ['a wait', { status: 429, headers: { 'retry-after': '7' } }, { kind: 'wait', delayMs: 7000 }],
  ['Trash', { status: 422, body: 'no' }, { kind: 'trash', problem: { status: 422 } }],
  ['a pause', { status: 401, headers: { 'sluice-signature': 'refused' } }, { kind: 'pause' }],
  ['Trash, since redirects are never followed', { status: 302, headers: { location: '/x' } }, { kind: 'trash' }],
  [
    'a malformed reply',
    { body: '{', headers: { 'sluice-emit': 'records' } },
    { kind: 'trash', problem: { type: 'urn:sluice:malformed-reply' } },
  ],
]

test('a trial tells what a bridge would make of the reply', async () => {
  let answer: Answer = {}
  const { t, worker } = await orders(() => answer)
  for (const [what, given, verdict] of verdicts) {
    answer = given
    expect((await tryIt(t, 'a')).verdict, what).toMatchObject(verdict)
  }
  expect(callsOf(worker)).toHaveLength(verdicts.length)
})

test('a reply of many records shows the outputs that it would become, cut', async () => {
  const records = Array.from({ length: 30 }, (_, n) => ({ n, text: 'x'.repeat(100) }))
  const { t } = await orders(() => ({
    headers: { 'content-type': 'application/json', 'sluice-emit': 'records' },
    body: JSON.stringify(records),
  }))
  const { verdict } = await tryIt(t, 'a', {}, '?bytes=10')
  expect(verdict).toMatchObject({ kind: 'split', outputsTotal: 30, messages: 30 })
  expect(verdict.outputs).toHaveLength(20)
  expect(verdict.outputs[0]).toMatchObject({ followers: ['b'], truncated: true, body: '{"n":0,"te' })
})

test('a worker that hangs, or is not there, is told as what it is', async () => {
  const { t } = await orders(() => ({ fail: 'never' }), { a: { timeoutMs: 100 } })
  expect(await tryIt(t, 'a')).toMatchObject({ result: 'timeout', reply: null, verdict: { kind: 'retry' } })
  await t.send('PUT', '/api/workers/w', { json: { urls: ['http://127.0.0.1:1'] } })
  expect(await tryIt(t, 'a')).toMatchObject({ result: 'refused', instance: null, verdict: { kind: 'wait' } })
})

test('a captured message is tried as it is in Trash, or in the queue; nothing becomes of the real one', async () => {
  const { t, worker } = await orders(({ node }) => ({ status: node === 'a' ? 422 : 204 }))
  await bridgeOf(t)
  const run = await start(t, { n: 7 })
  const [row] = await eventually('it is in Trash', async () => {
    const { items } = (await t.get('/api/trash')).body
    return items.length === 1 && items
  })
  expect((await tryIt(t, 'a', { trash: row?.id })).request.body).toEqual({ n: 7 })
  expect(lastCall(worker).headers['ce-correlationid']).not.toBe(run)
  await t.send('PUT', `/api/trash/${row?.id}`, { json: { body: { n: 8 } } })
  expect((await tryIt(t, 'a', { trash: row?.id })).request.body).toEqual({ n: 8 })
  const { id } = await nodeOf(t, 'orders', 'b')
  expect((await t.post(`/api/nodes/${id}/try`, { trash: row?.id })).status).toBe(409)
  expect((await t.get(`/api/trash/${row?.id}`)).body.state).toBe('open')
})

test('a message that peek shows is tried by its place', async () => {
  const { t } = await orders(() => ({ status: 204 }))
  const paused = await nodeOf(t, 'orders', 'a')
  await t.send('PATCH', `/api/nodes/${paused.id}`, { json: { paused: true } })
  await bridgeOf(t)
  await start(t, { n: 9 })
  const sequence = await eventually('it waits', async () => {
    const { items } = (await t.get(`/api/nodes/${paused.id}/peek`)).body
    return items.length === 1 && (items as unknown as { sequence: number }[])[0]?.sequence
  })
  expect((await tryIt(t, 'a', { sequence })).request.body).toEqual({ n: 9 })
  expect((await t.post(`/api/nodes/${paused.id}/try`, { sequence: 99_999 })).status).toBe(404)
  const other = await nodeOf(t, 'orders', 'b')
  expect((await t.post(`/api/nodes/${other.id}/try`, { sequence })).status).toBe(404)
})

test('the draft of a node is tried with its own settings, also while the rest of the draft is wrong', async () => {
  const { t, worker } = await orders(() => ({ status: 204 }))
  const draft = chain('orders', { a: { path: '/nodes/new', settings: { v: 2 } } })
  const document = { ...draft, nodes: [...draft.nodes, { name: 'lost', type: 'custom' }] }
  await t.send('PUT', '/api/topologies/orders', { json: document })
  expect((await tryIt(t, 'a', {}, '?of=published')).request.path).toBe('/nodes/a')
  expect(await tryIt(t, 'a', {}, '?of=draft')).toMatchObject({
    of: 'draft',
    revision: null,
    request: { path: '/nodes/new' },
  })
  expect(lastCall(worker).headers['sluice-settings']).toBe(Buffer.from('{"v":2}').toString('base64url'))
  const { id } = await nodeOf(t, 'orders', 'lost')
  expect(await t.post(`/api/nodes/${id}/try`, {})).toMatchObject({
    status: 400,
    body: { errors: [{ path: 'nodes[3].worker' }] },
  })
  expect((await t.post(`/api/nodes/${id}/try?of=published`, {})).status).toBe(409)
  const event = await nodeOf(t, 'orders', 'start')
  expect((await t.post(`/api/nodes/${event.id}/try`, {})).body.detail).toContain('calls no worker')
})

const bad: [string, object][] = [
  ['sequence', { trash: 'x', sequence: 1 }],
  ['headers', { headers: { 'idempotency-key': 'real' } }],
  ['headers', { headers: { 'x-a': 'b\r\nsluice-try: 0' } }],
  ['contentType', { contentType: 'text/plain\r\nx: y' }],
  ['tenant', { tenant: 'a'.repeat(257) }],
  ['settings', { settings: { big: 'x'.repeat(5_000) } }],
  ['body', { body: 1, bodyBase64: 'AA==' }],
  ['bodyBase64', { bodyBase64: '!' }],
  ['page', { page: -1 }],
  ['nonsense', { nonsense: true }],
]

test('a trial with bad input is refused with its place, and nobody is called', async () => {
  const { t, worker } = await orders(() => ({ status: 204 }))
  const { id } = await nodeOf(t, 'orders', 'a')
  for (const [what, json] of bad) {
    const answer = await t.post(`/api/nodes/${id}/try`, json)
    expect(answer.status, what).toBe(400)
    expect(answer.text).toContain(what)
  }
  expect(callsOf(worker)).toHaveLength(0)
})

test('a trial needs both scopes, operate and payload', async () => {
  const { t } = await orders(() => ({ status: 204 }))
  const { id } = await nodeOf(t, 'orders', 'a')
  const statuses: number[] = []
  for (const scopes of [['operate'], ['payload', 'read'], ['operate', 'payload']]) {
    const { token } = (await t.post('/api/tokens', { name: 'x', scopes })).body
    statuses.push((await t.send('POST', `/api/nodes/${id}/try`, { json: {}, token })).status)
  }
  expect(statuses).toEqual([403, 403, 200])
})

test('more than eight trials at once are refused with 429', async () => {
  let release = (): void => undefined
  const released = new Promise<void>((resolve) => (release = resolve))
  const { t, worker } = await orders(async () => {
    await released
    return { status: 204 }
  })
  const { id } = await nodeOf(t, 'orders', 'a')
  const trials = Array.from({ length: 8 }, () => t.post(`/api/nodes/${id}/try`, {}))
  await eventually('all are open', () => worker.open === 8)
  const ninth = await t.post(`/api/nodes/${id}/try`, {})
  expect(ninth.status).toBe(429)
  expect(ninth.headers.get('retry-after')).toBe('1')
  release()
  expect((await Promise.all(trials)).map(({ status }) => status)).toEqual(Array(8).fill(200))
})
