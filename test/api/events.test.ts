import { SSEStreamingApi } from 'hono/streaming'
import { expect, onTestFinished, test } from 'vitest'
import { inTurn } from '../../runtime/api/actions/look/queue-watch.ts'
import { queueWriter } from '../../runtime/api/routes/events.ts'
import { chain, nodeOf, openApi, published } from './open.ts'
import type { TestApi } from './open.ts'

interface SentEvent {
  readonly id: string
  readonly event: string
  readonly data: Record<string, unknown>
}

/** Watches the API's events as a browser does. */
async function watch(t: TestApi, path = '/api/events', headers: Record<string, string> = {}) {
  const gone = new AbortController()
  onTestFinished(() => gone.abort())
  const authorization = 'Bearer the-admin-token-of-the-tests'
  const response = await t.api.request(path, { headers: { authorization, ...headers }, signal: gone.signal })
  const events = parse(response)
  return {
    response,
    next: async () => (await events.next()).value as SentEvent,
    stop: () => gone.abort(),
  }
}

async function* parse(response: Response): AsyncGenerator<SentEvent> {
  let text = ''
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const fields = Object.fromEntries(
        text
          .slice(0, end)
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
      ) as Record<string, string>
      text = text.slice(end + 2)
      if (fields.event)
        yield { id: fields.id ?? '', event: fields.event, data: JSON.parse(fields.data ?? '{}') as SentEvent['data'] }
    }
  }
}

test('who watches hears of plans, pauses and workers as they change', async () => {
  const t = await openApi()
  const watching = await watch(t)
  expect(watching.response.headers.get('content-type')).toMatch('text/event-stream')
  expect(await watching.next()).toMatchObject({ event: 'hello' })
  const { id } = await published(t, 'orders')
  expect(await watching.next()).toMatchObject({ event: 'worker', data: { name: 'w', removed: false } })
  await t.send('PATCH', `/api/nodes/${(await nodeOf(t, 'orders', 'a')).id}`, { json: { paused: true } })
  const seen: SentEvent[] = []
  while (seen.at(-1)?.event !== 'pause') seen.push(await watching.next())
  expect(seen.find(({ event }) => event === 'plan')?.data).toEqual({ topologyId: id, revision: 1 })
})

test('who watches hears of drafts that are made, saved and deleted, also when nothing of them is published', async () => {
  const t = await openApi()
  const watching = await watch(t, '/api/events?kinds=draft')
  expect(await watching.next()).toMatchObject({ event: 'hello' })
  const made = await t.send('POST', '/api/topologies', { json: chain('first') })
  const { id } = made.body as { id: string }
  const heard = { event: 'draft', data: { topologyId: id } }
  expect(await watching.next()).toMatchObject(heard)
  await t.send('PUT', `/api/topologies/${id}`, { json: chain('second') })
  expect(await watching.next()).toMatchObject(heard)
  await t.send('PATCH', `/api/topologies/${id}`, { json: { labels: { team: 'shop' } } })
  expect(await watching.next()).toMatchObject(heard)
  await t.send('PATCH', `/api/nodes/${(await nodeOf(t, 'second', 'a')).id}`, { json: { prefetch: 7 } })
  expect(await watching.next()).toMatchObject(heard)
  await t.send('DELETE', `/api/topologies/${id}`)
  expect(await watching.next()).toMatchObject(heard)
})

test('who watches hears of services, tokens and watermarks that people change', async () => {
  const t = await openApi()
  const { id: topologyId } = await published(t, 'orders', { a: { type: 'batch', emit: 'records', watermark: {} } })
  const { id: nodeId } = await nodeOf(t, 'orders', 'a')
  const watching = await watch(t, '/api/events?kinds=service,token,watermark')
  await watching.next()
  const declared = { limits: [{ rate: 5, per: 'second' }] }
  await t.post('/api/services', { name: 'shop', ...declared })
  expect(await watching.next()).toMatchObject({ event: 'service', data: { name: 'shop', removed: false } })
  await t.send('PUT', '/api/services/shop', { json: declared })
  expect(await watching.next()).toMatchObject({ event: 'service', data: { name: 'shop', removed: false } })
  expect((await t.post('/api/services/shop/resume')).body).toEqual({ ended: 0 })
  await t.send('DELETE', '/api/services/shop')
  expect(await watching.next()).toMatchObject({ event: 'service', data: { name: 'shop', removed: true } })
  const token = await t.post('/api/tokens', { name: 'viewer', scopes: ['read'] })
  expect(await watching.next()).toMatchObject({ event: 'token', data: {} })
  await t.send('DELETE', `/api/tokens/${token.body.id}`)
  expect(await watching.next()).toMatchObject({ event: 'token', data: {} })
  const at = { topology: 'orders', node: 'a' }
  const set = await t.post('/api/watermarks', { ...at, watermark: '7' })
  const heard = { event: 'watermark', data: { topologyId, nodeId } }
  expect(await watching.next()).toMatchObject(heard)
  await t.post(`/api/watermarks/${set.body.id}/reset`, {})
  expect(await watching.next()).toMatchObject(heard)
})

test('a broken connection goes on after the last event that it read', async () => {
  const t = await openApi()
  const first = await watch(t)
  const hello = await first.next()
  first.stop()
  t.queues.events.emit({ kind: 'run', topologyId: 't1', runId: 'r1', state: 'running' })
  t.queues.events.emit({ kind: 'run', topologyId: 't1', runId: 'r1', state: 'finished' })
  const again = await watch(t, '/api/events', { 'last-event-id': hello.id })
  expect(await again.next()).toMatchObject({ event: 'hello', id: hello.id })
  expect((await again.next()).data.state).toBe('running')
  const { id, data } = await again.next()
  expect(data.state).toBe('finished')
  t.queues.events.emit({ kind: 'run', topologyId: 't1', runId: 'r2', state: 'running' })
  const third = await watch(t, '/api/events', { 'last-event-id': id })
  await third.next()
  expect((await third.next()).data).toEqual({ topologyId: 't1', runId: 'r2', state: 'running' })
})

test.each(['', 'x', '1-2', 'zzzz-99999999999999', '-', '../..', '0-0; drop'])(
  'an id that is not of this log (%j) begins now and says that there may be a gap',
  async (id) => {
    const t = await openApi()
    const watching = await watch(t, '/api/events', { 'last-event-id': id })
    expect(await watching.next()).toMatchObject({ event: 'gap' })
  },
)

test('only what was asked for is heard: kinds, and one topology', async () => {
  const t = await openApi()
  const { id } = await published(t, 'orders')
  const watching = await watch(t, '/api/topologies/orders/events?kinds=trash')
  await watching.next()
  t.queues.events.emit({ kind: 'trash', topologyId: 'another', added: {}, settled: 1 })
  t.queues.events.emit({ kind: 'run', topologyId: id, runId: 'r', state: 'running' })
  t.queues.events.emit({ kind: 'trash', topologyId: id, added: { n: 2 }, settled: 0 })
  expect(await watching.next()).toMatchObject({ event: 'trash', data: { topologyId: id, added: { n: 2 } } })
})

test('an unknown kind or topology is refused', async () => {
  const t = await openApi()
  expect((await t.get('/api/events?kinds=run,nonsense')).status).toBe(400)
  expect((await t.get('/api/events?topology=a.%3E')).status).toBe(404)
  expect((await t.send('GET', '/api/events', { token: null })).status).toBe(401)
})

test('who watches is told how full queues are, then what changes, and nothing of it is kept', async () => {
  const t = await openApi()
  const { id } = await published(t, 'orders')
  await t.post('/api/topologies/orders/run', { body: 1 })
  const { id: node } = await nodeOf(t, 'orders', 'start')
  const watching = await watch(t, '/api/topologies/orders/events?kinds=queue')
  expect(await watching.next()).toMatchObject({ event: 'hello' })
  const waiting = (pending: number) => ({ [node]: { pending, inFlight: 0, replies: 0 } })
  const first = await watching.next()
  expect(first).toEqual({ id: '', event: 'queue', data: { topologyId: id, nodes: waiting(1), whole: true } })
  await t.post('/api/topologies/orders/run', { body: 2 })
  expect((await watching.next()).data).toEqual({ topologyId: id, nodes: waiting(2) })
  const later = await watch(t, '/api/events?kinds=queue')
  await later.next()
  expect((await later.next()).data).toEqual({ topologyId: id, nodes: waiting(2), whole: true })
})

test('of a topology whose queues are empty that is told, too: until then nobody knows it', async () => {
  const t = await openApi()
  const { id } = await published(t, 'orders')
  await t.post('/api/topologies', { ...chain('drafted') })
  const watching = await watch(t, '/api/events?kinds=queue')
  await watching.next()
  expect((await watching.next()).data).toEqual({ topologyId: id, nodes: {}, whole: true })
})

test('topologies that a round leaves out are looked at first in the next one', () => {
  const due = ['a', 'b', 'c', 'd'].map((id) => ({ id }))
  const turnOf = (looked: string[], max: number) => inTurn(due, looked, max).map(({ id }) => id)
  expect(turnOf([], 3)).toEqual(['a', 'b', 'c'])
  expect(turnOf(['b', 'x', 'a'], 4)).toEqual(['c', 'd', 'b', 'a'])
  expect(turnOf(['b', 'x', 'a'], 2)).toEqual(['c', 'b'])
  expect(turnOf(['b', 'a', 'c'], 2)).toEqual(['d', 'b'])
  expect(turnOf(['b', 'a', 'c', 'd'], 3)).toEqual(['b', 'a', 'c'])
})

test('what waited for a slow reader of queues is dropped when its writer is stopped, so that nothing old comes after what is whole', async () => {
  const { readable, writable } = new TransformStream<Uint8Array>()
  const stream = new SSEStreamingApi(writable, readable)
  const change = (pending: number) => ({ topologyId: 't', nodes: { n: { pending, inFlight: 0, replies: 0 } } })
  const old = queueWriter(stream)
  // The first one is being written, the second waits for it.
  old.hear(change(1))
  old.hear(change(2))
  old.stop()
  queueWriter(stream).hear({ ...change(3), whole: true })
  const events = parse(new Response(stream.responseReadable))
  const next = async () => ((await events.next()).value as SentEvent).data
  expect([await next(), await next()]).toEqual([change(1), { ...change(3), whole: true }])
  const closing = stream.close()
  expect(await events.next()).toEqual({ done: true, value: undefined })
  await closing
})
