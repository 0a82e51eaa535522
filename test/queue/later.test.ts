import { expect, onTestFinished, test } from 'vitest'
import { Unavailable } from '../../runtime/errors.ts'
import type { Connection } from '../../runtime/queue/connection.ts'
import { delayedInto } from '../../runtime/queue/look/later.ts'
import { laneTail, originOf } from '../../runtime/queue/names.ts'
import { startEngine } from '../support/engine.ts'
import type { TestEngine } from '../support/engine.ts'

/** Delays a message for the node `a`. */
async function delay({ queues, plan, id }: TestEngine, key: string): Promise<void> {
  const origin = originOf(key)
  const target = `sluice.${plan.topologyId}.${origin}.${laneTail(id('a'), 0, 0)}`
  const headers = [
    ['Nats-Schedule', `@at ${new Date(Date.now() + 3_600_000).toISOString()}`],
    ['Nats-Schedule-Target', target],
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
