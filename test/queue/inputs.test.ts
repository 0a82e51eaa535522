import { expect, test } from 'vitest'
import { Unavailable } from '../../runtime/errors.ts'
import type { Connection } from '../../runtime/queue/connection.ts'
import { recordedInputs } from '../../runtime/queue/history/inputs.ts'
import { flow } from '../bridge/flow.ts'
import { isDrained } from '../support/engine.ts'
import type { TestEngine } from '../support/engine.ts'
import { overriding } from '../support/overriding.ts'

const limits = { inputsMax: 10, readMax: 1_000 }

async function* nothing() {
  // A server that is busy sends nothing for as long as a fetch waits.
}

/** As the server is while the first `count` fetches of a consumer come to nothing. */
function busyFor(count: number, { connection }: TestEngine['queues']): Connection {
  const { consumers } = connection.js
  const get = async (...args: Parameters<typeof consumers.get>) => {
    const consumer = await consumers.get(...args)
    let asked = 0
    return overriding(consumer, { fetch: (more: object) => (asked++ < count ? nothing() : consumer.fetch(more)) })
  }
  return overriding(connection, { js: overriding(connection.js, { consumers: overriding(consumers, { get }) }) })
}

test('what entered a node is read to its end, also when the server sends nothing for a while; when it never does, that is said', async () => {
  const { engine } = await flow([{ name: 'a' }], () => ({ status: 204 }))
  const run = await engine.start('1')
  await engine.outcomesUntil(isDrained)
  const { topologyId } = engine.plan
  const at = { topologyId, nodeId: engine.id('a'), run, startedAt: new Date(0) }
  const found = await recordedInputs(busyFor(3, engine.queues), at, limits)
  expect(found?.entered).toBe(1)
  await expect(recordedInputs(busyFor(Infinity, engine.queues), at, limits)).rejects.toThrow(Unavailable)
})
