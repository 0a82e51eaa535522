import { afterEach, expect, test } from 'vitest'
import { untried } from '../../runtime/protocol/message.ts'
import { openHighWater } from '../../runtime/bridge/high-water.ts'
import { openLanes } from '../../runtime/bridge/lanes/lanes.ts'
import { split } from '../../runtime/bridge/split.ts'
import { openDeliveries } from '../../runtime/queue/deliver/delivery.ts'
import type { Delivery } from '../../runtime/queue/deliver/delivery.ts'
import { envelopeHeader } from '../../runtime/queue/envelope.ts'
import { openLeaseClock } from '../../runtime/queue/deliver/lease.ts'
import { nodeFilter, originOf, replyConsumer, replyTail, streamName } from '../../runtime/queue/names.ts'
import { encodeReply } from '../../runtime/queue/reply.ts'
import { silentLog } from '../../runtime/telemetry/log.ts'
import { startEngine } from '../support/engine.ts'
import type { TestEngine } from '../support/engine.ts'

const neverStop = { soon: new AbortController().signal, now: new AbortController().signal }
const closing: { close(): Promise<void> | void }[] = []
afterEach(async () => {
  for (const one of closing.splice(0).reverse()) await one.close()
})

test.each([3, 49, 50, 1_000, 2_300])(
  'a reply of %i records that is split twice, half of it by a bridge that died, makes each message once',
  async (count) => {
    const engine = await startEngine([{ name: 'list', type: 'batch' }, { name: 'store' }])
    closing.push(engine)
    const topologyId = engine.plan.topologyId
    await storeReply(engine, count)
    const { guard, publisher, connection } = engine.queues
    const ports = { guard, publisher, highWater: openHighWater(connection, 10_000), log: silentLog }

    const lanes = openLanes()
    lanes.use(engine.plan)
    const site = { topologyId, nodeId: engine.id('list'), lanes }
    const first = await takeReply(engine)
    // The first bridge dies after it has published some of the messages singly.
    const half = {
      ...ports,
      guard: { ...ports.guard, publish: dyingAfter(ports.guard.publish, 2 + Math.floor(count / 2)) },
    }
    const voidLease = { valid: () => false, confirm: () => undefined }
    await expect(split({ ...view(first), lease: voidLease }, site, half, neverStop)).rejects.toThrow('killed')
    await split(first, site, ports, neverStop)

    const outcomes = await engine.outcomesUntil((all) => all.length > 0)
    expect(outcomes).toMatchObject([{ kind: 'split', delta: count }])
    const info = await engine.queues.connection.jsm.streams.info(streamName(topologyId), {
      subjects_filter: nodeFilter(topologyId, engine.id('store')),
    })
    expect(Object.keys(info.state.subjects ?? {})).toHaveLength(count)
    expect(Object.values(info.state.subjects ?? {}).every((messages) => messages === 1)).toBe(true)
  },
)

function dyingAfter<A extends unknown[], R>(
  publish: (...args: A) => Promise<R>,
  times: number,
): (...args: A) => Promise<R> {
  let left = times
  return (...args) => (left-- > 0 ? publish(...args) : Promise.reject(new Error('killed')))
}

/** A delivery's getters live on its class: copied by hand. */
function view(delivery: Delivery): Delivery {
  return {
    sequence: delivery.sequence,
    subject: delivery.subject,
    header: (name) => delivery.header(name),
    body: delivery.body,
    inDoubt: delivery.inDoubt,
    lease: delivery.lease,
    settled: () => delivery.settled(),
    giveBack: () => delivery.giveBack(),
  }
}

async function storeReply(engine: TestEngine, count: number): Promise<void> {
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

async function takeReply(engine: TestEngine): Promise<Delivery> {
  const clock = openLeaseClock(engine.queues.connection)
  const deliveries = openDeliveries({ ...engine.queues, clock, log: silentLog })
  closing.push(clock, deliveries)
  return new Promise((resolve) => {
    void deliveries.read(streamName(engine.plan.topologyId), replyConsumer(engine.id('list')), (delivery) => {
      resolve(delivery)
      return new Promise(() => undefined)
    })
  })
}
