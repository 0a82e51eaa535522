import { inject, expect, test } from 'vitest'
import { openBridge } from '../../runtime/bridge/bridge.ts'
import type { Connection } from '../../runtime/queue/connection.ts'
import { openQueues } from '../../runtime/queue/open.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { isDrained, secretKey } from '../support/engine.ts'
import type { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { overriding } from '../support/overriding.ts'
import { closing, withoutBridge } from './flow.ts'

/** A bridge to which NATS answers what `change` makes of it. */
async function openOver(engine: TestEngine, change: (connection: Connection) => Connection): Promise<void> {
  const queues = await openQueues({
    ...{ url: inject('natsUrl'), name: 'failing', namespace: engine.namespace, replicas: 1, log: silentLog },
  })
  const over = { ...queues, connection: change(queues.connection) }
  const bridge = await openBridge({ queues: over, secretKey, graceMs: 1_000, highWater: 10_000, log: silentLog })
  closing.push(queues, bridge)
}

const done = { status: 204 }
const one = [{ name: 'a' }]

test('a plan of which a queue could not be read at first is read, and only then in force', async () => {
  const { engine, worker } = await withoutBridge(one, () => done)
  let failures = 0
  await openOver(engine, (connection) => {
    const get = (stream: string, name: string): unknown =>
      name.startsWith('node_') && failures++ === 0
        ? Promise.reject(new Error('no leader'))
        : connection.js.consumers.get(stream, name)
    const consumers = overriding(connection.js.consumers, { get })
    return overriding(connection, { js: overriding(connection.js, { consumers }) })
  })
  const { applied } = await engine.queues.control.awaitApplied(engine.plan.topologyId, 1, 5_000)
  expect(applied).toHaveLength(1)
  expect(failures).toBeGreaterThan(1)
  await engine.start('1')
  await engine.outcomesUntil(isDrained)
  expect(worker.seen).toHaveLength(1)
})

test('a plan that can not be applied does not keep the next one out', async () => {
  const { engine } = await withoutBridge(one, () => done)
  await engine.openBridge()
  const { control } = engine.queues
  const unreadable = { ...engine.plan, revision: 2, nodes: engine.plan.nodes.map((node) => ({ ...node, past: null })) }
  await control.putPlan(unreadable as never)
  await control.putPlan({ ...engine.plan, revision: 3 })
  expect(await control.awaitApplied(engine.plan.topologyId, 3, 5_000)).toMatchObject({ missing: [] })
})

test('a held message is cancelled though the server that was asked did not show the cancel at first', async () => {
  const { engine, worker } = await withoutBridge(one, () => done)
  let asked = 0
  await openOver(engine, (connection) => {
    const getMessage = (stream: string, query: { last_by_subj?: string }): unknown =>
      query.last_by_subj?.includes('.cancelled.') === true && asked++ < 2
        ? Promise.resolve(null)
        : connection.jsm.streams.getMessage(stream, query as { last_by_subj: string })
    const streams = overriding(connection.jsm.streams, { getMessage })
    return overriding(connection, { jsm: overriding(connection.jsm, { streams }) })
  })
  const { control } = engine.queues
  await control.setPaused(engine.id('a'), 'for the test')
  const run = await engine.start('1')
  const held = async () => (await control.depths(engine.plan)).find(({ nodeId }) => nodeId === engine.id('a'))?.inFlight
  await eventually('the message is held', async () => (await held()) === 1)
  await control.cancel(engine.plan.topologyId, run)
  await engine.outcomesUntil(isDrained)
  expect(asked).toBeGreaterThan(2)
  expect(worker.seen).toHaveLength(0)
})
