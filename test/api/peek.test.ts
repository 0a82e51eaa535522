import { expect, test } from 'vitest'
import { eventually } from '../support/eventually.ts'
import type { Answer } from '../support/fake-worker.ts'
import { nodeOf, openApi, published } from './open.ts'
import type { TestApi } from './open.ts'
import { bridgeOf, callsOf, orders, start } from './running.ts'

interface Item {
  readonly sequence: number
  readonly runId: string
  readonly state: string
  readonly at: string | null
  readonly attempt: number
  readonly size: number
  readonly truncated: boolean
  readonly body?: unknown
  readonly bodyBase64?: string
  readonly headers?: Readonly<Record<string, string>>
}

interface Page {
  readonly items: readonly Item[]
  readonly next: string | null
}

const never: Answer = { fail: 'never' }

async function look(t: TestApi, what: string, node: string, query = ''): Promise<Page> {
  const { id } = await nodeOf(t, 'orders', node)
  const answer = await t.get(`/api/nodes/${id}/${what}${query}`)
  expect(answer.status).toBe(200)
  return answer.body as unknown as Page
}

const run = (t: TestApi, body: unknown) => t.post('/api/topologies/orders/run', { body })

/** Starts lie before the event node until a bridge lives. */
async function unread(): Promise<TestApi> {
  const t = await openApi()
  await published(t, 'orders')
  return t
}

test('messages are shown in the order of their queue, page by page, and stay there', async () => {
  const t = await unread()
  for (const n of [1, 2, 3]) await run(t, { n })
  const first = await look(t, 'peek', 'start', '?limit=2')
  expect(first.items).toMatchObject([
    { state: 'waiting', body: { n: 1 }, attempt: 1, truncated: false, size: 7, at: null },
    { state: 'waiting', body: { n: 2 } },
  ])
  const second = await look(t, 'peek', 'start', `?limit=2&after=${first.next ?? ''}`)
  expect(second).toMatchObject({ items: [{ body: { n: 3 } }], next: null })
  expect((await look(t, 'peek', 'start')).items).toHaveLength(3)
  expect((await look(t, 'peek', 'start', '?state=held')).items).toEqual([])
})

test('what a bridge holds is told from what waits behind it, and what is settled is not shown', async () => {
  const { t, worker } = await orders(({ body }) => (body === '1' ? never : { status: 204 }), { a: { prefetch: 3 } })
  await bridgeOf(t)
  for (const n of [1, 2, 3, 4]) await run(t, n)
  await eventually('all were called', () => callsOf(worker).length === 4 && worker.open === 0)
  const { items } = await eventually('only one is left', async () => {
    const page = await look(t, 'peek', 'a')
    return page.items.length === 1 && page
  })
  expect(items).toMatchObject([{ state: 'held', body: 1 }])
  expect((await look(t, 'peek', 'a', '?state=waiting')).items).toEqual([])
})

test('a message that nobody holds any more is found behind the first one, among those that are settled', async () => {
  const { t, worker } = await orders(({ body }) => (body === '2' ? never : { status: 204 }), { a: { prefetch: 5 } })
  await bridgeOf(t)
  for (const n of [1, 2, 3]) await run(t, n)
  await eventually('all were called', () => callsOf(worker).length === 3)
  const node = (await t.queues.control.bridges()).length
  expect(node).toBe(1)
  const plan = (await t.get('/api/topologies/orders/revisions/1')).body.plan as unknown as {
    nodes: { id: string; name: string }[]
  }
  const a = plan.nodes.find(({ name }) => name === 'a') as never
  const { id } = (await t.get('/api/topologies/orders')).body
  const states = { waiting: true, held: true }
  await eventually('the others are settled', async () => {
    const { items } = await t.queues.control.peek(id, a, { held: new Set(), after: 0, limit: 10, states })
    expect(items.map(({ state, message }) => [state, Buffer.from(message.body).toString()])).toEqual([['held', '2']])
  })
})

test('delayed messages come last, with their time', async () => {
  const retry = { attempts: 5, backoff: 'fixed', baseMs: 3_600_000, maxMs: 3_600_000 }
  const { t } = await orders(() => ({ status: 500 }), { a: { retry, prefetch: 5 } })
  await bridgeOf(t)
  await start(t, { n: 1 })
  const { items } = await eventually('it is delayed', async () => {
    const page = await look(t, 'peek', 'a')
    return page.items[0]?.state === 'delayed' && page
  })
  expect(items).toMatchObject([{ state: 'delayed', body: { n: 1 }, attempt: 2 }])
  expect(Date.parse(items[0]?.at ?? '')).toBeGreaterThan(Date.now())
})

test('bodies are cut, text to whole characters, and shown only with the scope payload', async () => {
  const t = await unread()
  await run(t, { text: 'žluťoučký kůň' })
  const post = (raw: Uint8Array, type: string) =>
    t.send('POST', '/start/orders/start', { raw, headers: { 'content-type': type, 'x-from': 'test' } })
  await post(new Uint8Array([0xff, 0xfe, 1, 2]), 'application/octet-stream')
  const { items } = await look(t, 'peek', 'start', '?bytes=11')
  expect(items).toMatchObject([
    { truncated: true, body: '{"text":"ž' },
    { truncated: false, bodyBase64: '//4BAg==', headers: { 'x-from': 'test' } },
  ])
  expect((await look(t, 'peek', 'start', '?bytes=2')).items[1]).toMatchObject({ truncated: true, bodyBase64: '//4=' })
  const { token } = (await t.post('/api/tokens', { name: 'reader', scopes: ['read'] })).body
  const { id } = await nodeOf(t, 'orders', 'start')
  const answer = await t.send('GET', `/api/nodes/${id}/peek`, { token })
  expect(answer.status).toBe(200)
  for (const secret of ['body', 'bodyBase64', 'headers']) expect(answer.text).not.toContain(`"${secret}"`)
})

test('tail shows what came after a place, be it finished or not, and goes on', async () => {
  const { t } = await orders(() => ({ status: 204 }))
  await bridgeOf(t)
  await start(t, 0)
  const now = await look(t, 'tail', 'a')
  expect(now.items).toEqual([])
  for (const n of [1, 2, 3]) await start(t, n)
  const first = await eventually('two came', async () => {
    const page = await look(t, 'tail', 'a', `?limit=2&after=${now.next ?? ''}`)
    return page.items.length === 2 && page
  })
  expect(first.items).toMatchObject([{ body: 1 }, { body: 2 }])
  const second = await look(t, 'tail', 'a', `?after=${first.next ?? ''}`)
  expect(second.items).toMatchObject([{ body: 3 }])
  expect((await look(t, 'tail', 'a', `?after=${second.next ?? ''}`)).items).toEqual([])
  // Of a stream that was made anew since.
  expect((await look(t, 'tail', 'a', '?after=999999999')).items).toEqual([])
})

test('peek refuses a bad query, and says what is wrong', async () => {
  const t = await unread()
  const { id } = await nodeOf(t, 'orders', 'a')
  const queries = [
    '?limit=0',
    '?limit=501',
    '?limit=x',
    '?after=-1',
    '?after=1.5',
    '?after=a',
    '?bytes=-1',
    '?bytes=9e9',
    '?state=all',
  ]
  for (const query of queries) {
    const answer = await t.get(`/api/nodes/${id}/peek${query}`)
    expect(answer.status, query).toBe(400)
    expect(answer.body.errors[0]?.path).toBe(query.slice(1).split('=')[0])
  }
})
