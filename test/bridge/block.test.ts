import { expect, inject, test } from 'vitest'
import { openBridge } from '../../runtime/bridge/bridge.ts'
import { openQueues } from '../../runtime/queue/open.ts'
import type { Queues } from '../../runtime/queue/open.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { isDrained, secretKey } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { closing, withoutBridge } from './flow.ts'

/** The same, but what is told of pauses comes only when it is let through. */
function toldLate(queues: Queues): { queues: Queues; tell(): void } {
  let tell = (): void => undefined
  const told = new Promise<void>((resolve) => (tell = resolve))
  const { config } = queues.config
  const watch = async () => {
    const entries = await config.watch()
    const late = async function* () {
      for await (const entry of entries) {
        if (entry.key.startsWith('paused.')) await told
        yield entry
      }
    }
    return Object.assign(late(), { stop: () => entries.stop() })
  }
  const slow = new Proxy(config, {
    get: (kv, name) => {
      const value: unknown = name === 'watch' ? watch : Reflect.get(kv, name)
      return typeof value === 'function' ? (value as () => unknown).bind(kv) : value
    },
  })
  return { queues: { ...queues, config: { ...queues.config, config: slow } }, tell }
}

test('who gets the next message of a node that blocks does not call for it, also before it is told of the pause', async () => {
  let answer = (): void => undefined
  const answered = new Promise<void>((resolve) => (answer = resolve))
  const calls: [body: string, paused: boolean][] = []
  const { engine } = await withoutBridge([{ name: 'a', onFail: 'block' }], async ({ body }) => {
    calls.push([body, (await engine.queues.control.paused()).size > 0])
    if (body !== '1') return { status: 204 }
    await answered
    return { status: 422 }
  })
  const first = await engine.openBridge()
  await engine.start('1')
  await eventually('the first is called', () => calls.length === 1)
  await engine.start('2')
  const { namespace } = engine
  const own = await openQueues({ url: inject('natsUrl'), name: 'b', namespace, replicas: 1, log: silentLog })
  const { queues, tell } = toldLate(own)
  const second = await openBridge({ queues, secretKey, graceMs: 1_000, highWater: 10_000, log: silentLog })
  closing.push(own, second)
  const closed = first.close()
  answer()
  await closed
  await eventually('the second bridge holds the next one', () => second.held === 1)
  // Ways to NATS and back: a bridge that doesn't ask has called by then.
  for (let way = 0; way < 50; way++) await engine.queues.control.depths(engine.plan)
  expect(calls).toEqual([['1', false]])
  tell()
  await engine.queues.control.setPaused(engine.id('a'), null)
  await engine.outcomesUntil(isDrained)
  expect(calls).toEqual([
    ['1', false],
    ['2', false],
  ])
})
