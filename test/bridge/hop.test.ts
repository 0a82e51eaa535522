import { afterEach, expect, test } from 'vitest'
import { hopKey, nodeConsumer, nodeTail, originOf, streamName } from '../../runtime/queue/names.ts'
import { encodeEnvelope, envelopeHeader } from '../../runtime/queue/envelope.ts'
import { startEngine, isDrained } from '../support/engine.ts'
import type { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { fakeWorker } from '../support/fake-worker.ts'
import type { Answer, FakeWorker, Seen } from '../support/fake-worker.ts'

const closing: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of closing.splice(0).reverse()) await one.close()
})

async function flow(
  nodes: Parameters<typeof startEngine>[0],
  script: (request: Seen, nth: number) => Answer | Promise<Answer>,
  edges?: Parameters<typeof startEngine>[1],
): Promise<{ engine: TestEngine; worker: FakeWorker }> {
  const worker = await fakeWorker(script)
  closing.push(worker)
  const engine = await startEngine(nodes, edges)
  closing.push(engine)
  await engine.setWorker(worker.url)
  await engine.openBridge()
  return { engine, worker }
}

const echo = (request: Seen): Answer => ({ headers: { 'content-type': 'application/json' }, body: request.body })
const fast = { attempts: 3, backoff: 'fixed', baseMs: 1, maxMs: 1 } as const
const records = (items: unknown[], cursor?: string): Answer => ({
  headers: {
    'content-type': 'application/json',
    'sluice-emit': 'records',
    ...(cursor === undefined ? {} : { 'sluice-cursor': cursor }),
  },
  body: JSON.stringify(items),
})

test('a message keeps its id and body along two nodes and ends well', async () => {
  const { engine, worker } = await flow([{ name: 'a' }, { name: 'b', prefetch: 5 }], echo)
  const run = await engine.start('{"n":1}', { headers: { 'x-shop': 'one' } })
  const outcomes = await engine.outcomesUntil(isDrained)
  expect(outcomes.map((outcome) => outcome.kind)).toEqual(['started', 'ended'])
  expect(worker.seen.map(({ node, id, body }) => ({ node, id, body }))).toEqual([
    { node: 'a', id: run, body: '{"n":1}' },
    { node: 'b', id: run, body: '{"n":1}' },
  ])
  expect(worker.seen[1]?.headers).toMatchObject({
    'x-shop': 'one',
    'sluice-attempt': '1;max=10',
    'idempotency-key': `${run}@b`,
  })
})

test('a batch node reads all pages, one message per record, and asks for a failed page again without the ones before it', async () => {
  const { engine, worker } = await flow(
    [
      { name: 'list', type: 'batch', retry: fast },
      { name: 'store', prefetch: 10 },
    ],
    (request, nth) => {
      if (request.node !== 'list') return { status: 204 }
      const page = Number(request.headers['sluice-page'])
      if (page === 2 && nth === 3) return { status: 502 }
      return records([`${page}-0`, `${page}-1`, `${page}-2`], page < 4 ? `cursor-${page + 1}` : undefined)
    },
  )
  const run = await engine.start('{"since":0}')
  const outcomes = await engine.outcomesUntil(isDrained)
  expect(outcomes.filter(({ kind }) => kind === 'ended')).toHaveLength(15)
  const calls = worker.seen.filter(({ node }) => node === 'list')
  expect(calls.map(({ headers }) => headers['sluice-cursor'] ?? null)).toEqual([
    null,
    'cursor-1',
    'cursor-2',
    'cursor-2',
    'cursor-3',
    'cursor-4',
  ])
  expect(calls.every(({ body }) => body === '{"since":0}')).toBe(true)
  const stored = worker.seen.filter(({ node }) => node === 'store')
  expect(new Set(stored.map(({ id }) => id))).toHaveLength(15)
  expect(stored.map(({ id }) => id)).toContain(`${run}#4.2`)
})

test('a node with prefetch 1 gets its messages in order, also through retries', async () => {
  const { engine, worker } = await flow(
    [
      { name: 'list', type: 'batch' },
      { name: 'store', retry: fast },
    ],
    (request, nth) => {
      if (request.node === 'list') return records(Array.from({ length: 30 }, (_, n) => n))
      return Number(request.body) % 7 === 3 && nth < 3 ? { status: 503 } : { status: 204 }
    },
  )
  await engine.start('{}')
  await engine.outcomesUntil(isDrained)
  const order = worker.seen.filter(({ node }) => node === 'store').map(({ body }) => Number(body))
  expect([...new Set(order)]).toEqual(Array.from({ length: 30 }, (_, n) => n))
  expect(order).toEqual([...order].sort((a, b) => a - b))
  expect(worker.mostOpen).toBe(1)
})

test('at most prefetch messages of a node are at workers, over two bridges', async () => {
  const { engine, worker } = await flow(
    [
      { name: 'list', type: 'batch' },
      { name: 'store', prefetch: 4 },
    ],
    (request) =>
      request.node === 'list' ? records(Array.from({ length: 60 }, (_, n) => n)) : { status: 204, afterMs: 5 },
  )
  await engine.openBridge()
  await engine.start('{}')
  await engine.outcomesUntil(isDrained)
  expect(worker.mostOpen).toBe(4)
})

test('a message goes to every follower, under an id of its own for each', async () => {
  const edges = [
    { from: 'start', to: 'a' },
    { from: 'a', to: 'b' },
    { from: 'a', to: 'c' },
  ]
  const { engine, worker } = await flow([{ name: 'a' }, { name: 'b' }, { name: 'c' }], echo, edges)
  const run = await engine.start('1')
  await engine.outcomesUntil(isDrained)
  const ids = Object.fromEntries(worker.seen.map(({ node, id }) => [node, id]))
  expect(ids).toEqual({ a: run, b: `${run}.0`, c: `${run}.1` })
})

test('a refused message is in Trash whole, with the problem and every attempt, and the others flow on', async () => {
  const problem = { type: 'https://example.com/gone', title: 'Place no longer exists', detail: 'Place 3 is a ruin' }
  const { engine } = await flow(
    [
      { name: 'list', type: 'batch' },
      { name: 'enrich', prefetch: 3, retry: fast },
    ],
    (request, nth) => {
      if (request.node === 'list') return records([1, 2, 3, 4])
      if (request.body !== '3') return { status: 204 }
      return nth < 3
        ? { status: 500 }
        : { status: 422, headers: { 'content-type': 'application/problem+json' }, body: JSON.stringify(problem) }
    },
  )
  await engine.start('{}')
  const outcomes = await engine.outcomesUntil(isDrained)
  expect(outcomes.filter(({ kind }) => kind === 'ended')).toHaveLength(3)
  const [trashed] = outcomes.filter((outcome) => outcome.kind === 'trashed')
  expect(trashed).toMatchObject({ nodeId: engine.id('enrich'), error: problem })
  expect(trashed?.attempts.map(({ attempt, status }) => ({ attempt, status }))).toEqual([
    { attempt: 1, status: 500 },
    { attempt: 2, status: 500 },
    { attempt: 3, status: 422 },
  ])
  expect(Buffer.from(trashed?.body ?? '').toString()).toBe('3')
})

test('a replay goes on from the node that failed, with the same id, and only there', async () => {
  let healed = false
  const { engine, worker } = await flow([{ name: 'a' }, { name: 'b' }], (request) => {
    if (request.node === 'b' && !healed) return { status: 422 }
    return echo(request)
  })
  const run = await engine.start('"x"')
  const [trashed] = (await engine.outcomesUntil((all) => all.some(({ kind }) => kind === 'trashed'))).filter(
    (one) => one.kind === 'trashed',
  )
  if (trashed === undefined) throw new Error('nothing in Trash')
  healed = true
  const replay = {
    topologyId: engine.plan.topologyId,
    nodeId: trashed.nodeId,
    trashId: trashed.trashId,
    run,
    message: trashed.message,
    edited: false,
    body: trashed.body,
  }
  expect(await engine.queues.control.replay(replay)).toBe('accepted')
  expect(await engine.queues.control.replay(replay)).toBe('settled')
  expect(await engine.queues.control.discard({ ...replay, reason: null, replay: 0 })).toBe('settled')
  const outcomes = await engine.outcomesUntil((all) => all.some(({ kind }) => kind === 'ended'))
  expect(outcomes.map(({ kind }) => kind)).toEqual(['started', 'trashed', 'replayed', 'ended'])
  expect(worker.seen.map(({ node, id }) => `${node} ${id}`)).toEqual([`a ${run}`, `b ${run}`, `b ${run}`])
})

test('an edited replay has a new id', async () => {
  const { engine, worker } = await flow([{ name: 'a' }], (request) =>
    request.body === '"bad"' ? { status: 422 } : { status: 204 },
  )
  const run = await engine.start('"bad"')
  const outcomes = await engine.outcomesUntil((all) => all.some(({ kind }) => kind === 'trashed'))
  const trashed = outcomes.find((one) => one.kind === 'trashed')
  if (trashed === undefined) throw new Error('nothing in Trash')
  const { nodeId, trashId, message } = trashed
  await engine.queues.control.replay({
    topologyId: engine.plan.topologyId,
    nodeId,
    trashId,
    run,
    message,
    edited: true,
    body: Buffer.from('"good"'),
  })
  await engine.outcomesUntil((all) => all.some(({ kind }) => kind === 'ended'))
  expect(worker.seen.map(({ id, body }) => `${id} ${body}`)).toEqual([`${run} "bad"`, `${run}!1 "good"`])
})

test('a message waits for a worker that is not up yet, and no attempt is burnt', async () => {
  const reserved = await fakeWorker(() => ({ status: 204 }))
  const port = Number(new URL(reserved.url).port)
  await reserved.close()
  const engine = await startEngine([{ name: 'a', retry: { ...fast, attempts: 1 } }])
  closing.push(engine)
  await engine.setWorker(reserved.url)
  const bridge = await engine.openBridge()
  await engine.start('1')
  await eventually('the bridge holds the message', () => bridge.held === 1)
  const worker = await fakeWorker(() => ({ status: 204 }), port)
  closing.push(worker)
  await engine.outcomesUntil(isDrained)
  expect(worker.seen.map(({ headers }) => headers['sluice-attempt'])).toEqual(['1;max=1'])
})

test('429 makes the message wait as long as Retry-After says and burns nothing', async () => {
  const times: number[] = []
  const { engine, worker } = await flow(
    [{ name: 'a', prefetch: 3, retry: { ...fast, attempts: 1 } }],
    (_request, nth) => {
      times.push(performance.now())
      return nth === 1 ? { status: 429, headers: { 'retry-after': '1' } } : { status: 204 }
    },
  )
  await engine.start('1')
  const outcomes = await engine.outcomesUntil(isDrained)
  expect(outcomes.map(({ kind }) => kind)).toEqual(['started', 'ended'])
  expect(worker.seen).toHaveLength(2)
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(990)
})

test.each([
  ['hangs up', { fail: 'hang-up' }],
  ['answers garbage', { fail: 'garbage' }],
  ['never answers', { fail: 'never' }],
  ['answers 9 MiB', { body: Buffer.alloc(9 * 1024 * 1024) }],
  ['answers a broken batch', { headers: { 'content-type': 'application/cloudevents-batch+json' }, body: '[{]' }],
  ['routes to nowhere', { headers: { 'sluice-route': 'nowhere' }, body: '1' }],
] as [string, Answer][])('a worker that %s ends in Trash, and the bridge goes on', async (_name, answer) => {
  const { engine } = await flow(
    [{ name: 'a', timeoutMs: 100, retry: { ...fast, attempts: 2 } }, { name: 'b' }],
    (request) => (request.body === '"bad"' && request.node === 'a' ? answer : echo(request)),
  )
  await engine.start('"bad"')
  await engine.start('"good"')
  const outcomes = await engine.outcomesUntil(
    (all) => all.filter(({ kind }) => kind === 'ended' || kind === 'trashed').length === 2,
  )
  expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['ended', 'started', 'started', 'trashed'])
})

test('a hop that was settled before is acknowledged without a call', async () => {
  const engine = await startEngine([{ name: 'a' }, { name: 'b' }])
  closing.push(engine)
  const worker = await fakeWorker(echo)
  closing.push(worker)
  await engine.setWorker(worker.url)
  const run = await engine.start('"x"')
  // What a bridge did just before it died: it got the start and a's message, forwarded both, and acked neither.
  const message = {
    id: run,
    run,
    from: 'start',
    created: new Date().toISOString(),
    attempt: 0,
    round: 0,
    replay: 0,
    page: 0,
    cursor: null,
    tenant: null,
    key: null,
    trace: null,
    history: [],
    headers: {},
    contentType: 'application/json',
  }
  const publish = (from: string, to: string): Promise<unknown> =>
    engine.queues.guard.publish(
      {
        topologyId: engine.plan.topologyId,
        origin: originOf(hopKey(message, engine.id(from))),
        tail: nodeTail(engine.id(to)),
        headers: [[envelopeHeader, encodeEnvelope({ ...message, from })]],
        body: Buffer.from('"x"'),
      },
      null,
    )
  for (const [from, to] of [
    ['start', 'a'],
    ['a', 'b'],
  ] as const) {
    const consumer = await engine.queues.connection.js.consumers.get(
      streamName(engine.plan.topologyId),
      nodeConsumer(engine.id(from)),
    )
    const delivered = await consumer.next()
    await publish(from, to)
    delivered?.nak()
  }
  await engine.openBridge()
  await engine.outcomesUntil(isDrained)
  expect(worker.seen.map(({ node }) => node)).toEqual(['b'])
})

test('a call longer than the ack wait is made once', async () => {
  const { engine, worker } = await flow([{ name: 'a' }], () => ({ status: 204, afterMs: 7_000 }))
  await engine.start('1')
  await engine.outcomesUntil(isDrained)
  expect(worker.seen).toHaveLength(1)
})

test('messages go to the instance that is up, and both are used when both are', async () => {
  const gone = await fakeWorker(() => ({ status: 204 }))
  await gone.close()
  const [one, two] = await Promise.all([
    fakeWorker(() => ({ status: 204, afterMs: 5 })),
    fakeWorker(() => ({ status: 204, afterMs: 5 })),
  ])
  closing.push(one, two)
  const engine = await startEngine([
    { name: 'list', type: 'batch', worker: 'source' },
    { name: 'store', prefetch: 4 },
  ])
  closing.push(engine)
  const source = await fakeWorker(() => records(Array.from({ length: 40 }, (_, n) => n)))
  closing.push(source)
  await engine.queues.control.putWorker({
    name: 'source',
    urls: [source.url],
    dialect: 'native',
    secret: null,
    timeoutMs: null,
  })
  await engine.setWorker(gone.url, one.url, two.url)
  await engine.openBridge()
  await engine.start('{}')
  const outcomes = await engine.outcomesUntil(isDrained)
  expect(outcomes.filter(({ kind }) => kind === 'ended')).toHaveLength(40)
  expect(one.seen.length + two.seen.length).toBe(40)
  expect(Math.min(one.seen.length, two.seen.length)).toBeGreaterThan(10)
})

test('a worker that refuses our signature pauses the node until it is resumed', async () => {
  let refuse = true
  const { engine, worker } = await flow([{ name: 'a' }], () =>
    refuse ? { status: 401, headers: { 'sluice-signature': 'refused' } } : { status: 204 },
  )
  await engine.start('1')
  await eventually('the node is paused', async () => (await engine.queues.control.paused()).has(engine.id('a')))
  refuse = false
  await engine.queues.control.setPaused(engine.id('a'), null)
  await engine.outcomesUntil(isDrained)
  expect(worker.seen.map(({ headers }) => headers['sluice-attempt'])).toEqual(['1;max=10', '1;max=10'])
})

test('what an ordered node forwards does not overtake what it split before', async () => {
  const { engine, worker } = await flow(
    [{ name: 'list', type: 'batch' }, { name: 'fan' }, { name: 'store' }],
    (request) => {
      if (request.node === 'list') return records(Array.from({ length: 20 }, (_, n) => n))
      const n = Number(request.body)
      if (request.node === 'fan' && n % 3 === 0) return records([n, n + 0.1, n + 0.2])
      return request.node === 'fan' ? echo(request) : { status: 204 }
    },
  )
  await engine.start('{}')
  await engine.outcomesUntil(isDrained)
  const order = worker.seen.filter(({ node }) => node === 'store').map(({ body }) => Number(body))
  expect(order).toHaveLength(34)
  expect(order).toEqual([...order].sort((a, b) => a - b))
})

test('a batch node is held back while its follower has more waiting than the high-water mark', async () => {
  let release = (): void => undefined
  const released = new Promise<void>((resolve) => (release = resolve))
  const worker = await fakeWorker(async (request) => {
    if (request.node === 'list')
      return records(
        [1, 2, 3, 4, 5],
        Number(request.headers['sluice-page']) < 9 ? `${request.headers['sluice-page']}` : undefined,
      )
    await released
    return { status: 204 }
  })
  closing.push(worker)
  const engine = await startEngine([{ name: 'list', type: 'batch' }, { name: 'store' }])
  closing.push(engine)
  await engine.setWorker(worker.url)
  await engine.openBridge({ highWater: 8 })
  await engine.start('{}')
  // Pages 0 and 1 are split (10 messages, over the mark), page 2 is read ahead and waits, page 3 isn't asked for.
  const pages = (): number => worker.seen.filter(({ node }) => node === 'list').length
  await eventually('page 2 is read ahead and the store is busy', () => pages() === 3 && worker.open === 1)
  const replies = async () =>
    (await engine.queues.control.depths(engine.plan)).find(({ nodeId }) => nodeId === engine.id('list'))?.replies
  await eventually('page 2 is not split', async () => (await replies()) === 1)
  expect(pages()).toBe(3)
  release()
  const outcomes = await engine.outcomesUntil(isDrained)
  expect(outcomes.filter(({ kind }) => kind === 'ended')).toHaveLength(50)
})
