import { expect, test } from 'vitest'
import { isDrained, startEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { fakeWorker } from '../support/fake-worker.ts'
import type { Answer } from '../support/fake-worker.ts'
import { closing, echo, fast, flow, records } from './flow.ts'

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
  ['hangs up', 'worker-crash', { fail: 'hang-up' }],
  ['answers garbage', 'bad-reply', { fail: 'garbage' }],
  ['answers by half', 'bad-reply', { fail: 'half' }],
  ['never answers', 'timeout', { fail: 'never' }],
  ['answers 9 MiB', 'reply-too-large', { body: Buffer.alloc(9 * 1024 * 1024) }],
  ['answers a broken batch', '', { headers: { 'content-type': 'application/cloudevents-batch+json' }, body: '[{]' }],
  ['routes to nowhere', '', { headers: { 'sluice-route': 'nowhere' }, body: '1' }],
] as [string, string, Answer][])(
  'a worker that %s ends in Trash as %s, and the bridge goes on',
  async (_name, type, answer) => {
    const { engine } = await flow(
      [{ name: 'a', timeoutMs: 100, retry: { ...fast, attempts: 3 } }, { name: 'b' }],
      (request) => (request.body === '"bad"' && request.node === 'a' ? answer : echo(request)),
    )
    await engine.start('"bad"')
    await engine.start('"good"')
    const outcomes = await engine.outcomesUntil(
      (all) => all.filter(({ kind }) => kind === 'ended' || kind === 'trashed').length === 2,
    )
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['ended', 'started', 'started', 'trashed'])
    const trashed = outcomes.find((outcome) => outcome.kind === 'trashed')
    expect(trashed?.error.type).toContain(`urn:sluice:${type}`)
  },
)

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
    version: 1,
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
