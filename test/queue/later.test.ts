import { expect, onTestFinished, test } from 'vitest'
import { Unavailable } from '../../runtime/errors.ts'
import type { Connection } from '../../runtime/queue/connection.ts'
import { delayedInto, moveTurns } from '../../runtime/queue/look/later.ts'
import { waitHeader } from '../../runtime/queue/envelope.ts'
import { laneTail, originOf } from '../../runtime/queue/names.ts'
import { startEngine } from '../support/engine.ts'
import type { TestEngine } from '../support/engine.ts'

/** Delays a message for the node `a`, as one that waits for its turn at a limit if `isTurn`. */
async function delay({ queues, plan, id }: TestEngine, key: string, isTurn = false): Promise<void> {
  const origin = originOf(key)
  const target = `sluice.${plan.topologyId}.${origin}.${laneTail(id('a'), 0, 0)}`
  const headers = [
    ['Nats-Schedule', `@at ${new Date(Date.now() + 3_600_000).toISOString()}`],
    ['Nats-Schedule-Target', target],
    ...(isTurn ? [[waitHeader, JSON.stringify({ service: 's', who: null })] as const] : []),
  ] as const
  const publish = { topologyId: plan.topologyId, origin, tail: 'later', headers, body: Buffer.from('{}') }
  await queues.guard.publish(publish, null)
}

/** The same connection, but who reads is at a replica that is behind, and has nothing. */
function behind({ queues }: TestEngine): Connection {
  const reader = { fetch: () => Promise.resolve([]), delete: () => Promise.resolve(true) }
  const consumers = { get: () => Promise.resolve(reader) }
  return new Proxy(queues.connection, {
    get: (connection, name) => (name === 'js' ? { consumers } : (Reflect.get(connection, name) as unknown)),
  })
}

test('delays are those of the leader: a reader that is shown fewer of them says so', async () => {
  const engine = await startEngine([{ name: 'a' }])
  onTestFinished(() => engine.close())
  const { plan, queues, id } = engine
  expect(await delayedInto(behind(engine), plan.topologyId)).toEqual(new Map())
  await delay(engine, 'one')
  await delay(engine, 'two')
  expect(await delayedInto(queues.connection, plan.topologyId)).toEqual(new Map([[id('a'), new Set([0])]]))
  await expect(delayedInto(behind(engine), plan.topologyId)).rejects.toThrow(Unavailable)
})

test('a message whose turn is moved is asked for once, however many there are', async () => {
  const engine = await startEngine([{ name: 'a' }])
  onTestFinished(() => engine.close())
  const { plan, queues, id } = engine
  const count = 1_040
  const keys = Array.from({ length: count }, (_, n) => String(n))
  await Promise.all(keys.map((key) => delay(engine, key, true)))
  let asked = 0
  const sooner = new Date(Date.now() + 1_800_000).toISOString()
  const to = () => {
    asked++
    return Promise.resolve(sooner)
  }
  const moved = await moveTurns(queues, plan.topologyId, { to, onRead: () => Promise.resolve() })
  expect([moved, asked]).toEqual([count, count])
  const delays = (await queues.control.delays(plan.topologyId)).nodes.get(id('a')) ?? []
  expect(new Set(delays.map(({ at }) => at))).toEqual(new Set([sooner]))
  expect(delays).toHaveLength(count)
})

test('who moves turns is told of each message that is read, so that it can say that it still does, and stop', async () => {
  const engine = await startEngine([{ name: 'a' }])
  onTestFinished(() => engine.close())
  const { plan, queues } = engine
  for (const key of ['plain', 'delays', 'before']) await delay(engine, key)
  await delay(engine, 'a turn', true)
  let read = 0
  const onRead = () => (++read < 3 ? Promise.resolve() : Promise.reject(new Error('another one moves them')))
  const to = () => Promise.reject(new Error('it is not asked for'))
  await expect(moveTurns(queues, plan.topologyId, { to, onRead })).rejects.toThrow('another one moves them')
  expect(read).toBe(3)
})
