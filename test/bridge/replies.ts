import { openLanes } from '../../runtime/bridge/lanes/lanes.ts'
import type { SplitSite } from '../../runtime/bridge/split.ts'
import { untried } from '../../runtime/protocol/message.ts'
import { openDeliveries } from '../../runtime/queue/deliver/delivery.ts'
import type { Delivery } from '../../runtime/queue/deliver/delivery.ts'
import { openLeaseClock } from '../../runtime/queue/deliver/lease.ts'
import { envelopeHeader } from '../../runtime/queue/envelope.ts'
import { originOf, replyConsumer, replyTail, streamName } from '../../runtime/queue/names.ts'
import { encodeReply } from '../../runtime/queue/reply.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import type { TestEngine } from '../support/engine.ts'
import { closing } from './flow.ts'

/** Publishes so often, and dies at the next one. */
export function dyingAfter<A extends unknown[], R>(
  publish: (...args: A) => Promise<R>,
  times: number,
): (...args: A) => Promise<R> {
  let left = times
  return (...args) => (left-- > 0 ? publish(...args) : Promise.reject(new Error('killed')))
}

/** Stores a reply of the node `list` with so many records, and a next page. */
export async function storeReply(engine: TestEngine, count: number): Promise<void> {
  const input = {
    id: 'run',
    run: 'run',
    from: 'start',
    created: new Date().toISOString(),
    ...untried,
    contentType: 'application/json',
  }
  const body = Buffer.from(JSON.stringify(Array.from({ length: count }, (_, n) => ({ n }))))
  const header = encodeReply({
    kind: 'outputs',
    hopKey: 'the hop',
    at: input.created,
    nodeName: 'list',
    revision: 1,
    followers: [['store', engine.id('store')]],
    route: null,
    emit: { kind: 'records' },
    paged: true,
    next: 'cursor',
    watermark: null,
    progress: null,
    commit: null,
    input,
    output: { contentType: 'application/json', headers: {}, key: null, tenant: null },
    bodyLength: body.length,
  })
  await engine.queues.guard.publish(
    {
      topologyId: engine.plan.topologyId,
      origin: originOf('the hop'),
      tail: replyTail(engine.id('list')),
      headers: [[envelopeHeader, header]],
      body,
    },
    null,
  )
}

/** Holds the first stored reply of the node `list`. */
export async function takeReply(engine: TestEngine): Promise<Delivery> {
  const clock = openLeaseClock(engine.queues.connection)
  const deliveries = openDeliveries({ ...engine.queues, clock, log: silentLog })
  closing.push(clock, deliveries)
  return new Promise((resolve) => {
    const queue = {
      stream: streamName(engine.plan.topologyId),
      consumer: replyConsumer(engine.id('list')),
      restore: () => Promise.resolve(),
    }
    void deliveries.read(queue, (delivery) => {
      resolve(delivery)
      return new Promise(() => undefined)
    })
  })
}

/** Where replies of the node `list` are split. */
export function listSite(engine: TestEngine): SplitSite {
  const lanes = openLanes()
  lanes.use(engine.plan)
  return { topologyId: engine.plan.topologyId, nodeId: engine.id('list'), lanes }
}
