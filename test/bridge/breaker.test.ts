import { expect, test } from 'vitest'
import type { HealthChange } from '../../runtime/bridge/caller.ts'
import { isDrained, startEngine } from '../support/engine.ts'
import type { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { fakeWorker } from '../support/fake-worker.ts'
import type { Answer, Seen } from '../support/fake-worker.ts'
import { closing, fast, records } from './flow.ts'

type Nodes = Parameters<typeof startEngine>[0]

/** A batch node `list` at a worker of its own that makes `count` messages, then the given nodes at the worker `w`. */
async function listing(count: number, nodes: Nodes, edges?: Parameters<typeof startEngine>[1]) {
  const source = await fakeWorker(() => records(Array.from({ length: count }, (_, n) => n)))
  closing.push(source)
  const engine = await startEngine([{ name: 'list', type: 'batch', worker: 'source' }, ...nodes], edges)
  closing.push(engine)
  const address = { dialect: 'native', version: 1, secret: null, timeoutMs: null } as const
  await engine.queues.control.putWorker({ name: 'source', urls: [source.url], ...address })
  const changes: HealthChange[] = []
  const states = (kind: HealthChange['kind']) => changes.flatMap((one) => (one.kind === kind ? [one.state] : []))
  const openBridge = () => engine.openBridge({ onHealth: (change) => changes.push(change) })
  return { engine, changes, states, openBridge }
}

/** A port where nobody listens. */
async function freePort(): Promise<number> {
  const reserved = await fakeWorker(() => ({ status: 204 }))
  await reserved.close()
  return Number(new URL(reserved.url).port)
}

const ends = async (engine: TestEngine) => {
  const outcomes = await engine.outcomesUntil(isDrained)
  const count = (wanted: string) => outcomes.filter(({ kind }) => kind === wanted).length
  return { ended: count('ended'), trashed: count('trashed') }
}

test('while all instances are down 50 messages wait, none burns its only attempt, and all arrive when one is back, few at first', async () => {
  const once = { ...fast, attempts: 1 }
  const { engine, changes, states, openBridge } = await listing(50, [{ name: 'store', prefetch: 10, retry: once }])
  const port = await freePort()
  await engine.setWorker(`http://127.0.0.1:${port}`, `http://127.0.0.1:${await freePort()}`)
  const bridge = await openBridge()
  await engine.start('{}')
  await eventually('ten messages are held', () => bridge.held === 10)
  await eventually(
    'it has been asked twice',
    () => states('instance').filter((state) => state === 'probing').length > 2,
  )
  const open: number[] = []
  const script = (): Answer => {
    open.push(worker.open)
    return { status: 204, afterMs: 20 }
  }
  const worker = await fakeWorker(script, port)
  closing.push(worker)
  expect(await ends(engine)).toEqual({ ended: 50, trashed: 0 })
  expect(new Set(worker.seen.map(({ headers }) => headers['sluice-attempt']))).toEqual(new Set(['1;max=1']))
  expect(open[0]).toBe(1)
  expect(Math.max(...open.slice(1, 3))).toBeLessThanOrEqual(2)
  const back = changes
    .filter((one) => one.kind === 'instance' && one.url.endsWith(`:${port}`))
    .map(({ state }) => state)
  expect(back.slice(-3)).toEqual(['probing', 'ramping', 'closed'])
})

test('an instance that says it is not healthy gets no message until it says that it is', async () => {
  const { engine, openBridge } = await listing(10, [{ name: 'store', prefetch: 5, retry: { ...fast, attempts: 1 } }])
  const port = await freePort()
  await engine.setWorker(`http://127.0.0.1:${port}/base`)
  const bridge = await openBridge()
  await engine.start('{}')
  await eventually('messages are held', () => bridge.held === 5)
  let asked = 0
  const health = (): Answer => ({ status: ++asked < 3 ? 503 : 200 })
  const askedAtFirst: number[] = []
  const worker = await fakeWorker(() => (askedAtFirst.push(asked), { status: 204 }), port, health)
  closing.push(worker)
  expect(await ends(engine)).toEqual({ ended: 10, trashed: 0 })
  expect(askedAtFirst[0]).toBe(3)
})

test('a node whose handler fails is held back alone, shows it, and loses nothing', async () => {
  let isBroken = true
  const script = ({ node }: Seen): Answer => (node === 'a' && isBroken ? { status: 500 } : { status: 204 })
  const worker = await fakeWorker(script)
  closing.push(worker)
  const patient = { ...fast, attempts: 30 }
  const nodes = ['a', 'b'].map((name) => ({ name, prefetch: 10, retry: patient }))
  const edges = ['start list', 'list a', 'list b'].map((text) => ({
    from: text.split(' ')[0]!,
    to: text.split(' ')[1]!,
  }))
  const { engine, changes, states, openBridge } = await listing(40, nodes, edges)
  await engine.setWorker(worker.url)
  await openBridge()
  await engine.start('{}')
  const seen = (node: string) => worker.seen.filter((one) => one.node === node).length
  await eventually('b has its messages', () => seen('b') === 40)
  await eventually('the bridge says that a is held back', async () => {
    const [bridge] = await engine.queues.control.bridges()
    expect(bridge?.nodes).toMatchObject([{ node: engine.id('a'), reason: expect.stringContaining('500') as string }])
    expect(bridge?.instances.find((one) => one.worker === 'w')).toMatchObject({ state: 'closed', reason: null })
  })
  await eventually(
    'a has been tried again and again',
    () => states('node').filter((state) => state === 'open').length > 2,
  )
  expect(seen('a')).toBeLessThan(40)
  isBroken = false
  expect(await ends(engine)).toEqual({ ended: 80, trashed: 0 })
  await eventually('all is well', () => expect(states('node').slice(-2)).toEqual(['ramping', 'closed']))
  expect(changes.filter(({ kind }) => kind === 'instance')).toEqual([])
})

test('what waits for a breaker sees at once that its worker has moved', async () => {
  const { engine, states, openBridge } = await listing(5, [{ name: 'store', prefetch: 5, retry: fast }])
  await engine.setWorker(`http://127.0.0.1:${await freePort()}`)
  await openBridge()
  await engine.start('{}')
  await eventually('its instance is found down', () => states('instance').includes('open'))
  const worker = await fakeWorker(() => ({ status: 204 }))
  closing.push(worker)
  await engine.setWorker(worker.url)
  expect(await ends(engine)).toEqual({ ended: 5, trashed: 0 })
})

test('a message that waits for a breaker is cancelled at once with its run', async () => {
  const { engine, states, openBridge } = await listing(3, [{ name: 'store', prefetch: 3, retry: fast }])
  await engine.setWorker(`http://127.0.0.1:${await freePort()}`)
  const bridge = await openBridge()
  const run = await engine.start('{}')
  await eventually('messages wait', () => bridge.held === 3 && states('instance').includes('open'))
  await engine.queues.control.cancel(engine.plan.topologyId, run)
  const outcomes = await engine.outcomesUntil(isDrained)
  expect(outcomes.filter((one) => one.kind === 'ended' && one.cancelled)).toHaveLength(3)
})

test('a bridge that stops gives back what waits for a breaker', async () => {
  const { engine, states, openBridge } = await listing(3, [{ name: 'store', prefetch: 3, retry: fast }])
  const port = await freePort()
  await engine.setWorker(`http://127.0.0.1:${port}`)
  const bridge = await openBridge()
  await engine.start('{}')
  await eventually('messages wait', () => bridge.held === 3 && states('instance').includes('open'))
  await bridge.close()
  expect(bridge.held).toBe(0)
  closing.push(await fakeWorker(() => ({ status: 204 }), port))
  await openBridge()
  expect(await ends(engine)).toEqual({ ended: 3, trashed: 0 })
})
