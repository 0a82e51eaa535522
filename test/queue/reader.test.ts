import { expect, test } from 'vitest'
import { openDeliveries } from '../../runtime/queue/deliver/delivery.ts'
import type { Deliveries } from '../../runtime/queue/deliver/delivery.ts'
import { openLeaseClock } from '../../runtime/queue/deliver/lease.ts'
import { eventConsumer, streamName } from '../../runtime/queue/names.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { closing } from '../bridge/flow.ts'
import { startEngine } from '../support/engine.ts'
import type { TestEngine } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'

function deliveriesOf(engine: TestEngine): Deliveries {
  const clock = openLeaseClock(engine.queues.connection)
  const deliveries = openDeliveries({ ...engine.queues, clock, log: silentLog })
  closing.push(clock, deliveries)
  return deliveries
}

test('what the server had sent when a reader closes is given back at once, not at the end of its lease', async () => {
  const engine = await startEngine([{ name: 'a', prefetch: 2 }])
  closing.push(engine)
  const count = 20
  for (let n = 0; n < count; n++) await engine.start(String(n))
  const queue = {
    stream: streamName(engine.plan.topologyId),
    consumer: eventConsumer(engine.id('start')),
    restore: () => Promise.resolve(),
  }
  const deliveries = deliveriesOf(engine)
  let given = 0
  const first = await deliveries.read(queue, (delivery) => {
    given++
    delivery.giveBack()
    return Promise.resolve()
  })
  await eventually('deliveries go to and fro', () => given > 5 * count)
  await first.close()
  const seen = new Set<number>()
  const second = await deliveries.read(queue, (delivery) => {
    seen.add(delivery.sequence)
    delivery.settled()
    return Promise.resolve()
  })
  closing.push(second)
  await eventually('the second reader gets all', () => seen.size === count, { timeoutMs: 3_000 })
  expect(second.held).toBe(0)
})
