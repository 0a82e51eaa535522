import { expect, test } from 'vitest'
import { untried } from '../../runtime/protocol/message.ts'
import { eventConsumer, hopKey, laneConsumer, laneTail, originOf, streamName } from '../../runtime/queue/names.ts'
import { encodeEnvelope, envelopeHeader } from '../../runtime/queue/envelope.ts'
import { isDrained, startEngine } from '../support/engine.ts'
import { fakeWorker } from '../support/fake-worker.ts'
import { closing, echo, fast, flow, records } from './flow.ts'

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
    ...untried,
    contentType: 'application/json',
  }
  const publish = (from: string, to: string): Promise<unknown> =>
    engine.queues.guard.publish(
      {
        topologyId: engine.plan.topologyId,
        origin: originOf(hopKey(message, engine.id(from))),
        tail: laneTail(engine.id(to), 0, 0),
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
      from === 'start' ? eventConsumer(engine.id(from)) : laneConsumer(engine.id(from), 0, 0),
    )
    const delivered = await consumer.next()
    await publish(from, to)
    delivered?.nak()
  }
  await engine.openBridge()
  await engine.outcomesUntil(isDrained)
  expect(worker.seen.map(({ node }) => node)).toEqual(['b'])
})
